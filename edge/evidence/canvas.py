"""The pictures of a copy: scaled, with a strip below that says when each was taken, and boxes covered."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from broker.manifest import Manifest
from edge.evidence.masks import Box

if TYPE_CHECKING:
    from av import VideoFrame

LONGEST_SIDE, SHORTEST_WIDTH = 1280, 320
# A grey that no scene has by itself in so straight a box; in studio swing.
_COVER = (72, 128, 128)


class Canvas:
    """Pictures of one size with a strip below, which says when each was taken and of which clip it is."""

    def __init__(self, width: int, height: int, manifest: Manifest) -> None:
        from PIL import Image, ImageDraw, ImageFont

        by = min(1.0, LONGEST_SIDE / max(width, height))
        by = max(by, SHORTEST_WIDTH / width)
        # 4:2:0 has no odd sizes.
        self.width, self._height = (max(2, round(side * by / 2) * 2) for side in (width, height))
        words = [f"Copy of clip {manifest.clip}", manifest.device]
        if not manifest.clock.synced:
            words.append("by a clock not in step")
        size, most = min(20, max(13, self.width // 48)), self.width * 0.94
        while size > 8 and ImageFont.load_default(size).getlength(words[0]) > most:
            size -= 1
        self._font, self._row, self._edge = ImageFont.load_default(size), size * 4 // 3, self.width // 50
        rows = _wrapped(words, lambda said: self._font.getlength(said) <= most)
        self._strip = ((len(rows) + 1) * self._row + self._row * 2 // 3) // 2 * 2
        self.height = self._height + self._strip
        self._image = Image.new("L", (self.width, self._strip))
        self._draw = ImageDraw.Draw(self._image)
        for number, said in enumerate(rows, 1):
            self._draw.text((self._edge, number * self._row + self._row // 3), said, 255, self._font)

    def put(self, picture: "VideoFrame", at: str) -> "VideoFrame":
        from av import VideoFrame

        self._draw.rectangle((0, 0, self.width, self._row + self._row // 3 - 1), 0)
        self._draw.text((self._edge, self._row // 3), at, 255, self._font)
        below = (self._image.tobytes(), b"\x80" * (self._strip // 2 * self.width // 2))
        scaled = picture.reformat(self.width, self._height, "yuv420p")
        whole = VideoFrame(self.width, self.height, "yuv420p")
        for plane, (source, target) in enumerate(zip(scaled.planes, whole.planes, strict=True)):
            # Black and grey, in studio swing.
            strip = below[0].translate(_STUDIO) if plane == 0 else below[1]
            rows = self._height if plane == 0 else self._height // 2
            _copy_rows(memoryview(source), source.line_size, memoryview(target), target.line_size, 0, rows)
            wide = source.width
            _copy_rows(
                memoryview(strip), wide, memoryview(target), target.line_size, rows, len(strip) // wide
            )
        return whole

    def without(self, drawn: "VideoFrame", covered: Sequence[Box]) -> "VideoFrame":
        """The picture with these boxes filled; they are rounded outwards."""
        made = _same(drawn)
        for box in covered:
            self._fill(made, self._pixels(box, math.floor, math.ceil))
        return made

    def all_but(self, drawn: "VideoFrame", seen: Sequence[Box]) -> "VideoFrame":
        """The picture filled but for these boxes; they are rounded inwards."""
        made = _same(drawn)
        self._fill(made, (0, 0, self.width, self._height))
        for box in seen:
            left, top, right, bottom = self._pixels(box, math.ceil, math.floor)
            for number, (source, target) in enumerate(zip(drawn.planes, made.planes, strict=True)):
                by = 2 if number else 1
                old, new, wide = memoryview(source), memoryview(target), target.line_size
                for row in range(top // by, bottom // by):
                    at, to = row * wide + left // by, row * wide + right // by
                    if to > at:
                        new[at:to] = old[at:to]
        return made

    def _pixels(
        self, box: Box, less: Callable[[float], int], more: Callable[[float], int]
    ) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, all even, as colours have half the picture's sides."""
        left, top = less(box.left * self.width / 2) * 2, less(box.top * self._height / 2) * 2
        right, bottom = more(box.right * self.width / 2) * 2, more(box.bottom * self._height / 2) * 2
        return left, top, right, bottom

    def _fill(self, made: "VideoFrame", sides: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = sides
        for number, (plane, shade) in enumerate(zip(made.planes, _COVER, strict=True)):
            by = 2 if number else 1
            view, wide = memoryview(plane), plane.line_size
            cover = bytes([shade]) * ((right - left) // by)
            for row in range(top // by, bottom // by):
                at = row * wide + left // by
                view[at : at + len(cover)] = cover


def _same(drawn: "VideoFrame") -> "VideoFrame":
    from av import VideoFrame

    made = VideoFrame(drawn.width, drawn.height, "yuv420p")
    for source, target in zip(drawn.planes, made.planes, strict=True):
        memoryview(target)[:] = memoryview(source)
    return made


def _wrapped(words: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Joined as long as they fit in a row."""
    rows = words[:1]
    for word in words[1:]:
        joined = f"{rows[-1]}, {word}"
        rows[-1:] = [joined] if fits(joined) else [rows[-1], word]
    return rows


_STUDIO = bytes(16 + value * 219 // 255 for value in range(256))


def _copy_rows(source: Any, each: int, target: Any, wide: int, first: int, rows: int) -> None:
    """`rows` rows of `each` bytes to the rows of `wide` bytes from `first` on."""
    if each == wide:
        target[first * wide : (first + rows) * wide] = source[: rows * wide]
        return
    some = min(each, wide)
    for row in range(rows):
        at = (first + row) * wide
        target[at : at + some] = source[row * each : row * each + some]
