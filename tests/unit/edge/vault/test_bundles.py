"""The vault makes what the desk asks for, says why where it cannot, and clears up after a week."""

import os
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from broker.witness import HeadKept, kept_to_sign
from edge.audit.store import Actor
from edge.evidence import custody, exports, heads, report
from edge.evidence.clips import Clip
from edge.evidence.exports import Export
from edge.evidence.files import VaultFiles
from edge.evidence.verify import Known, Verdict, verify
from edge.handling import exporting, keeping
from edge.vault.bundles import Bundles
from tests.rig.footage import STORE_KEY
from tests.unit.edge.conftest import STORE
from tests.unit.edge.vault.conftest import Door, film
from tests.unit.edge.vault.test_keeping import MIRA


@pytest.fixture
def clip(door: Door, cause: UUID) -> Clip:
    one = film(door.signer, os.urandom(20_000), cause)
    door.bring(one)
    door.send(one, 0)
    return door.clip(one)


@pytest.fixture
def maker(door: Door) -> Bundles:
    vault = door.app.extensions["vault"]
    return Bundles(
        STORE, "Botiga Žabica", STORE_KEY, vault.writer, vault._read, vault.files, door.clock, lambda: None
    )


def ask(door: Door, clip: Clip) -> str:
    with door.engine.begin() as conn:
        return exporting.ask(conn, STORE, [clip.id], MIRA, "Case 12", door.clock(), silent=True)


def found(door: Door, export: str) -> Export:
    with door.engine.connect() as conn:
        one = exports.find(conn, STORE, export)
    assert one is not None
    return one


def test_a_bundle_has_the_keys_of_every_witness_beside_it(door: Door, clip: Clip, maker: Bundles) -> None:
    with door.engine.begin() as conn:
        head = heads.sign_newest(conn, STORE, STORE_KEY, door.clock())
        assert head is not None
        message = kept_to_sign(STORE, "kiosk-2", head.log, head.size, head.root, 5)
        other = Signer(Ed25519PrivateKey.generate())
        kept = HeadKept(head.log, head.size, head.root, 5, other.sign(message))
        heads.keep(conn, STORE, "kiosk-2", kept, other.key, door.clock())
    export = ask(door, clip)
    maker.make()
    one = found(door, export)
    assert one.state == "ready" and set(one.keys) == {STORE_KEY.key, door.signer.key, other.key}
    path = VaultFiles(door.folder).exported(UUID(export))
    assert one.bytes == path.stat().st_size
    (finding,) = verify(path, Known(frozenset(one.keys)))
    assert finding.verdict is Verdict.OK


@pytest.mark.parametrize("fonts", ["/usr/share/fonts/truetype/dejavu", "/nowhere"])
def test_the_report_tells_what_is_known_also_without_fonts_and_when_a_name_was_erased(
    door: Door, clip: Clip, maker: Bundles, monkeypatch: pytest.MonkeyPatch, fonts: str
) -> None:
    monkeypatch.setattr(report, "_FONTS", Path(fonts))
    with door.engine.begin() as conn:
        who = Actor("Žarko 中", "desk", "zarko-id")
        reason = "L'ha demanat la policía; " * 15
        keeping.view(conn, STORE, clip.id, who, reason, door.clock(), silent=True)
        keeping.view(conn, STORE, clip.id, Actor("Ana", "desk"), "To see\x07", door.clock(), silent=True)
        custody.erase_actor(conn, STORE, "Ana")
    export = ask(door, clip)
    maker.make()
    one = found(door, export)
    assert one.state == "ready", one.trouble
    path = VaultFiles(door.folder).exported(UUID(export))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("report.pdf").startswith(b"%PDF-")
    (finding,) = verify(path, Known(frozenset(one.keys), [(one.head_size or 0, one.head_root or "")]))
    assert finding.verdict is Verdict.OK


def test_one_that_cannot_be_made_says_why_and_the_next_one_is_made(
    door: Door, clip: Clip, cause: UUID, maker: Bundles
) -> None:
    broken = ask(door, clip)
    VaultFiles(door.folder).delete(clip.sha256)
    door.clock.now += timedelta(seconds=1)
    other = film(door.signer, os.urandom(1000), cause)
    door.bring(other)
    door.send(other, 0)
    good = ask(door, door.clip(other))
    maker.make()
    failed = found(door, broken)
    assert failed.state == "failed" and "cannot be read" in (failed.trouble or "")
    assert found(door, good).state == "ready"
    maker.remove_old()
    assert [path.name for path in VaultFiles(door.folder).all_exported()] == [f"{good}.zip"]


def test_one_that_a_kill_interrupted_is_made_again(door: Door, clip: Clip, maker: Bundles) -> None:
    export = ask(door, clip)
    path = VaultFiles(door.folder).exported(UUID(export))
    path.with_name(f"{path.name}.half").write_bytes(b"PK half")
    maker.remove_old()
    maker.make()
    assert found(door, export).state == "ready"
    assert [one.name for one in VaultFiles(door.folder).all_exported()] == [path.name]


def test_a_bundle_goes_after_a_week_and_what_it_was_stays_written(
    door: Door, clip: Clip, maker: Bundles
) -> None:
    export = ask(door, clip)
    maker.make()
    door.clock.now += timedelta(days=7) - timedelta(seconds=1)
    maker.remove_old()
    assert VaultFiles(door.folder).exported(UUID(export)).exists()
    door.clock.now += timedelta(seconds=1)
    maker.remove_old()
    assert not VaultFiles(door.folder).exported(UUID(export)).exists()
    assert found(door, export).state == "removed"
    assert door.rows("SELECT count(*) FROM custody WHERE action = 'exported'") == [(2,)]
