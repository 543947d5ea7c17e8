"""A camera's program that ends in the middle of a clip, wherever that is."""

import os
import shutil
from pathlib import Path

import pytest

from kiosk.camera.clips import Clips
from kiosk.camera.recording import recover
from tests.rig.camera import SIGNER, Trial
from tests.unit.kiosk.camera.recorded import frames_of, halfway, manifest_of


def test_a_kill_at_any_byte_leaves_one_clip_with_all_that_was_whole(tmp_path: Path) -> None:
    _, part = halfway(tmp_path)
    video, journal = (part / "video.mp4").read_bytes(), (part / "journal").read_bytes()
    seen = set()
    for number, (name, whole) in enumerate((("video.mp4", video), ("journal", journal)) * 30):
        cut = len(whole) * number // 60
        left = Clips(tmp_path / f"left-{number}")
        folder = left.directory / part.name
        shutil.copytree(part, folder)
        os.truncate(folder / name, cut)
        made = recover(left, folder, SIGNER)
        assert left.parts() == []
        if made is None:
            assert left.all() == [] and cut < len(whole) / 3
            continue
        (clip,) = left.all()
        manifest = manifest_of(clip)
        assert manifest.interrupted and manifest.footage.bytes <= len(video)
        assert len(frames_of(clip)) == len(manifest.footage.frames)
        seen.add((made.event, made.content.clip))
    assert len(seen) == 1


def test_a_torn_block_in_the_video_ends_the_clip_before_it(tmp_path: Path) -> None:
    trial, part = halfway(tmp_path)
    video = bytearray((part / "video.mp4").read_bytes())
    video[len(video) * 2 // 3] ^= 1
    (part / "video.mp4").write_bytes(video)
    assert recover(trial.clips, part, SIGNER) is not None
    assert 10 < len(frames_of(trial.only())) < 75


def test_a_kill_between_the_last_byte_and_the_rename_is_no_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, _ = halfway(tmp_path)
    monkeypatch.setattr(trial.clips, "finish", lambda folder: folder)
    trial.pass_s(3)
    assert trial.clips.all() == []
    again = Trial(trial.clips.directory)
    assert not manifest_of(again.only()).interrupted
    assert again.came == trial.came


def test_after_a_kill_the_rest_of_what_is_wanted_is_a_clip_of_its_own(tmp_path: Path) -> None:
    trial, _ = halfway(tmp_path)
    cause = next(iter(trial.recorder._open)).window.causes[0]
    again = Trial(trial.clips.directory, start=1100)
    assert [made.interrupted for made in again.came] == [True]
    again.pass_s(0.5)
    again.press(cause=cause, ago_s=2.5)
    again.pass_s(4)
    first, second = (manifest_of(clip) for clip in again.clips.all())
    assert first.interrupted and not second.interrupted and first.causes == second.causes
    assert "later than wanted" in second.notes[0]
    again.press(cause=cause, ago_s=7)
    again.pass_s(10)
    assert len(again.clips.all()) == 2


def test_the_end_of_the_program_closes_what_it_writes(tmp_path: Path) -> None:
    trial, _ = halfway(tmp_path)
    trial.recorder.end(trial.now_s)
    assert manifest_of(trial.only()).interrupted and len(frames_of(trial.only())) >= 70
