"""The CA that phones install vouches for the store's own names only, as OpenSSL judges."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from broker import authority, issuing, phones
from broker.errors import IdentityError

NOW = dt.datetime.now(dt.UTC)


def judged(directory: Path, leaf: Path, host: str) -> str:
    """'' if OpenSSL trusts this certificate for the host, knowing only what a phone installs."""
    kind = "-verify_ip" if host.replace(".", "").isdigit() else "-verify_hostname"
    command = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(phones.ca_path(directory)),
    ]
    command += ["-untrusted", str(directory / "phones" / "pages.crt"), kind, host, str(leaf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def forged(directory: Path, hosts: list[str], folder: Path) -> Path:
    """What a thief of the key that stays on the server could sign."""
    below = directory / "phones"
    by = authority.opened(
        (below / "pages.key").read_bytes(), (below / "pages.crt").read_bytes(), None, "the key"
    )
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    path = folder / "forged.crt"
    until = NOW + dt.timedelta(days=30)
    path.write_bytes(issuing.pem(issuing.certificate(by, "forged", key, hosts, NOW, until)))
    return path


@pytest.mark.parametrize(
    ("names", "good", "bad"),
    [
        (["floorbell.local"], ["floorbell.local"], ["bank.example", "192.0.2.7", "local"]),
        (["192.0.2.7"], ["192.0.2.7"], ["bank.example", "192.0.2.8"]),
        (["shop.example", "192.0.2.7"], ["shop.example", "192.0.2.7"], ["example", "192.0.2.9"]),
    ],
)
def test_it_vouches_for_the_stores_names_and_for_no_other(
    tmp_path: Path, names: list[str], good: list[str], bad: list[str]
) -> None:
    assert phones.make(tmp_path, "shop", [*names, "localhost", "127.0.0.1"], NOW) == names
    for host in good:
        assert judged(tmp_path, tmp_path / "web" / "tls.crt", host) == ""
        assert judged(tmp_path, forged(tmp_path, [host], tmp_path), host) == ""
    for host in bad:
        assert "subtree violation" in judged(tmp_path, forged(tmp_path, [host], tmp_path), host)
        assert "subtree violation" in judged(tmp_path, forged(tmp_path, [*good, host], tmp_path), good[0])


def test_the_key_of_what_phones_install_is_kept_nowhere(tmp_path: Path) -> None:
    phones.make(tmp_path, "shop", ["floorbell.local"], NOW)
    top = (tmp_path / "phones" / "ca.crt").read_bytes()
    keys = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.key"))
    assert keys == [Path("phones/pages.key"), Path("web/tls.key")]
    for key in keys:
        with pytest.raises(IdentityError, match="is not the key of"):
            authority.opened((tmp_path / key).read_bytes(), top, None, str(key))
        assert (tmp_path / key).stat().st_mode & 0o777 == 0o600


def test_the_pages_get_a_new_certificate_after_two_thirds_of_its_time(tmp_path: Path) -> None:
    phones.make(tmp_path, "shop", ["floorbell.local"], NOW)
    assert not phones.keep(tmp_path, NOW + dt.timedelta(days=119))
    before = (tmp_path / "web" / "tls.crt").read_bytes()
    assert phones.keep(tmp_path, NOW + dt.timedelta(days=121))
    assert (tmp_path / "web" / "tls.crt").read_bytes() != before
    assert phones.names(tmp_path) == ["floorbell.local"]


def test_without_a_name_that_a_phone_can_open_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="needs a name or an address"):
        phones.make(tmp_path, "shop", ["localhost", "127.0.0.1"], NOW)
    with pytest.raises(IdentityError, match="make one with 'floorbell ca phones'"):
        phones.keep(tmp_path, NOW)
