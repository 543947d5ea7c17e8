"""What of a picture is covered in the copy for one person, and when. Pure: boxes and a time in, boxes out.

A person places a box on a few pictures; between those it is carried in a straight line. What lies outside of
every box's place and time is not covered: no program here knows who is in a picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

# Thousandths of the picture's width or height.
SIDE = 1000
LONGEST_MS = 3_600_000
MOST_TRACKS, MOST_KEYS, MOST_KEYS_IN_ALL = 40, 200, 1000
# People do not walk in straight lines: a covering box is larger by this part of itself on each side, and by
# AT_LEAST thousandths of the picture; it begins earlier and ends later by EARLIER_MS.
LARGER, AT_LEAST, EARLIER_MS = 1 / 8, 10, 200

Part = Annotated[int, Meta(ge=0, le=SIDE)]
Time = Annotated[int, Meta(ge=0, le=LONGEST_MS)]


class Mode(StrEnum):
    """OTHERS: the boxes are covered. ALL_BUT: everything is covered but what lies in a box."""

    OTHERS = "others"
    ALL_BUT = "all_but"


class Key(Struct, frozen=True):
    """Where a person placed the box, `at_ms` after the first picture; in thousandths of the picture."""

    at_ms: Time
    left: Part
    top: Part
    width: Part
    height: Part


class Track(Struct, frozen=True):
    """One box through time. None: from the first picture on, or to the last. Before its first key it stands
    where that has it, after its last key where that has it."""

    keys: Annotated[tuple[Key, ...], Meta(min_length=1, max_length=MOST_KEYS)]
    begins_ms: Time | None = None
    ends_ms: Time | None = None


class Masks(Struct, frozen=True):
    """All that is drawn over a clip."""

    mode: Mode = Mode.OTHERS
    tracks: Annotated[tuple[Track, ...], Meta(max_length=MOST_TRACKS)] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """Sides as parts of the picture, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float


def why_not(masks: Masks) -> str | None:
    """Against these masks, in a sentence."""
    if sum(len(track.keys) for track in masks.tracks) > MOST_KEYS_IN_ALL:
        return f"The boxes have more than {MOST_KEYS_IN_ALL} places in all; use fewer."
    for number, track in enumerate(masks.tracks, 1):
        times = [key.at_ms for key in track.keys]
        if times != sorted(set(times)):
            return f"Box {number} has two places at the same time; keep one of them."
        if track.begins_ms is not None and track.ends_ms is not None and track.begins_ms > track.ends_ms:
            return f"Box {number} ends before it begins."
        for key in track.keys:
            if not (key.width and key.height) or key.left + key.width > SIDE or key.top + key.height > SIDE:
                return f"Box {number} at {key.at_ms / 1000:g} s is empty or lies outside of the picture."
    return None


def boxes(masks: Masks, time_ms: float) -> list[Box]:
    """The boxes that stand at this time after the first picture: with their margin where they cover, as they
    were placed where they are all that is seen."""
    covering = masks.mode is Mode.OTHERS
    around_ms = EARLIER_MS if covering else 0
    found = []
    for track in masks.tracks:
        begins = 0 if track.begins_ms is None else track.begins_ms - around_ms
        ends = LONGEST_MS if track.ends_ms is None else track.ends_ms + around_ms
        if begins <= time_ms <= ends:
            found.append(_box(place(track.keys, time_ms), covering=covering))
    return found


def place(keys: Sequence[Key], time_ms: float) -> tuple[float, float, float, float]:
    """Left, top, width and height in thousandths at this time; `keys` rise in time."""
    before = [key for key in keys if key.at_ms <= time_ms]
    after = [key for key in keys if key.at_ms > time_ms]
    first, last = (before or after)[-1 if before else 0], (after or before)[0 if after else -1]
    span = last.at_ms - first.at_ms
    by = (time_ms - first.at_ms) / span if span else 0.0
    a, b = ((key.left, key.top, key.left + key.width, key.top + key.height) for key in (first, last))
    left, top, right, bottom = (from_ + (to - from_) * by for from_, to in zip(a, b, strict=True))
    return left, top, right - left, bottom - top


def _box(at: tuple[float, float, float, float], *, covering: bool) -> Box:
    left, top, width, height = at
    wide = max(width * LARGER, AT_LEAST) if covering else 0
    high = max(height * LARGER, AT_LEAST) if covering else 0
    sides = left - wide, top - high, left + width + wide, top + height + high
    return Box(*(min(1.0, max(0.0, side / SIDE)) for side in sides))
