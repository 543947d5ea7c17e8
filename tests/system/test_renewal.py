"""A device's certificate is renewed over real TLS by the vault, and the broker takes the new one only."""

import datetime as dt
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker import files, identity, issuing, renewals, revocation
from broker.authority import Authority
from broker.revocation import revoked_serials
from deploy.provision import add_device, writing
from edge.audit.store import Actor
from edge.devices.store import register
from edge.handling import revoking
from kiosk import renewing, replacing
from kiosk.errors import KioskError
from kiosk.renewing import Door, renew
from tests.rig import kiosk as kiosks
from tests.rig.store import STORE, Rig, listens, wait_for
from tests.system.test_revocation import Line

pytestmark = pytest.mark.system
_DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.make(tmp_path_factory.mktemp("renewal") / "shop", devices=())
    try:
        rig.start("vault")
        rig.start_broker_program()
        wait_for(lambda: listens(rig.config.vault.port), "The vault's start", 60)
        yield rig
    finally:
        rig.stop()


_names = itertools.count(1)


@pytest.fixture
def name(rig: Rig) -> str:
    """A kiosk that was let in now."""
    name = f"kiosk-{next(_names)}"
    add_device(rig.config, name, "shoes", None, now())
    return name


def folder_of(rig: Rig, name: str) -> Path:
    return rig.directory / "devices" / name


def door(rig: Rig, name: str, folder: Path | None = None) -> Door:
    return Door("127.0.0.1", rig.config.vault.port, name, folder or folder_of(rig, name))


def serial(folder: Path) -> str:
    return f"{x509.load_pem_x509_certificate((folder / 'tls.crt').read_bytes()).serial_number:x}"


def copy_of(folder: Path, to: Path) -> Path:
    to.mkdir()
    for name in ("ca.crt", "tls.crt", "tls.key", "sign.key"):
        shutil.copy(folder / name, to / name)
    return to


def give(rig: Rig, name: str, begins: dt.datetime, until: dt.datetime) -> None:
    """A certificate of the renewals' key with other dates, registered as the device's own."""
    folder = folder_of(rig, name)
    by = renewals.opened(rig.config.identity_path)
    assert by is not None
    key = load_pem_private_key((folder / "tls.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    wanted = identity.read_request(request(folder, name, key), name)
    pem, given = identity.issue(by, wanted, begins, until)
    (folder / "tls.crt").write_text(pem)
    with writing(rig.config) as conn:
        register(conn, STORE, name, "shoes", given, begins)


def request(folder: Path, name: str, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """By another key, if it is given none."""
    signing = load_pem_private_key((folder / "sign.key").read_bytes(), None)
    assert isinstance(signing, ed25519.Ed25519PrivateKey)
    return identity.request_of(name, key or ec.generate_private_key(ec.SECP256R1()), signing)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def doubts(rig: Rig, name: str) -> list[str]:
    query = "SELECT words FROM audit WHERE what = 'device.doubted' AND subject = :name"
    return [str(words) for (words,) in rig.read(query, name=name)]


def test_a_kiosk_renews_what_it_was_let_in_with_and_the_old_one_is_refused_everywhere(
    rig: Rig, name: str, tmp_path: Path
) -> None:
    folder = folder_of(rig, name)
    before, old = serial(folder), copy_of(folder, tmp_path / "old")
    assert renew(door(rig, name)) is True
    assert serial(folder) != before and not (folder / "next").exists()
    ends = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes()).not_valid_after_utc
    assert dt.timedelta(89) < ends - now() < dt.timedelta(91)
    assert renew(door(rig, name)) is False
    said = rig.read("SELECT words FROM audit WHERE what = 'device.renewed' AND subject = :name", name=name)
    assert said == [(f"{name} renewed its certificate, until {ends:%Y-%m-%d}.",)]
    line = Line(rig.config.broker.port, folder, f"{name}-new")
    assert line.let_in.wait(60)
    line.close()
    assert doubts(rig, name) == []
    with pytest.raises(KioskError, match="showed a certificate that was replaced on"):
        renew(door(rig, name, old))
    assert len(doubts(rig, name)) == 1
    # Its first certificate is the CA's; with the next one the list needs nobody's passphrase.
    begun = now() - dt.timedelta(days=62)
    give(rig, name, begun, begun + renewals.LASTING)
    copy = copy_of(folder, tmp_path / "second")
    assert renew(door(rig, name)) is True
    gone = serial(copy)
    wait_for(lambda: gone in crl(rig), "The list", 60)
    wait_for(lambda: not let_in(rig, copy), "The broker's refusal of the old one", 60)
    assert let_in(rig, folder)


def crl(rig: Rig) -> set[str]:
    return revoked_serials(rig.config.identity_path, renewals.FOLDER)


def let_in(rig: Rig, folder: Path) -> bool:
    line = Line(rig.config.broker.port, folder, "try")
    try:
        wait_for(lambda: line.let_in.is_set() or not line.ended.empty(), "An answer of the broker", 60)
        return line.let_in.is_set()
    finally:
        line.close()


def test_of_two_that_ask_with_one_certificate_the_second_is_refused_and_the_manager_told(
    rig: Rig, name: str, tmp_path: Path
) -> None:
    thief = copy_of(folder_of(rig, name), tmp_path / "thief")
    # The thief asked first, and has not shown what it got.
    renewing._ask(door(rig, name, thief), thief, "POST", "/identity/renewal", request(thief, name))
    with pytest.raises(KioskError, match="twice, with two keys: its identity may have been copied"):
        renew(door(rig, name))
    words = f"{name} asked for its next certificate twice, with two keys: its identity may have been copied."
    assert doubts(rig, name) == [words]
    found = rig.read("SELECT doubted_words FROM device WHERE name = :name", name=name)
    assert found == [(words,)]


def test_an_answer_that_was_lost_is_given_again(rig: Rig, name: str) -> None:
    folder = folder_of(rig, name)
    asked = renewing._request(door(rig, name))
    first = renewing._ask(door(rig, name), folder, "POST", "/identity/renewal", asked)
    # The power went before the answer was on the card; the key for it was there.
    assert renew(door(rig, name)) is True
    assert (folder / "tls.crt").read_text() == first["certificate"]
    assert doubts(rig, name) == []


@pytest.mark.parametrize("cut", ["asked", "answered", "seen", "half", "both"])
def test_a_power_cut_at_any_point_leaves_an_identity_that_works(rig: Rig, name: str, cut: str) -> None:
    folder, fresh = folder_of(rig, name), folder_of(rig, name) / "next"
    said = renewing._ask(
        door(rig, name), folder, "POST", "/identity/renewal", renewing._request(door(rig, name))
    )
    if cut != "asked":
        files.write(fresh / "tls.crt", said["certificate"].encode())
    if cut in ("seen", "half", "both"):
        renewing._look(door(rig, name), fresh)
        replacing.saw(folder)
    if cut in ("half", "both"):
        files.write(folder / "tls.key", (fresh / "tls.key").read_bytes(), secret=True)
    if cut == "both":
        files.write(folder / "tls.crt", (fresh / "tls.crt").read_bytes())
        (fresh / "tls.crt").unlink()
    # The kiosk's program begins so.
    replacing.settle(folder)
    renew(door(rig, name))
    assert (folder / "tls.crt").read_text() == said["certificate"]
    assert renewing._ask(door(rig, name), folder, "GET", "/identity")["due"] is False
    assert not fresh.exists() and doubts(rig, name) == []


def test_a_kiosk_that_was_off_for_its_certificates_whole_time_comes_back_by_itself_within_a_year(
    rig: Rig, name: str
) -> None:
    give(rig, name, now() - 200 * _DAY, now() - 110 * _DAY)
    assert not let_in(rig, folder_of(rig, name))
    assert renew(door(rig, name)) is True
    assert let_in(rig, folder_of(rig, name))


def test_after_more_than_a_year_it_is_let_in_by_a_new_code_only(rig: Rig, name: str) -> None:
    give(rig, name, now() - 500 * _DAY, now() - 366 * _DAY)
    with pytest.raises(KioskError, match=r"ended more than 365 days ago, on .*; it is let in again by"):
        renew(door(rig, name))


def test_a_certificate_that_a_restored_backup_does_not_know_is_the_devices_own_again(
    rig: Rig, name: str
) -> None:
    before = rig.read("SELECT certificate_serial FROM device WHERE name = :name", name=name)[0][0]
    assert renew(door(rig, name)) is True
    with writing(rig.config) as conn:
        for query in (
            "DELETE FROM certificate WHERE device = :name AND serial <> :serial",
            "UPDATE certificate SET revoked_at = NULL WHERE serial = :serial AND device = :name",
            "UPDATE device SET certificate_serial = :serial WHERE name = :name",
        ):
            conn.execute(sa.text(query), {"name": name, "serial": before})
    assert renew(door(rig, name)) is False
    now_known = rig.read("SELECT certificate_serial FROM device WHERE name = :name", name=name)[0][0]
    assert now_known == serial(folder_of(rig, name)) != before
    assert doubts(rig, name) == []


def test_a_revoked_certificate_does_not_count_again_after_a_restore(rig: Rig, name: str) -> None:
    before = rig.read("SELECT certificate_serial FROM device WHERE name = :name", name=name)[0][0]
    assert renew(door(rig, name)) is True
    by = renewals.opened(rig.config.identity_path)
    assert by is not None
    folder = renewals.FOLDER
    revocation.revoke(rig.config.identity_path, by, {serial(folder_of(rig, name))}, now(), of=folder)
    with writing(rig.config) as conn:
        conn.execute(
            sa.text("DELETE FROM certificate WHERE device = :name AND serial <> :serial"),
            {"name": name, "serial": before},
        )
        conn.execute(
            sa.text("UPDATE device SET certificate_serial = :serial WHERE name = :name"),
            {"name": name, "serial": before},
        )
    with pytest.raises(KioskError, match=f"The certificate that {name} shows is not known here"):
        renew(door(rig, name))


def test_a_certificate_is_not_renewed_before_two_thirds_of_its_time(rig: Rig, name: str) -> None:
    give(rig, name, now() - 58 * _DAY, now() + 32 * _DAY)
    assert renew(door(rig, name)) is False
    give(rig, name, now() - 62 * _DAY, now() + 28 * _DAY)
    assert renew(door(rig, name)) is True


def test_a_revoked_device_renews_nothing(rig: Rig, name: str) -> None:
    with writing(rig.config) as conn:
        revoking.revoke(conn, STORE, Actor("Mira", "desk"), name, "Stolen.", now())
    with pytest.raises(KioskError, match=f"{name} is revoked; nothing of it is taken"):
        renew(door(rig, name))


def test_no_device_renews_another_ones_certificate(rig: Rig, name: str) -> None:
    with pytest.raises(KioskError, match=f"The request is for 'kiosk-other', not for '{name}'"):
        renew(door(rig, "kiosk-other", folder_of(rig, name)))


def test_the_running_kiosk_goes_on_with_its_new_certificate(rig: Rig, name: str) -> None:
    folder = folder_of(rig, name)
    path = kiosks.configure(rig, name)
    path.write_text(path.read_text().replace("[outbox]", f"vault_port = {rig.config.vault.port}\n[outbox]"))
    command = [sys.executable, "-m", "kiosk", "renew", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "The certificate is renewed.\n", "")
    assert let_in(rig, folder)


def by_hand(
    by: Authority, key: ec.EllipticCurvePrivateKey, *subject: tuple[x509.ObjectIdentifier, str]
) -> bytes:
    """A client's certificate of a subject that Floorbell itself never writes."""
    name = x509.Name([x509.NameAttribute(kind, value) for kind, value in subject])
    whole = x509.CertificateBuilder(
        by.certificate.subject, name, key.public_key(), 5, now() - _DAY, now() + _DAY
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return issuing.pem(whole.add_extension(usage, False).sign(by.key, hashes.SHA256()))


def test_what_the_renewals_keys_constraints_hold_is_what_the_record_says(
    rig: Rig, name: str, tmp_path: Path
) -> None:
    by = renewals.opened(rig.config.identity_path)
    assert by is not None
    anchor = rig.config.identity_path / "renewals" / "ca.crt"
    key = ec.generate_private_key(ec.SECP256R1())

    def issued(name: str, *hosts: str) -> bytes:
        return issuing.pem(issuing.certificate(by, name, key.public_key(), list(hosts), now(), now() + _DAY))

    common, house, worker = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, "edge-worker"
    another = by_hand(by, key, (house, "x"), (common, worker))
    for made, purpose, good in (
        (issued("kiosk-9"), "sslclient", True),
        (issued("edge-worker"), "sslclient", False),
        (issued("Edge-Worker"), "sslclient", False),
        (issued("edge-web"), "sslclient", False),
        (issued("broker", "127.0.0.1"), "sslserver", False),
        (issued("kiosk-9", "shop.example"), "sslserver", False),
        (by_hand(by, key, (common, worker), (house, "x")), "sslclient", False),
        (another, "sslclient", True),
    ):
        (tmp_path / "made.crt").write_bytes(made)
        command = [
            "openssl",
            "verify",
            "-purpose",
            purpose,
            "-CAfile",
            str(anchor),
            str(tmp_path / "made.crt"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is good, (purpose, done.stderr, made.decode())
    thief = copy_of(folder_of(rig, name), tmp_path / "thief")
    files.write(thief / "tls.key", issuing.private_pem(key), secret=True)
    for made, good in ((issued("edge-worker"), False), (another, True)):
        files.write(thief / "tls.crt", made)
        assert let_in(rig, thief) is good
