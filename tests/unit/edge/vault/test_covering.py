"""The vault makes covered copies and what goes out to the asker, and nothing of others is in it."""

import errno
import os
import zipfile
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from broker.events import new_id
from edge.access_requests import shown, store
from edge.access_requests.shown import Shown
from edge.access_requests.store import New, Row
from edge.evidence.clips import Clip
from edge.evidence.files import VaultFiles
from edge.evidence.masks import Key, Masks, Mode, Track
from edge.handling import access_requests, covering
from edge.vault.covering import Covering
from tests.rig import film as video
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import Door, film
from tests.unit.edge.vault.test_keeping import MIRA

BOX = Masks(Mode.OTHERS, (Track((Key(0, 100, 100, 300, 300),)),))


@pytest.fixture
def maker(door: Door) -> Covering:
    return maker_of(door)


def maker_of(door: Door) -> Covering:
    vault = door.app.extensions["vault"]
    return Covering(STORE, vault.writer, vault._read, vault.files, door.clock)


@pytest.fixture
def clip(door: Door, cause: UUID) -> Clip:
    return brought(door, cause, video.fragmented(2, 640, 360))


def brought(door: Door, cause: UUID, content: bytes) -> Clip:
    one = film(door.signer, content, cause)
    door.bring(one)
    door.send(one, 0)
    return door.clip(one)


@pytest.fixture
def request_id(door: Door, clip: Clip) -> str:
    around = timedelta(minutes=5)
    new = New(
        str(new_id(1)), "desk", date(2026, 3, 2), "a@example.org", "Passport", "Red coat", "shoes",
        START - around, START + around,
    )  # fmt: skip
    with door.engine.begin() as conn:
        return access_requests.open_(conn, STORE, new, MIRA, door.clock())


def cover(door: Door, request: str, clip: Clip) -> None:
    with door.engine.begin() as conn:
        one = shown.of_request(conn, request)[clip.id]
        covering.mark(conn, STORE, request, clip.id, True, MIRA, door.clock(), silent=True)
        covering.save(conn, STORE, request, clip.id, BOX, one.revision, MIRA, door.clock(), silent=True)


def found(door: Door, request: str, clip: Clip) -> Shown:
    with door.engine.connect() as conn:
        return shown.of_request(conn, request)[clip.id]


def row(door: Door, request: str) -> Row:
    with door.engine.connect() as conn:
        return store.one(conn, STORE, request)


def answer(door: Door, request: str, clip: Clip) -> None:
    with door.engine.begin() as conn:
        revision = shown.of_request(conn, request)[clip.id].revision
        covering.watched(conn, STORE, request, clip.id, revision, MIRA, door.clock(), silent=True)
        access_requests.answer(conn, STORE, request, "footage", "", "Dear asker.", MIRA, None, door.clock())


def test_what_goes_out_is_the_letter_and_the_covered_copies_alone(
    door: Door, clip: Clip, request_id: str, maker: Covering
) -> None:
    files = VaultFiles(door.folder)
    cover(door, request_id, clip)
    maker.make()
    one = found(door, request_id, clip)
    assert (one.state, one.trouble) == ("made", None)
    answer(door, request_id, clip)
    maker.make()
    assert row(door, request_id).package == "ready"
    path = files.packed(UUID(request_id))
    assert row(door, request_id).package_bytes == path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert content.keys() == {"letter.txt", "video-1.mp4"}
    assert content["letter.txt"] == b"Dear asker.\n"
    master = files.sealed(clip.sha256).read_bytes()
    assert sha256(master).hexdigest() == clip.sha256 and content["video-1.mp4"] != master
    assert content["video-1.mp4"] == files.covered(UUID(one.copy or "")).read_bytes()
    # Nothing of the master's bytes, its signature or the manifest came along.
    for secret in (clip.sha256, clip.manifest_sha256, clip.signature, "Mira"):
        assert secret.encode() not in path.read_bytes()


def test_a_copy_that_cannot_be_made_says_why(
    door: Door, clip: Clip, cause: UUID, request_id: str, maker: Covering
) -> None:
    broken = brought(door, cause, os.urandom(1000))
    cover(door, request_id, broken)
    maker.make()
    one = found(door, request_id, broken)
    assert one.state == "failed" and (one.trouble or "").startswith("The video could not be copied: ")
    assert VaultFiles(door.folder).all_covered() == []


def test_a_disk_without_room_keeps_nothing_else_from_being_made(
    door: Door, clip: Clip, request_id: str, maker: Covering, monkeypatch: pytest.MonkeyPatch
) -> None:
    cover(door, request_id, clip)
    maker.make()
    answer(door, request_id, clip)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Covering, "_write", full)
        maker.make()
    assert row(door, request_id).package == "asked"
    maker.make()
    assert row(door, request_id).package == "ready"
    with door.engine.begin() as conn:
        access_requests.reopen(conn, STORE, request_id, "Again", MIRA, None, door.clock())
    cover(door, request_id, clip)
    with monkeypatch.context() as patch:
        patch.setattr(VaultFiles, "covering", full)
        maker.make()
    one = found(door, request_id, clip)
    assert (one.state, one.trouble) == ("failed", "It could not be written: No space left on device.")


def test_a_stop_leaves_it_and_the_next_start_makes_it(
    door: Door, clip: Clip, request_id: str, maker: Covering
) -> None:
    cover(door, request_id, clip)
    maker.stop()
    maker.make()
    assert found(door, request_id, clip).state == "asked"
    maker_of(door).make()
    assert found(door, request_id, clip).state == "made"


def test_other_boxes_make_another_copy_and_the_old_one_is_removed(
    door: Door, clip: Clip, request_id: str, maker: Covering
) -> None:
    files = VaultFiles(door.folder)
    cover(door, request_id, clip)
    maker.make()
    first = found(door, request_id, clip).copy
    cover(door, request_id, clip)
    second = found(door, request_id, clip).copy
    assert first != second
    left = door.folder / "covered" / f"{UUID(int=7)}.work"
    left.mkdir()
    maker.make()
    maker.remove_old()
    assert [path.name for path in files.all_covered()] == [f"{second}.mp4"]


def test_at_the_closing_everything_that_was_made_for_it_goes(
    door: Door, clip: Clip, request_id: str, maker: Covering
) -> None:
    cover(door, request_id, clip)
    maker.make()
    answer(door, request_id, clip)
    maker.make()
    maker.remove_old()
    assert len(VaultFiles(door.folder).all_covered()) == 2
    with door.engine.begin() as conn:
        access_requests.close(conn, STORE, request_id, MIRA, None, door.clock())
    maker.remove_old()
    assert VaultFiles(door.folder).all_covered() == []
    assert VaultFiles(door.folder).sealed(clip.sha256).exists()


def test_a_copy_that_is_gone_is_not_left_out_silently(
    door: Door, clip: Clip, request_id: str, maker: Covering
) -> None:
    cover(door, request_id, clip)
    maker.make()
    answer(door, request_id, clip)
    VaultFiles(door.folder).covered(UUID(found(door, request_id, clip).copy or "")).unlink()
    maker.make()
    one = row(door, request_id)
    assert one.package == "failed" and "not in the vault any more" in (one.trouble or "")
