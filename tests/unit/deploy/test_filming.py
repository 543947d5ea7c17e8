"""What the demo's cameras look at, and what is said where there can be none."""

import importlib.util
from pathlib import Path

import pytest

from deploy.demo import filming, shop
from deploy.errors import DeployError
from kiosk import config as configuration
from tests.rig import film


def of(kiosk: shop.Kiosk, source: str | None, folder: Path) -> configuration.Config:
    """The kiosk's configuration, as the kiosk itself reads it."""
    path = folder / "kiosk.toml"
    path.write_text(shop.kiosk_toml(kiosk, (8883, 8444), "identity", "http://127.0.0.1:8080", source))
    return configuration.load(path)


def test_two_kiosks_see_the_drawn_scene_and_nobody_is_filmed_at_the_fitting_rooms(tmp_path: Path) -> None:
    assert filming.choose(None, None).sources == {"kiosk-entrance": "scene", "kiosk-tills": "scene"}
    for kiosk in shop.KIOSKS:
        camera = of(kiosk, "scene" if kiosk.camera else None, tmp_path).camera
        assert (camera is not None) == kiosk.camera
        assert camera is None or (camera.pre_s, camera.post_s, camera.loop) == (5, 5, False)


def test_a_video_is_tried_and_then_shown_again_and_again(tmp_path: Path) -> None:
    path = film.write(tmp_path / 'the "tills" \\ 2.mp4', 1)
    sources = filming.choose(path, None).sources
    assert sources == {"kiosk-entrance": str(path), "kiosk-tills": str(path)}
    camera = of(shop.KIOSKS[1], str(path), tmp_path).camera
    assert camera is not None and (camera.source, camera.loop) == (str(path), True)


def test_what_is_no_video_is_one_sentence(tmp_path: Path) -> None:
    words = tmp_path / "words.mp4"
    words.write_text("no video")
    with pytest.raises(DeployError, match=r"words\.mp4 is no video that can be shown: "):
        filming.choose(words, None)
    with pytest.raises(DeployError, match=r"There is no video .*/absent\.mp4"):
        filming.choose(tmp_path / "absent.mp4", None)
    with pytest.raises(DeployError, match="is no video file"):
        filming.choose(tmp_path, None)
    with pytest.raises(DeployError, match="one of them"):
        filming.choose(words, 0)


def test_a_webcam_is_for_one_kiosk_and_the_other_keeps_the_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filming, "_DEVICES", tmp_path)
    with pytest.raises(DeployError, match=r"There is no webcam .*/video3; on this machine there is none"):
        filming.choose(None, 3)
    (tmp_path / "video3").symlink_to("/dev/null")
    assert filming.choose(None, 3).sources == {
        "kiosk-entrance": str(tmp_path / "video3"),
        "kiosk-tills": "scene",
    }


def test_without_what_cameras_need_there_are_none_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "av" else find(name))
    chosen = filming.choose(None, None)
    assert chosen.sources == {} and chosen.why.startswith("The cameras are left out: av is not installed")
    with pytest.raises(DeployError, match="There can be no camera: av is not installed"):
        filming.choose(None, 0)
