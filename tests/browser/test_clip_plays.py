"""A clip as the camera leaves it, in Chromium: one that ended well, and one that a kill cut off."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from kiosk.camera.recording import recover
from tests.rig import film
from tests.rig.camera import SIGNER, Trial

pytestmark = pytest.mark.browser


def played(page: Page, video: Path) -> dict[str, Any]:
    """Seek near the end of the clip, play to it, and say what the browser made of it."""
    shutil.copy(video, video.parent / "clip.mp4")
    (video.parent / "page.html").write_text('<!doctype html><video src="clip.mp4" muted></video>')
    page.goto((video.parent / "page.html").as_uri())
    return page.evaluate(
        """async () => {
            const video = document.querySelector('video');
            const happened = (name) => new Promise((done, fail) => {
                video.addEventListener(name, done, {once: true});
                video.addEventListener('error', () => fail(video.error.message), {once: true});
            });
            if (video.readyState < 1) await happened('loadedmetadata');
            const duration = video.duration;
            video.currentTime = duration - 1.5;
            await happened('seeked');
            video.play();
            await happened('ended');
            const frames = video.getVideoPlaybackQuality().totalVideoFrames;
            return {duration, ended: video.currentTime, width: video.videoWidth, frames};
        }"""
    )


def test_a_clip_plays_has_its_length_and_can_be_searched(page: Page, tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    trial.packets = film.running(trial.now_s, b_frames=2, width=320, height=240)
    trial.next = next(trial.packets)
    trial.pass_s(10)
    trial.press()
    trial.pass_s(5)
    seen = played(page, trial.only().video)
    assert seen["duration"] == pytest.approx(9.5, abs=0.6) and seen["width"] == 320
    assert seen["ended"] == pytest.approx(seen["duration"], abs=0.2) and seen["frames"] > 5


def test_what_a_kill_left_plays_too(page: Page, tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    trial.pass_s(10)
    trial.press()
    trial.pass_s(3)
    (part,) = trial.clips.parts()
    os.truncate(part / "video.mp4", (part / "video.mp4").stat().st_size - 100)
    assert recover(trial.clips, part, SIGNER) is not None
    seen = played(page, trial.only().video)
    assert seen["duration"] == pytest.approx(8, abs=1.2) and seen["frames"] > 5
