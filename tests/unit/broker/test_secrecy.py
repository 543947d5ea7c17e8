"""Whoever else may read a secret, no program starts with it, and one sentence says what to do."""

import datetime as dt
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from broker import mosquitto, phones, secrecy
from broker.errors import IdentityError
from broker.signing import load_signer
from broker.tls import Credentials, tls_context
from edge.backup.recovery import sealer
from edge.config import EdgeConfig, Web
from edge.errors import EdgeError
from edge.pushing import keys
from edge.tls import Listening
from edge.web.secret import secret_key

FILE = stat.S_IFREG
NOW = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602, 0o601])
def test_a_file_that_others_may_open_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tls.key"
    path.write_text("secret")
    path.chmod(mode)
    with pytest.raises(IdentityError) as refused:
        secrecy.check(path)
    words = str(refused.value)
    assert words == (
        f"{path} holds a secret and others may read or change it (mode {mode:04o}); run: chmod 600 {path}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owners_alone_is_taken_and_one_that_is_not_there_is_left_to_its_reader(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "tls.key"
    secrecy.check(path)
    path.write_text("secret")
    path.chmod(mode)
    secrecy.check(path)


def test_somebody_elses_file_is_no_secret_of_ours() -> None:
    assert secrecy.fault(FILE | 0o600, owner=1000, user=1001) is not None
    assert secrecy.fault(FILE | 0o600, owner=1001, user=1001) is None
    assert secrecy.fault(FILE | 0o600, owner=0, user=1001) is None
    assert secrecy.fault(FILE | 0o600, owner=1000, user=0) is None
    assert secrecy.fault(stat.S_IFDIR | 0o700, owner=0, user=0) is not None


def pages(folder: Path) -> Listening:
    web = Web(tls="files", certificate="tls.crt", key="web/tls.key")
    return Listening(EdgeConfig("shop", "Shop", web=web, directory=str(folder)))


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a device's and a program's TLS key": (
        "tls.key",
        lambda folder: tls_context(Credentials.in_directory(folder), check_time=False),
    ),
    "a signing key": ("sign.key", lambda folder: load_signer(folder / "sign.key")),
    "the broker's key": (
        "broker/tls.key",
        lambda folder: mosquitto.write(mosquitto.Settings("shop", folder)),
    ),
    "the pages' TLS key, the store's or a shop's own": ("web/tls.key", pages),
    "the key that signs the pages' certificates": (
        "phones/pages.key",
        lambda folder: phones.keep(folder, NOW),
    ),
    "the pages' key": ("web.secret", secret_key),
    "the second factors' key": ("second-factor.key", lambda folder: secret_key(folder, "second-factor.key")),
    "the pushes' key": ("push.key", keys.private_key),
    "the backups' key": ("backup/sign.key", sealer),
}


@pytest.mark.parametrize("what", READERS)
def test_no_program_starts_with_a_secret_that_others_may_read(tmp_path: Path, what: str) -> None:
    name, read = READERS[what]
    for path in ("ca.crt", "tls.crt", "backup/recipient", name):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
        (tmp_path / path).chmod(0o644)
    with pytest.raises((IdentityError, EdgeError), match=f"{name} holds a secret and others may read"):
        read(tmp_path)
