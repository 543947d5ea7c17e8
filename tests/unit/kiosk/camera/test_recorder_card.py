"""What a card has room for, and what goes when it has none."""

from pathlib import Path

import pytest

from kiosk.camera.clips import Clips
from kiosk.camera.window import Kind
from tests.rig.camera import Trial
from tests.unit.kiosk.camera.recorded import frames_of, halfway, manifest_of


def test_a_full_card_costs_the_oldest_clips_of_no_security_request(tmp_path: Path) -> None:
    kinds: list[Kind] = ["help", "security", "help", "capture", "help", "help"]
    trial = Trial(tmp_path / "clips")
    causes = []
    for kind in kinds:
        trial.pass_s(6)
        causes.append(trial.press(kind))
        trial.pass_s(5)
    held = sum(clip.bytes for clip in trial.clips.all())
    full = Trial(trial.clips.directory, start=2000, clips=held + 1_000_000)
    full.pass_s(12)
    full.press("help")
    full.pass_s(5)
    kept = [cause for clip in full.clips.all() for cause in manifest_of(clip).causes]
    assert kept[:-1] == causes[1:]
    assert "1 clip of no security request went" in " ".join(full.recorder.faults(full.now_s))
    tight = Trial(trial.clips.directory, start=3000, clips=1_000_000)
    tight.pass_s(6)
    tight.press("help")
    tight.pass_s(5)
    kept = [cause for clip in tight.clips.all() for cause in manifest_of(clip).causes]
    assert kept == [causes[1], causes[3]]
    tight.press("security")
    tight.pass_s(5)
    assert len(tight.clips.all()) == 3
    floor = Trial(trial.clips.directory, start=4000, floor=1 << 60)
    floor.pass_s(6)
    floor.press("security")
    floor.pass_s(5)
    assert len(floor.clips.all()) == 3
    assert any("card is full" in fault for fault in floor.recorder.faults(floor.now_s))


def test_a_clip_that_leaves_a_full_card_before_the_store_has_it_is_told_of(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    trial.pass_s(6)
    cause = trial.press("help")
    trial.pass_s(5)
    gone = trial.only()
    tight = Trial(trial.clips.directory, start=2000, clips=1_000_000)
    tight.pass_s(6)
    refused = tight.press("help")
    tight.pass_s(5)
    assert tight.clips.all() == []
    assert tight.lost == [("full", gone.id, cause), ("full", None, refused)]


def test_what_the_store_has_goes_first_and_nobody_is_told_of_a_loss(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    for kind in ("help", "security"):
        trial.pass_s(6)
        trial.press(kind)
        trial.pass_s(5)
    help_, security = trial.clips.all()
    trial.clips.seal(security)
    full = Trial(trial.clips.directory, start=2000, clips=help_.bytes + security.bytes + 1_000_000)
    full.pass_s(12)
    full.press("help")
    full.pass_s(5)
    assert full.clips.all()[0].id == help_.id and full.clips.find(security.id) is None
    assert full.recorder.faults(full.now_s) == []


def test_what_the_clips_take_is_counted_on_and_not_looked_up_for_each_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(tmp_path / "clips")
    assert trial.clips.held_bytes() == 0
    with monkeypatch.context() as unseen:
        unseen.delattr(Clips, "all")
        for _ in range(2):
            trial.pass_s(6)
            trial.press()
            trial.pass_s(5)
    first, second = trial.clips.all()
    assert trial.clips.held_bytes() == pytest.approx(first.bytes + second.bytes, abs=10)
    trial.clips.delete(first.id)
    assert trial.clips.held_bytes() == pytest.approx(second.bytes, abs=10)


def test_a_disk_that_takes_no_more_leaves_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, _ = halfway(tmp_path)

    def full(number: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("kiosk.camera.recording.os.write", full)
        trial.pass_s(1)
        assert "No space left" in trial.recorder.faults(trial.now_s)[0]
    trial.pass_s(40)
    manifest = manifest_of(trial.only())
    assert manifest.interrupted and len(frames_of(trial.only())) > 60
