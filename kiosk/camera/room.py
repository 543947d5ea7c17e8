"""Which clips leave a card that is full. Pure: those that the store has, then the oldest, and never one of a
security request that the store does not have."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


class Kept(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def bytes(self) -> int: ...

    @property
    def sealed(self) -> bool: ...

    @property
    def about(self) -> "Spared": ...


class Spared(Protocol):
    @property
    def spared(self) -> bool: ...


@dataclass(frozen=True)
class Room:
    """`leave` must be deleted. `enough`: a clip of any kind can be written then; `enough_for_spared`: one of
    a security request can, which may go beyond the limit but not below the floor."""

    leave: tuple[UUID, ...]
    enough: bool
    enough_for_spared: bool


def fits(held_bytes: int, free_bytes: int, limit_bytes: int, floor_bytes: int, coming_bytes: int) -> bool:
    """Whether `coming_bytes` more can be written while nothing leaves."""
    return held_bytes + coming_bytes <= limit_bytes and free_bytes - coming_bytes >= floor_bytes


def make_room(
    clips: Sequence[Kept], free_bytes: int, limit_bytes: int, floor_bytes: int, coming_bytes: int
) -> Room:
    """What must go so that `coming_bytes` more can be written. `clips` with the oldest first."""
    held = sum(clip.bytes for clip in clips)
    leave: list[UUID] = []

    def enough() -> bool:
        return fits(held, free_bytes, limit_bytes, floor_bytes, coming_bytes)

    for clip in sorted(clips, key=lambda clip: not clip.sealed):
        if enough():
            break
        if clip.sealed or not clip.about.spared:
            leave.append(clip.id)
            held -= clip.bytes
            free_bytes += clip.bytes
    return Room(tuple(leave), enough(), free_bytes - coming_bytes >= floor_bytes)
