"""A moving scene that is drawn, for the demo and for trying a kiosk without a camera: a shop aisle, people
who walk through it, and the time. What it shows is nobody."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from broker.manifest import Mask
from kiosk.camera.encoder import Encoder
from kiosk.camera.source import Packet

_LENGTH_S = 24.0
_SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


class Scene:
    """See the module."""

    def __init__(self, width: int, height: int, frame_rate: float, masks: Sequence[Mask]) -> None:
        self._size = (width - width % 2, height - height % 2)
        self._rate = frame_rate
        self._masks = masks
        self._encoder: Encoder | None = None
        self._stop = threading.Event()

    def open(self) -> None:
        self._encoder = Encoder(*self._size, self._rate, self._masks)
        self._stop.clear()
        self._floor = _floor(*self._size)

    def packets(self) -> Iterator[Packet]:
        assert self._encoder is not None
        begun_s = due_s = time.monotonic()
        while not self._stop.wait(max(0.0, due_s - time.monotonic())):
            now_s, wall_s = time.monotonic(), time.time()
            due_s = max(due_s + 1 / self._rate, now_s - 1.0)
            picture = VideoFrame.from_ndarray(self._draw(now_s - begun_s, wall_s), format="yuv420p")
            yield from self._encoder.encode(picture, int(now_s * 1e6), now_s, int(wall_s * 1000))

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._stop.set()
        self._encoder = None

    def _draw(self, at_s: float, wall_s: float) -> np.ndarray[Any, Any]:
        picture = self._floor.copy()
        width, height = self._size
        chroma = picture[height:].reshape(2, height // 2, width // 2)
        for number, (speed, depth, tint) in enumerate(((1.0, 0.62, 90), (-0.7, 0.74, 170), (1.3, 0.88, 140))):
            part = (at_s * speed / _LENGTH_S + number * 0.37) % 1.0
            tall, wide = int(height * depth * 0.45), int(height * depth * 0.12)
            x, foot = int(part * (width + 2 * wide)) - wide, int(height * depth)
            left, right, top = max(0, x), max(0, min(width, x + wide)), foot - tall
            picture[top + tall // 5 : foot, left:right] = 60 + 40 * number
            head = slice(max(0, x + wide // 4), max(0, min(width, x + 3 * wide // 4)))
            picture[top : top + tall // 5, head] = 180
            chroma[0, (top + tall // 5) // 2 : foot // 2, left // 2 : right // 2] = tint
        self._clock(picture, time.strftime("%H%M%S", time.localtime(wall_s)))
        return picture

    def _clock(self, picture: np.ndarray[Any, Any], digits: str) -> None:
        unit = max(2, self._size[1] // 120)
        for place, digit in enumerate(digits):
            x, y = 2 * unit + place * 6 * unit + (place // 2) * 3 * unit, 2 * unit
            for segment in _SEGMENTS[int(digit)]:
                column, row, wide, tall = _STROKES[segment]
                top, left = y + row * unit, x + column * unit
                picture[top : top + tall * unit, left : left + wide * unit] = 235


# Column, row, width and height of each stroke of a digit, in its units.
_STROKES = {
    "a": (0, 0, 4, 1),
    "b": (3, 0, 1, 4),
    "c": (3, 4, 1, 4),
    "d": (0, 7, 4, 1),
    "e": (0, 4, 1, 4),
    "f": (0, 0, 1, 4),
    "g": (0, 3, 4, 1),
}


def _floor(width: int, height: int) -> np.ndarray[Any, Any]:
    """An aisle between two shelves, in yuv420p."""
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    rows, columns = np.mgrid[0:height, 0:width]
    light = 150 - 60 * rows // height
    shelf = (rows < height // 2) & ((rows // max(1, height // 12)) % 2 == 0)
    light = np.where(shelf, 105 + 40 * ((columns // max(1, width // 40)) % 3), light)
    picture[:height] = light.astype(np.uint8)
    return picture
