"""The vault makes what the desk asks for, says why where it cannot, and clears up after a week."""

import json
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
from edge.evidence import custody, exports, heads, paper
from edge.evidence.clips import Clip
from edge.evidence.exports import Export
from edge.evidence.files import VaultFiles
from edge.evidence.findings import Known, Verdict
from edge.evidence.verify import verify
from edge.handling import exporting, keeping
from edge.vault.bundles import Bundles
from tests.rig import film as video
from tests.rig import second_verifier
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
    return maker_of(door)


def maker_of(door: Door) -> Bundles:
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
    monkeypatch.setattr(paper, "_FONTS", Path(fonts))
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


@pytest.fixture
def played(door: Door, cause: UUID) -> Clip:
    """A clip that can be played."""
    one = film(door.signer, video.fragmented(2, 640, 360), cause)
    door.bring(one)
    door.send(one, 0)
    return door.clip(one)


def in_bundle(door: Door, export: str) -> dict[str, bytes]:
    one = found(door, export)
    assert one.state == "ready", one.trouble
    path = VaultFiles(door.folder).exported(UUID(export))
    (finding,) = verify(path, Known(frozenset(one.keys), [(one.head_size or 0, one.head_root or "")]))
    assert finding.verdict is Verdict.OK
    assert second_verifier.verify(path, set(one.keys), [(one.head_size, one.head_root)]) == {"ok"}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_has_a_copy_to_play_beside_the_master_and_pictures_in_the_report(
    door: Door, played: Clip, maker: Bundles
) -> None:
    export = ask(door, played)
    maker.make()
    content = in_bundle(door, export)
    folder = f"clips/{played.id}"
    assert content[f"{folder}/video.mp4"] == VaultFiles(door.folder).sealed(played.sha256).read_bytes()
    assert b"moov" in content[f"{folder}/working.mp4"][:64]
    assert content[f"{folder}/thumbnails/01.jpg"][:2] == b"\xff\xd8"
    assert content["report.pdf"].count(b"/Subtype /Image") == content["report.pdf"].count(b"/DCTDecode") == 1
    assert not list(door.folder.glob("exports/*.work"))


def test_a_clip_that_cannot_be_played_is_exported_with_a_sentence(
    door: Door, clip: Clip, played: Clip, maker: Bundles
) -> None:
    with door.engine.begin() as conn:
        wanted = [clip.id, played.id]
        export = exporting.ask(conn, STORE, wanted, MIRA, "Case 12", door.clock(), silent=True)
    maker.make()
    content = in_bundle(door, export)
    assert f"clips/{clip.id}/video.mp4" in content and f"clips/{clip.id}/working.mp4" not in content
    assert f"clips/{played.id}/working.mp4" in content
    said = {one["clip"]: one.get("trouble") for one in json.loads(content["bundle.json"])["clips"]}
    assert (said[clip.id] or "").startswith("The video could not be copied: ") and said[played.id] is None


def test_a_restart_while_a_copy_is_made_makes_it_again_and_whole(
    door: Door, played: Clip, maker: Bundles
) -> None:
    export = ask(door, played)
    maker.stop()
    maker.make()
    assert found(door, export).state == "asked"
    assert VaultFiles(door.folder).all_exported() == []
    # What a kill leaves, which has no time to clear up.
    half = door.folder / "exports" / f"{export}.work" / played.id
    half.mkdir(parents=True)
    (half / "working.mp4").write_bytes(b"half")
    (half / "99.jpg").write_bytes(b"old")
    maker_of(door).remove_old()
    maker_of(door).make()
    content = in_bundle(door, export)
    assert len(content[f"clips/{played.id}/working.mp4"]) > 4
    assert f"clips/{played.id}/thumbnails/99.jpg" not in content
    assert [path.name for path in VaultFiles(door.folder).all_exported()] == [f"{export}.zip"]


def test_what_was_left_of_an_export_that_failed_is_cleared_away(door: Door, maker: Bundles) -> None:
    left = door.folder / "exports" / f"{UUID(int=7)}.work" / "x"
    left.mkdir(parents=True)
    maker.remove_old()
    assert VaultFiles(door.folder).all_exported() == []


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
