"""A vault whose disk has no more room."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from edge.db.evidence_tables import clip
from edge.evidence import files
from tests.unit.edge.vault.conftest import VIDEO, Door, Film, film


def kept_as(door: Door, kind: str) -> None:
    with door.engine.begin() as conn:
        conn.execute(sa.update(clip).values(kept_as=kind))


def test_a_full_disk_keeps_what_is_left_for_security_requests_and_a_part_for_their_pages(
    door: Door, one: Film, monkeypatch: pytest.MonkeyPatch
):
    free = [1_000_000_000]
    monkeypatch.setattr(files.VaultFiles, "free_bytes", lambda _self: free[0])
    door.bring(one)
    kept_as(door, "routine")
    answer = door.send(one, 0)
    assert answer.status_code == 507 and "what is left is for security requests" in answer.text
    kept_as(door, "security")
    free[0] = 200_000_000
    answer = door.send(one, 0)
    assert answer.status_code == 507 and "what is left is for the requests themselves" in answer.text
    free[0] = 201_000_000
    assert door.send(one, 0).headers["Upload-Complete"] == "?1"


class FullDisk:
    """Refuses one kind of a file's way to the disk: the `call` of the module os or of Path."""

    def __init__(self, patch: pytest.MonkeyPatch, call: str) -> None:
        def refuses(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(f"edge.evidence.files.{call}", refuses)


@pytest.mark.parametrize("call", ["os.fsync", "Path.touch", "Path.mkdir", "Path.rename"])
def test_a_disk_that_is_full_at_any_step_refuses_in_a_sentence_and_seals_once_there_is_room(
    door: Door, one: Film, call: str, monkeypatch: pytest.MonkeyPatch
):
    door.bring(one)
    with monkeypatch.context() as patch:
        FullDisk(patch, call)
        for answer in (door.send(one, 0), door.manifest(one)):
            assert (answer.status_code, answer.text) == (
                507,
                "The vault's disk takes no more: No space left on device.\n",
            )
        assert door.clip(one).state == "announced" and door.rows("SELECT * FROM custody") == []
    door.restart()
    begin = int(door.manifest(one).headers["Upload-Offset"])
    if begin < len(VIDEO):
        assert door.send(one, begin).headers["Upload-Complete"] == "?1"
    clip = door.clip(one)
    stored = door.folder / "sealed" / clip.sha256[:2] / clip.sha256
    assert clip.state == "sealed" and stored.read_bytes() == VIDEO
    assert door.rows("SELECT count(*) FROM custody") == [(1,)]
    assert not list((door.folder / "quarantine").iterdir())


def test_bytes_whose_fsync_failed_are_not_believed_the_second_time(
    door: Door, one: Film, monkeypatch: pytest.MonkeyPatch
):
    door.bring(one)
    with monkeypatch.context() as patch:
        FullDisk(patch, "os.fsync")
        assert door.send(one, 0).status_code == 507
    assert door.offset(one).headers["Upload-Offset"] == "0"
    assert door.send(one, 0).headers["Upload-Complete"] == "?1"


def test_what_nobody_waits_for_leaves_quarantine_and_a_full_disk_costs_routine_clips_that_are_half_here(
    door: Door, cause: UUID
):
    arrivals = door.app.extensions["vault"].arrivals
    routine, security, over = (film(door.signer, VIDEO + b"%d" % n, cause) for n in range(3))
    for each in (routine, security, over):
        door.bring(each)
        door.send(each, 0, 100_000)
    with door.engine.begin() as conn:
        for each, values in ((routine, {"kept_as": "routine"}), (over, {"state": "purged"})):
            conn.execute(sa.update(clip).where(clip.c.id == str(each.id)).values(**values))
    here = door.folder / "quarantine"
    assert arrivals.tidy(False) == 1
    assert {path.name for path in here.iterdir()} == {str(routine.id), str(security.id)}
    assert arrivals.tidy(True) == 1
    assert {path.name for path in here.iterdir()} == {str(security.id)}
    # The kiosk that goes on where it was is told to begin again.
    assert door.send(routine, 100_000).status_code == 409
    assert door.manifest(routine).headers["Upload-Offset"] == "0"
    assert door.send(routine, 0).headers["Upload-Complete"] == "?1"
    assert door.send(security, 100_000).headers["Upload-Complete"] == "?1"
