"""What a camera's small pictures tell: somebody is there, somebody stands there, somebody meddled with the
camera. Pure but for numpy: pictures and their times in, what is seen out.

Made for key frames, one or two seconds apart, of which nothing is kept but a background in memory: no picture
is written, so a start begins with learning. The constants' reasons are figures of tests/bench/watching.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosk.camera.seen import Seen, Tamper

Picture = np.ndarray[Any, Any]
# Learning
WARM_S, WARM_LOOKS = 10.0, 8  # the middle of so many pictures has nobody in it who walks through
LEARN_S = 60.0  # daylight changes in minutes, and who stands there must not fade within one
LEFT_S = 20.0  # who stands there stirs; what has not for so long is a thing that was left, or light
AWAY_S = 10.0  # after a gap as long, nobody knows who came and went
SAME_VIEW_S = 600.0  # a camera that was turned and let be for so long is meant to look there
LIGHTER, DARKER = 1.6, 0.6  # all lamps on or off: learned anew; a camera's own exposure stays within
SAME_PLACE, LIT = 0.8, 0.2  # so much alike though so much has changed: one lamp, and nobody so large

# Motion
LEVELS = 14.0  # of 255; what H.264 leaves of noise at usual rates is under 8
SIGMAS = 5.0  # above the noise that is found: one pixel in two million by chance
NEIGHBOURS = 5  # of 9 that have changed with it: specks are no people
BEGINS, ENDS = 0.003, 0.0015  # parts of the picture: somebody 1.7 m tall at 8 m is 0.5 % of a usual lens's
GONE_S = 3.0  # a look may miss somebody whose clothes are like the wall
BLOCK = 16  # pixels: about as broad as somebody who stands before a shelf

# Tamper
CELL = 10
BLACK = 5.0  # pulse.BLACK_LIGHT in full range, which small pictures are in
TOLD_CELLS = 12  # fewer with anything to recognise, and a white wall is before the lens anyway
ALIKE = 0.5  # correlation of a cell with its background; noise and shade stay above, another view below
CONFIRMED_S: dict[Tamper, float] = {
    "covered": 0.9,  # two looks: somebody who passes close by the lens is gone at the second
    "frozen": 9.0,  # a still shop has no two pictures alike, but the exact number is the sensor's
    "moved": 6.0,  # somebody who stands close before the lens does not hold as still
    "defocused": 6.0,  # a lens that is hunting for its focus has found it
}
HIDDEN, CONTRAST = 0.25, 0.35  # at most so many cells alike, with at most so much of their contrast
ELSEWHERE, STILL = 0.3, 0.7  # at most so many cells alike, while the picture is like the one before
IN_PLACE, DETAIL = 0.5, 0.5  # at least so many cells alike, with at most so much of their fine detail
SHARP = 0.65  # what is blurred has to come back so far
STIRRED, FROZEN = 0.02, 0.05  # a live sensor changes more than this part of the pixels; so much less of that
RECOVERED_S = 3.0


class Lookout:
    """See the module. One camera, one thread."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._seen_s = float("-inf")
        self._last: Picture | None = None
        self._begin()

    def looked(self, picture: Picture, now_s: float) -> Seen:
        """A picture in grey, (height, width) of 0 to 255; all of one size, or it begins anew."""
        now = picture.astype(np.float32)
        if now.shape != self._shape:
            self._shape = now.shape
            self._begin()
        gap_s, self._seen_s = now_s - self._seen_s, now_s
        if gap_s > AWAY_S:
            self._nobody()
            self._last = None
        if self._back is None:
            self._warm_up(now, now_s)
        else:
            found, alike = self._judge(now)
            self._confirm(found, now_s)
            if found == "none" and self._back is not None:
                self._look_for_people(now, now_s, min(gap_s, AWAY_S), alike)
            else:
                self._nobody()
        self._last = now
        return Seen(self._moving, min(self._places.values(), default=None), self._tamper)

    def _begin(self) -> None:
        self._warm: list[tuple[float, Picture]] = []
        self._back: Picture | None = None
        self._last = None
        self._noise = self._stir = 0.0
        self._suspect: tuple[Tamper, float] = ("none", 0.0)
        self._tamper: Tamper = "unknown"
        self._nobody()

    def _nobody(self) -> None:
        self._moving = False
        self._there_s = float("-inf")
        self._stirred = np.empty((0, 0))
        self._places: dict[tuple[int, int], float] = {}
        self._held: dict[tuple[int, int], float] = {}

    def _warm_up(self, now: Picture, now_s: float) -> None:
        self._warm.append((now_s, now))
        while len(self._warm) > 2 * WARM_LOOKS:
            del self._warm[0]
        if len(self._warm) >= WARM_LOOKS and now_s - self._warm[0][0] >= WARM_S:
            pictures = np.stack([picture for _, picture in self._warm])
            self._back = np.median(pictures, axis=0)
            steps = np.abs(np.diff(pictures, axis=0))
            self._noise = float(np.median(np.abs(pictures - self._back))) * 1.48
            self._stir = float(np.quantile((steps >= 1).mean(axis=(1, 2)), 0.25))
            self._told = _told(self._back, self._noise)
            self._warm.clear()

    # Tamper

    def _judge(self, now: Picture) -> tuple[Tamper, float]:
        """What this one picture looks like, and how much of it is alike."""
        assert self._back is not None
        if now.mean() < BLACK:
            return "covered", 0.0
        if self._last is not None and self._stir >= STIRRED:
            step = float((np.abs(now - self._last) >= 1).mean())
            if step < self._stir * FROZEN:
                return "frozen", 0.0
        if self._told.sum() < TOLD_CELLS:
            return "none", 0.0
        f = features(now, self._back, self._told, self._noise)
        if f.alike < HIDDEN and f.contrast < CONTRAST:
            return "covered", f.alike
        if f.alike < ELSEWHERE:
            held = self._last is not None and likeness(now, self._last, self._noise) > STILL
            return ("moved" if held else "unknown"), f.alike
        if f.alike < IN_PLACE and self._tamper in ("covered", "moved"):
            return self._tamper, f.alike
        if f.alike >= IN_PLACE and not DARKER < f.gain < LIGHTER:
            self._begin()
            return "unknown", f.alike
        least = SHARP if self._tamper == "defocused" else DETAIL
        return ("defocused" if f.alike >= IN_PLACE and f.detail < least else "none"), f.alike

    def _confirm(self, found: Tamper, now_s: float) -> None:
        if found != self._suspect[0]:
            self._suspect = found, now_s
        lasted_s = now_s - self._suspect[1]
        if found in CONFIRMED_S:
            if lasted_s >= CONFIRMED_S[found]:
                self._tamper = found
            if found == "moved" and lasted_s >= SAME_VIEW_S:
                self._begin()
        elif found == "none" and self._told.sum() < TOLD_CELLS:
            # Nothing is claimed of a place without anything to recognise, not even that all is well.
            self._tamper = "unknown"
        elif found == "none" and (self._tamper == "unknown" or lasted_s >= RECOVERED_S):
            self._tamper = "none"

    # People

    def _look_for_people(self, now: Picture, now_s: float, gap_s: float, alike: float) -> None:
        assert self._back is not None
        level = max(LEVELS, SIGMAS * self._noise)
        off = np.abs(now - self._back * gain_of(now, self._back))
        if alike >= SAME_PLACE and float((off > level).mean()) > LIT:
            self._back = self._back * _light(now, self._back)
            off = np.abs(now - self._back)
            self._last = None
        changed = _without_specks(off > level)
        somebody = changed & self._lively(changed, now, now_s, level)
        part = float(somebody.mean())
        if part >= (ENDS if self._moving else BEGINS):
            self._moving, self._there_s = True, now_s
        elif now_s - self._there_s >= GONE_S:
            self._moving = False
        self._stay(somebody, now_s)
        pace = min(1.0, gap_s / LEARN_S)
        paces = np.where(somebody, 0.0, np.where(changed, min(1.0, gap_s / LEFT_S), pace))
        self._back = self._back + paces.astype(np.float32) * (now - self._back)
        if self._last is not None and not self._moving:
            step = float((np.abs(now - self._last) >= 1).mean())
            self._stir += pace * (step - self._stir)
        if not changed.all():
            self._noise += pace * (float(np.median(off[~changed])) * 1.48 - self._noise)
        self._told = _told(self._back, self._noise)

    def _lively(self, changed: Picture, now: Picture, now_s: float, level: float) -> Picture:
        """Where something has stirred lately, of itself or beside it: in whole blocks."""
        rows, columns = (-(-side // BLOCK) for side in now.shape)
        if self._stirred.shape != (rows, columns):
            self._stirred = np.full((rows, columns), -np.inf)
        if self._last is not None:
            stirs = _without_specks(changed & (np.abs(now - self._last) > level))
            self._stirred[_blocks_with(stirs, rows, columns)] = now_s
        recent = np.pad(now_s - self._stirred < LEFT_S, 1)
        near = recent[:-2] | recent[1:-1] | recent[2:]
        near = near[:, :-2] | near[:, 1:-1] | near[:, 2:]
        return np.asarray(_spread_out(near, BLOCK, now.shape))

    def _stay(self, somebody: Picture, now_s: float) -> None:
        for place in zip(*np.nonzero(_blocks(somebody.astype(np.float32), BLOCK) > 0.1), strict=True):
            self._places.setdefault(place, now_s)
            self._held[place] = now_s
        for place in [place for place, at_s in self._held.items() if now_s - at_s >= GONE_S]:
            del self._places[place], self._held[place]


@dataclass(frozen=True)
class Features:
    """A picture beside the background, over the cells that have something to recognise: which part of them
    is alike, the brightness, and the medians of contrast and of fine detail; 1 where all is as usual."""

    alike: float
    gain: float
    contrast: float
    detail: float


def features(now: Picture, back: Picture, told: Picture, noise: float) -> Features:
    gain = gain_of(now, back)
    spread, usual, both = _spreads(now, back)
    alike = both > ALIKE * np.sqrt(spread * usual)
    contrast = np.sqrt(np.maximum(0, spread - noise**2) / np.maximum(1e-3, usual)) / gain
    same = told & alike
    detail = _detail(now) / np.maximum(1e-3, _detail(back)) / gain
    return Features(
        float(alike[told].mean()),
        gain,
        float(np.median(contrast[told])),
        float(np.median(detail[same])) if same.any() else 1.0,
    )


def likeness(now: Picture, last: Picture, noise: float) -> float:
    """The part of the cells with something to recognise that are alike in both."""
    told = _told(now, noise)
    spread, usual, both = _spreads(now, last)
    return float((both > ALIKE * np.sqrt(spread * usual))[told].mean()) if told.any() else 0.0


def gain_of(now: Picture, back: Picture) -> float:
    """How much brighter most of the picture is."""
    return float(np.median((now[::3, ::3] + 1) / (back[::3, ::3] + 1)))


def _told(back: Picture, noise: float) -> Picture:
    """The cells that have something to recognise."""
    spread = _blocks(back * back, CELL) - _blocks(back, CELL) ** 2
    return np.asarray(spread > max(5.0, 3 * noise) ** 2)


def _light(now: Picture, back: Picture) -> Picture:
    """How much brighter each place is, as its surroundings of 5 by 5 cells are in the middle."""
    size = CELL
    rows, columns = (-(-side // size) for side in now.shape)
    edge = ((0, rows * size - now.shape[0]), (0, columns * size - now.shape[1]))
    more = _blocks(np.pad(now, edge, "edge") + 1, size) / _blocks(np.pad(back, edge, "edge") + 1, size)
    around = np.pad(more, 2, "edge")
    near = [around[y : y + rows, x : x + columns] for y in range(5) for x in range(5)]
    return _spread_out(np.median(near, axis=0), size, now.shape)


def _spread_out(blocks: Picture, size: int, shape: tuple[int, ...]) -> Picture:
    return np.asarray(blocks.repeat(size, 0).repeat(size, 1)[: shape[0], : shape[1]])


def _blocks_with(marks: Picture, rows: int, columns: int) -> Picture:
    """The blocks in which anything is marked, those at the edges too."""
    edge = ((0, rows * BLOCK - marks.shape[0]), (0, columns * BLOCK - marks.shape[1]))
    return np.asarray(np.pad(marks, edge).reshape(rows, BLOCK, columns, BLOCK).any(axis=(1, 3)))


def _spreads(one: Picture, other: Picture) -> tuple[Picture, Picture, Picture]:
    """The variances of both in each cell, and what they have in common."""
    a, b = _blocks(one, CELL), _blocks(other, CELL)
    return (
        np.maximum(1e-3, _blocks(one * one, CELL) - a * a),
        np.maximum(1e-3, _blocks(other * other, CELL) - b * b),
        _blocks(one * other, CELL) - a * b,
    )


def _detail(picture: Picture) -> Picture:
    """How much each cell has of what a blur takes first."""
    fine = np.zeros_like(picture)
    inner = picture[1:-1, 1:-1] * 4
    inner -= picture[:-2, 1:-1] + picture[2:, 1:-1] + picture[1:-1, :-2] + picture[1:-1, 2:]
    fine[1:-1, 1:-1] = np.abs(inner)
    return _blocks(fine, CELL)


def _blocks(picture: Picture, size: int) -> Picture:
    """The means of squares of `size` pixels; what is over at the right and below is left out."""
    rows, columns = picture.shape[0] // size, picture.shape[1] // size
    squares = picture[: rows * size, : columns * size].reshape(rows, size, columns, size)
    return np.asarray(squares.mean(axis=(1, 3)))


def _without_specks(changed: Picture) -> Picture:
    around = np.pad(changed.astype(np.uint8), 1)
    rows = around[:-2] + around[1:-1] + around[2:]
    return np.asarray(changed & (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] >= NEIGHBOURS))
