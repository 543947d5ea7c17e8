"""How long a clip is kept, by its class, and what may be deleted when. Pure (DESIGN 6).

A hold beats everything; beside it an incident keeps its clips while it is open, and for a time after it.
Without either a clip goes when its time is over, and before that only when the disk
is full: then routine ones first, the oldest first, and those of security requests never before their time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

Class = Literal["routine", "security"]
Hours = Annotated[float, Meta(ge=1, le=24 * 366 * 10)]


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """[retention] in edge.toml, in hours. `free_gb`: what the vault leaves free on its disk.

    `remind_days`: after so many days in which nobody adds to an open incident, managers are reminded of it.
    `incident_hours`: for how long after an incident is closed its clips are kept, whatever their class.
    `asker_hours`: for how long after an access request is closed it is known who asked.
    """

    routine_hours: Hours = 72
    security_hours: Hours = 24 * 90
    incident_hours: Hours = 24 * 90
    asker_hours: Hours = 24 * 90
    remind_days: Annotated[float, Meta(ge=1, le=366)] = 14
    free_gb: Annotated[float, Meta(ge=0, le=100_000)] = 2

    def keep_until(self, kept_as: str, sealed_at: datetime) -> datetime:
        hours = self.security_hours if kept_as == "security" else self.routine_hours
        return sealed_at + timedelta(hours=hours)

    def incident_until(self, closed_at: datetime) -> datetime:
        """Until when an incident's clips are kept once it is closed."""
        return closed_at + timedelta(hours=self.incident_hours)

    @property
    def remind_after(self) -> timedelta:
        return timedelta(days=self.remind_days)

    def closed_since(self, now: datetime) -> datetime:
        """Clips of incidents that were closed after this, or are open, are not deleted."""
        return now - timedelta(hours=self.incident_hours)

    def askers_since(self, now: datetime) -> datetime:
        """Who asked is forgotten of access requests that were closed before this."""
        return now - timedelta(hours=self.asker_hours)


@dataclass(frozen=True, slots=True)
class Keepable:
    """A sealed clip as far as retention looks at it."""

    id: str
    kept_as: str
    bytes: int
    sealed_at: datetime
    keep_until: datetime
    held: bool


def class_of(kind: str | None, *, drill: bool) -> Class:
    """The class of a clip whose cause is an interaction of this kind.

    Of an unknown cause nobody knows that it is not a security request, so it is kept as one.
    """
    if drill:
        return "routine"
    return "security" if kind in ("security", "tamper", None) else "routine"


def due(clips: Sequence[Keepable], now: datetime) -> list[Keepable]:
    """Those whose time is over and that nobody holds, the oldest first."""
    return sorted((c for c in clips if not c.held and c.keep_until <= now), key=lambda c: c.sealed_at)


def to_make_room(clips: Sequence[Keepable], wanted_bytes: int) -> list[Keepable]:
    """Routine ones that nobody holds, the oldest first, until so much is free; maybe not enough."""
    chosen: list[Keepable] = []
    for one in sorted(clips, key=lambda c: c.sealed_at):
        if wanted_bytes <= 0:
            break
        if not one.held and one.kept_as == "routine":
            chosen.append(one)
            wanted_bytes -= one.bytes
    return chosen
