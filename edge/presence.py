"""Who can be called: what people say of themselves, and until when it holds. Pure."""

from datetime import datetime
from enum import StrEnum


class Presence(StrEnum):
    AVAILABLE = "available"
    BUSY = "busy"
    ON_BREAK = "on_break"
    # No page would reach them; somebody whom they named stands in.
    UNREACHABLE = "unreachable"
    # Signed in nowhere.
    OFF = "off"


# Whoever is so is called for nothing.
AWAY = frozenset({Presence.UNREACHABLE, Presence.OFF})
BREAK_MINUTES = (5, 15, 30)


def at(presence: str, until: datetime | None, now: datetime) -> Presence:
    """The presence that holds now: a break that was said to end is over by itself."""
    said = Presence(presence)
    over = said is Presence.ON_BREAK and until is not None and until <= now
    return Presence.AVAILABLE if over else said


def in_words(name: str, presence: Presence, until: datetime | None = None) -> str:
    """'Bo is on break until 10:25'; the time in the server's own zone."""
    said = f"{name} is {presence.replace('_', ' ')}"
    return f"{said} until {until.astimezone():%H:%M}" if until and presence is Presence.ON_BREAK else said
