"""What is held stays; what is over goes, log first and files after; two people release."""

import os
from datetime import timedelta
from threading import Event
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from edge.audit.store import Actor
from edge.errors import EdgeError, NotFound, Refused
from edge.evidence import heads, holds
from edge.evidence.clips import Clip
from edge.evidence.files import VaultFiles
from edge.handling import keeping
from edge.retention import Retention
from edge.vault.bundles import Bundles
from edge.vault.covering import Covering
from edge.vault.keeping import Keeping
from tests.rig.footage import STORE_KEY
from tests.unit.edge.conftest import STORE
from tests.unit.edge.vault.conftest import Door, film

MIRA, SOFIA = Actor("Mira", "desk", "mira-id"), Actor("Sofia", "desk", "sofia-id")


@pytest.fixture
def clip(door: Door, cause: UUID) -> Clip:
    one = film(door.signer, os.urandom(20_000), cause)
    door.bring(one)
    door.send(one, 0)
    return door.clip(one)


@pytest.fixture
def caretaker(door: Door) -> Keeping:
    vault = door.app.extensions["vault"]
    signer = Signer(Ed25519PrivateKey.generate())
    bundles = Bundles(STORE, "Shop", signer, vault.writer, vault._read, vault.files, door.clock, lambda: None)
    retention = Retention(free_gb=0)
    return Keeping(
        STORE,
        signer,
        vault.writer,
        vault.files,
        retention,
        door.clock,
        lambda: None,
        bundles,
        Covering(STORE, vault.writer, vault._read, vault.files, door.clock),
        vault.arrivals.tidy,
    )


def actions(door: Door) -> list[object]:
    return [row[0] for row in door.rows("SELECT action FROM custody ORDER BY place")]


def stored(door: Door, clip: Clip) -> bool:
    files = VaultFiles(door.folder)
    return files.sealed(clip.sha256).exists() or files.sealed(clip.manifest_sha256).exists()


def test_a_clip_goes_when_its_time_is_over_and_leaves_a_tombstone(door: Door, clip: Clip, caretaker: Keeping):
    caretaker.turn()
    assert stored(door, clip)
    door.clock.now += timedelta(days=90, seconds=1)
    caretaker.turn()
    assert not stored(door, clip)
    assert door.rows("SELECT state FROM clip") == [("purged",)]
    assert actions(door) == ["sealed", "purged"]
    with door.engine.begin() as conn:
        head = heads.newest(conn, STORE)
    assert head is not None and head.size == 2


def test_heads_are_signed_while_a_bundle_takes_its_time(
    door: Door, clip: Clip, monkeypatch: pytest.MonkeyPatch
):
    vault, signer, signed, busy = door.app.extensions["vault"], STORE_KEY, Event(), Event()

    class Slow(Bundles):
        def make(self) -> None:
            busy.set()
            self._stop.wait(60)

    monkeypatch.setattr("edge.vault.keeping.EVERY_S", 0.01)
    monkeypatch.setattr("edge.vault.keeping.BUNDLES_EVERY_S", 0.01)
    bundles = Slow(STORE, "Shop", signer, vault.writer, vault._read, vault.files, door.clock, lambda: None)
    retention = Retention(free_gb=0)
    both = STORE, signer, vault.writer, vault.files, retention, door.clock, signed.set, bundles
    covering = Covering(STORE, vault.writer, vault._read, vault.files, door.clock)
    caretaker = Keeping(*both, covering, lambda full: 0)
    caretaker.start()
    try:
        assert busy.wait(30)
        signed.clear()
        with door.engine.begin() as conn:
            keeping.view(conn, STORE, clip.id, MIRA, "Look.", door.clock(), silent=True)
        assert signed.wait(30)
    finally:
        caretaker.stop(30)


def test_what_is_held_stays_until_two_people_release_it(door: Door, clip: Clip, caretaker: Keeping):
    with door.engine.begin() as conn:
        hold = keeping.place_hold(conn, STORE, clip.id, MIRA, "Police case 12.", door.clock(), silent=True)
    door.clock.now += timedelta(days=400)
    caretaker.turn()
    assert stored(door, clip)
    with door.engine.begin() as conn, pytest.raises(Refused, match="Nobody has asked"):
        keeping.release(conn, STORE, hold, SOFIA, door.clock(), silent=True)
    with door.engine.begin() as conn:
        keeping.ask_release(conn, STORE, hold, MIRA, "The case is closed.", door.clock(), silent=True)
    with door.engine.begin() as conn, pytest.raises(Refused, match="another person must agree"):
        keeping.release(conn, STORE, hold, MIRA, door.clock(), silent=True)
    caretaker.turn()
    assert stored(door, clip)
    with door.engine.begin() as conn:
        keeping.release(conn, STORE, hold, SOFIA, door.clock(), silent=True)
        (kept,) = holds.of_clip(conn, STORE, clip.id)
    assert (kept.asked_by, kept.released_by) == ("mira-id", "sofia-id")
    with door.engine.begin() as conn, pytest.raises(Refused, match="already"):
        keeping.release(conn, STORE, hold, SOFIA, door.clock(), silent=True)
    caretaker.turn()
    assert not stored(door, clip)
    assert actions(door) == ["sealed", "held", "release_asked", "released", "purged"]


def test_what_was_purged_cannot_be_held_or_looked_at(door: Door, clip: Clip, caretaker: Keeping):
    door.clock.now += timedelta(days=91)
    caretaker.turn()
    with door.engine.begin() as conn:
        with pytest.raises(Refused, match="deleted when its time was over"):
            keeping.place_hold(conn, STORE, clip.id, MIRA, "Too late.", door.clock(), silent=True)
        with pytest.raises(Refused, match="is purged"):
            keeping.view(conn, STORE, clip.id, MIRA, "Look.", door.clock(), silent=True)


def test_a_kill_between_the_log_and_the_files_is_made_good_at_the_next_start(
    door: Door, clip: Clip, caretaker: Keeping
):
    door.clock.now += timedelta(days=91)
    with door.engine.begin() as conn:
        keeping.purge_due(conn, STORE, Retention(), door.clock())
    assert stored(door, clip)
    caretaker.finish_purges()
    assert not stored(door, clip)


def test_the_same_bytes_sealed_under_another_clip_are_not_deleted_with_the_first(
    door: Door, clip: Clip, caretaker: Keeping, cause: UUID
):
    video = VaultFiles(door.folder).sealed(clip.sha256).read_bytes()
    twin = film(door.signer, video, cause)
    door.clock.now += timedelta(days=60)
    door.bring(twin)
    assert door.send(twin, 0).headers["Upload-Complete"] == "?1"
    door.clock.now += timedelta(days=31)
    caretaker.turn()
    assert door.rows("SELECT state FROM clip ORDER BY sealed_at") == [("purged",), ("sealed",)]
    assert VaultFiles(door.folder).sealed(clip.sha256).read_bytes() == video


def test_a_full_disk_takes_routine_clips_and_never_those_of_security(door: Door, clip: Clip, cause: UUID):
    routine = film(door.signer, os.urandom(9_000), cause)
    door.bring(routine)
    door.send(routine, 0)
    with door.engine.begin() as conn:
        conn.exec_driver_sql(f"UPDATE clip SET kept_as = 'routine' WHERE id = '{routine.id}'")
        purged = keeping.purge_for_room(conn, STORE, Retention(), 10**12, door.clock())
    assert [one.id for one in purged] == [str(routine.id)]


def test_a_look_is_written_down_and_a_silent_clip_is_nobodys_without_the_right(door: Door, clip: Clip):
    with door.engine.begin() as conn:
        with pytest.raises(NotFound):
            keeping.view(conn, STORE, clip.id, MIRA, "Look.", door.clock(), silent=False)
        keeping.view(conn, STORE, clip.id, MIRA, "Look.", door.clock(), silent=True)
    assert door.rows("SELECT action, actor, reason FROM custody WHERE place = 1") == [
        ("viewed", "Mira", "Look. (desk)")
    ]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_hold_needs_a_reason(door: Door, clip: Clip, reason: str):
    with door.engine.begin() as conn, pytest.raises(EdgeError, match="1 to 500 are allowed"):
        keeping.place_hold(conn, STORE, clip.id, MIRA, reason, door.clock(), silent=True)
    assert door.rows("SELECT count(*) FROM hold") == [(0,)]
