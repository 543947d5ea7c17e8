"""What is seen in small pictures, on ones that are drawn; tests/bench/watching.py does it on real people."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.camera.seen import SENTENCES, Seen
from kiosk.camera.watch import LEFT_S, WARM_LOOKS, Lookout

WIDTH, HEIGHT = 160, 90
Picture = np.ndarray[Any, Any]
_ROWS, _COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH]
SHOP = 110 + 35 * np.sign(np.sin(_COLUMNS / 4)) + 20 * np.sign(np.sin(_ROWS / 3)) - 10 * _COLUMNS / WIDTH


class Camera:
    """A lookout that has learned a shop, and a sensor with noise; its clock is the test's."""

    def __init__(self, noise: float = 1.0, every_s: float = 1.0, seed: int = 1) -> None:
        self.lookout = Lookout()
        self.now_s = 1000.0
        self._rng = np.random.default_rng(seed)
        self._noise = noise
        self._every_s = every_s
        self.seen = self.shows(SHOP, 16 * every_s)[-1]

    def shows(self, what: Picture, seconds: float = 0.0) -> list[Seen]:
        """What is seen while the same thing is before the lens; once if `seconds` is 0."""
        seen = []
        for _ in range(max(1, round(seconds / self._every_s))):
            grain = self._rng.normal(0, self._noise, what.shape)
            self.now_s += self._every_s
            seen.append(self.lookout.looked(np.clip(what + grain, 0, 255).astype(np.uint8), self.now_s))
        self.seen = seen[-1]
        return seen


def somebody(x: int, sway: int = 0) -> Picture:
    """The shop with somebody in it, 12 by 40 pixels, with another pattern."""
    picture = SHOP.copy()
    left = x + sway
    picture[40:80, left : left + 12] = 40 + 3 * (_ROWS[40:80, :12] % 7)
    picture[34:40, left + 3 : left + 9] = 190
    return picture


def test_nothing_is_claimed_before_the_place_is_learned() -> None:
    lookout = Lookout()
    for number in range(WARM_LOOKS):
        assert lookout.looked(SHOP.astype(np.uint8), float(number)) == Seen()


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 6), st.sampled_from([0.9, 1.0, 2.0, 4.0]), st.integers(0, 99))
def test_noise_is_nobody_and_nobody_meddles(noise: float, every_s: float, seed: int) -> None:
    camera = Camera(noise, every_s, seed)
    assert {(s.moving, s.tamper) for s in camera.shows(SHOP, 40 * every_s)} == {(False, "none")}


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 4), st.sampled_from([1.0, 2.0]), st.integers(0, 140))
def test_somebody_who_walks_through_is_seen_at_once_and_gone_when_they_are(
    noise: float, every_s: float, begin: int
) -> None:
    camera = Camera(noise, every_s)
    for step in range(8):
        assert camera.shows(somebody((begin + step * 9) % 140))[-1].moving
    assert not camera.shows(SHOP, 4 * every_s)[-1].moving


@settings(max_examples=10, deadline=None)
@given(st.floats(-0.3, 0.3), st.integers(90, 600))
def test_light_that_changes_slowly_is_nobody(much: float, seconds: int) -> None:
    camera = Camera()
    for number in range(seconds):
        (seen,) = camera.shows(SHOP * (1 + much * number / seconds))
        assert not seen.moving and seen.tamper in ("none", "unknown")


@pytest.mark.parametrize("brighter", [1.25, 1.5, 2.1, 0.7, 0.4])
def test_a_lamp_that_is_switched_is_no_tamper_and_soon_nobody(brighter: float) -> None:
    camera = Camera()
    uneven = brighter + 0.1 * np.cos(_COLUMNS / 80)
    seen = camera.shows(np.minimum(SHOP * uneven, 250), 40)
    assert not {s.tamper for s in seen} - {"none", "unknown"}
    assert not any(s.moving for s in seen[int(LEFT_S) + 2 :])
    assert seen[-1].tamper == "none" and camera.shows(SHOP, 40)[-1] == Seen(False, None, "none")


def test_somebody_who_stands_there_stays_seen_and_has_stood_since_they_came() -> None:
    camera = Camera()
    came_s = camera.now_s + 1
    for number in range(120):
        camera.shows(somebody(70, sway=number // 4 % 3))
    assert camera.seen.moving and camera.seen.stands_since_s == came_s


def test_who_only_passes_stands_nowhere_however_many_there_are() -> None:
    camera = Camera()
    for number in range(120):
        camera.shows(somebody(number * 17 % 145))
        since_s = camera.seen.stands_since_s
        assert since_s is None or camera.now_s - since_s < 12


def test_a_thing_that_is_left_there_is_soon_part_of_the_place() -> None:
    camera = Camera()
    seen = camera.shows(somebody(70), 60)
    assert seen[0].moving and not seen[-1].moving and seen[-1].stands_since_s is None


COVERS = {
    "a cap": np.full((HEIGHT, WIDTH), 1.0),
    "tape": np.full((HEIGHT, WIDTH), 60.0),
    "paper": np.full((HEIGHT, WIDTH), 200.0),
    "a hand": 100 + 30 * np.sin(_COLUMNS / 40) + 20 * np.cos(_ROWS / 30),
}


@pytest.mark.parametrize("cover", COVERS)
def test_a_cover_is_seen_within_three_seconds_and_taken_off_as_soon(cover: str) -> None:
    camera = Camera()
    seen = camera.shows(COVERS[cover], 30)
    assert seen[2].tamper == "covered" and {s.tamper for s in seen[2:]} == {"covered"}
    assert not any(s.moving for s in seen)
    assert camera.shows(SHOP, 5)[-1] == Seen(False, None, "none")


def test_a_hand_before_the_lens_for_one_look_is_no_tamper() -> None:
    camera = Camera()
    camera.shows(COVERS["a hand"])
    assert {s.tamper for s in camera.shows(SHOP, 10)} == {"none"}


def blurred(picture: Picture, times: int) -> Picture:
    for _ in range(times):
        for axis in (0, 1):
            picture = (np.roll(picture, 1, axis) + 2 * picture + np.roll(picture, -1, axis)) / 4
    return picture


@settings(max_examples=10, deadline=None)
@given(st.integers(6, 12), st.integers(1, 14))
def test_a_camera_that_was_turned_looks_elsewhere(right: int, down: int) -> None:
    camera = Camera()
    other = np.random.default_rng(right).permuted(SHOP[::5, ::5], axis=1).repeat(5, 0).repeat(5, 1)
    seen = camera.shows(np.roll(other, (down, right), (0, 1)), 20)
    assert [s.tamper for s in seen[8:]] == ["moved"] * 12 and not any(s.moving for s in seen)


def test_a_camera_out_of_focus_is_told_from_one_that_was_turned() -> None:
    camera = Camera()
    assert [s.tamper for s in camera.shows(blurred(SHOP, 2), 20)[8:]] == ["defocused"] * 12


def test_a_picture_that_never_changes_is_frozen_where_the_sensor_has_noise() -> None:
    camera = Camera()
    still = somebody(70)
    for number in range(20):
        seen = camera.lookout.looked(still.astype(np.uint8), camera.now_s + number + 1)
    assert seen == Seen(False, None, "frozen")
    silent = Camera(noise=0.0)
    assert {s.tamper for s in silent.shows(SHOP, 60)} == {"none"}


def test_a_camera_that_is_let_be_where_it_was_turned_to_is_meant_to_look_there() -> None:
    camera = Camera(every_s=4)
    seen = camera.shows(np.roll(SHOP.T.repeat(2, 1)[:HEIGHT, :WIDTH], 3, 1), 700)
    assert seen[10].tamper == "moved" and seen[-1].tamper == "none"


def test_a_wall_says_nothing_of_focus_and_not_that_all_is_well() -> None:
    lookout, rng = Lookout(), np.random.default_rng(1)
    for number in range(60):
        wall = 150 + rng.normal(0, 1, (HEIGHT, WIDTH))
        seen = lookout.looked(wall.astype(np.uint8), float(number))
    assert seen == Seen(False, None, "unknown")


def test_after_a_gap_or_another_size_nobody_is_there_who_was() -> None:
    camera = Camera()
    assert camera.shows(somebody(70))[-1].moving
    camera.now_s += 60
    assert not camera.shows(SHOP)[-1].moving
    assert camera.shows(SHOP[:, :120])[-1] == Seen()


def test_each_tamper_has_its_sentence() -> None:
    assert all(sentence.endswith(".") and len(sentence) <= 200 for sentence in SENTENCES.values())
