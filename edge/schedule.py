"""When the daily drill is due, and at which kiosk. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

Kind = Literal["help", "security"]
# Who answers: the built-in test responder, or people who agreed to.
Responder = Literal["test", "people"]
KINDS: tuple[str, ...] = ("help", "security", "both")
RESPONDERS: tuple[str, ...] = ("test", "people")
# A drill that could not begin at its time begins this much later at most; then it is missing.
LATE = timedelta(minutes=15)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """[drill]: `at` is the time of day, as 08:30 in the server's own zone; '' for none by itself. `device` ''
    takes each kiosk in turn, `kind` 'both' help one day and security the next."""

    at: str = ""
    kind: Literal["help", "security", "both"] = "help"
    device: str = ""
    responder: Responder = "test"

    def fault(self, devices: Mapping[str, object] | None = None) -> str | None:
        """What is wrong, and what is allowed; `devices` are the store's, where they are known."""
        if self.at and not _TIME.fullmatch(self.at):
            return f"drill.at is {self.at[:20]!r}; allowed are times like 08:30, and '' for never."
        if devices is not None and self.device and self.device not in devices:
            allowed = ", ".join(devices) or "none yet"
            return f"drill.device is {self.device[:32]!r}; this store has {allowed}."
        return None


def due(
    plan: Plan, last_at: datetime | None, since: datetime | None, now: datetime
) -> tuple[Literal["run", "missing"], datetime] | None:
    """Whether the day's drill is to begin, or was due and did not; and when it was due.

    `last_at` is when the last one by plan was due, `since` when the plan was made, if that is known.
    """
    if not plan.at:
        return None
    at = _last(plan.at, now)
    known = max((when for when in (last_at, since) if when is not None), default=None)
    if known is not None and known >= at:
        return None
    if now - at <= LATE:
        return "run", at
    return None if known is None else ("missing", at)


def _last(time: str, now: datetime) -> datetime:
    """The last moment at which the clock on the wall showed this time of day.

    Of the hour that comes twice the first counts; in the one that is left out, an hour later by the new time.
    """
    hour, minute = (int(part) for part in time.split(":"))
    # Without a zone: a day by the clock may have 23 or 25 hours, and each day its own distance from UTC.
    today = now.astimezone().replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None, fold=0)
    at = _on_the_wall(today)
    return at if at <= now else _on_the_wall(today - timedelta(days=1))


def _on_the_wall(at: datetime) -> datetime:
    # Of a time that is left out astimezone() would make one an hour before it.
    return datetime.fromtimestamp(at.timestamp(), UTC).astimezone()


def kind_of(plan: Plan, last_kind: str | None) -> Kind:
    if plan.kind == "both":
        return "security" if last_kind == "help" else "help"
    return plan.kind


def turn_of(plan: Plan, devices: Mapping[str, datetime | None]) -> str | None:
    """The kiosk that is drilled: the plan's, or the one whose last drill is longest ago. None: there is none.

    `devices` is each kiosk with when it was last drilled.
    """
    if plan.device in devices:
        return plan.device
    never = datetime.min.replace(tzinfo=next((at.tzinfo for at in devices.values() if at), None))
    return min(devices, key=lambda name: (devices[name] or never, name), default=None)
