"""What a roll-out does next: one kiosk first, later the rest in batches, none after the first failure.
Pure.

The server only tells; whether a release is good, and well, each kiosk finds out for itself and says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Of a roll-out: running; stopped by somebody; failed, which stops it too; done; recalled by somebody.
RUNNING, STOPPED, FAILED, DONE, RECALLED = "running", "stopped", "failed", "done", "recalled"
# Of a kiosk in it: not told; told; then what it says itself. `left` is one that was told and had not said
# that it has the release when the roll-out ended; `kept` one that could not go back.
WAITING, TOLD, TAKEN, TRYING, HEALTHY = "waiting", "told", "taken", "trying", "healthy"
LEFT, REFUSED, ROLLED_BACK, KEPT = "left", "refused", "rolled_back", "kept"
AT_IT = frozenset({TOLD, TAKEN, TRYING})
BAD = frozenset({REFUSED, ROLLED_BACK})
# How long a ticket is good, and after what a command without an answer is said again.
TICKET_GOOD_FOR, AGAIN = timedelta(hours=1), timedelta(minutes=1)
# A kiosk that is at it for so long without a word holds the roll-out up, and whoever manages hears of it.
STILL = timedelta(hours=2)
_ORDER = {WAITING: 0, TOLD: 1, LEFT: 1, TAKEN: 2, TRYING: 3, HEALTHY: 4}
_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Part:
    """One kiosk of a roll-out. `place` 0 is the first, `ticket_until` how long it may come for the release;
    `reverted_at` is when it was last told to go back. `there`: it is connected and not revoked."""

    device: str
    place: int
    state: str
    changed_at: datetime
    ticket_until: datetime | None
    reverted_at: datetime | None
    there: bool
    revoked: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RollOut:
    """`soak`: how long the first kiosk is well before the others follow, `batch` of them at a time."""

    state: str
    soak: timedelta
    batch: int


@dataclass(frozen=True, slots=True)
class Tell:
    device: str


@dataclass(frozen=True, slots=True)
class Revert:
    device: str


@dataclass(frozen=True, slots=True)
class Fail:
    """It stops by itself, and the manager hears of it."""

    device: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Every kiosk in it that is let in has said that it is healthy."""


Step = Tell | Revert | Fail | Finish


def steps(rollout: RollOut, parts: Sequence[Part], allowed_now: bool, now: datetime) -> list[Step]:
    """`allowed_now`: whether this is a time at which kiosks may be renewed."""
    counted = [part for part in parts if not part.revoked]
    if rollout.state == RECALLED:
        return [Revert(part.device) for part in counted if _to_be_reverted(part, now)]
    if rollout.state != RUNNING:
        return []
    if not counted:
        return [Fail(parts[0].device, "No kiosk of it is let in any more.")] if parts else []
    if (bad := next((part for part in counted if part.state in BAD), None)) is not None:
        return [Fail(bad.device, bad.reason)]
    if all(part.state == HEALTHY for part in counted):
        return [Finish()]
    again: list[Step] = [Tell(part.device) for part in counted if _to_be_told_again(part, now)]
    if not allowed_now:
        # Whoever was told goes on: a release half brought is no reason to stop.
        return again
    return again + [Tell(part.device) for part in _next(rollout, counted, now)]


def _next(rollout: RollOut, parts: Sequence[Part], now: datetime) -> list[Part]:
    """Those that are to begin now."""
    ordered = sorted(parts, key=lambda part: (part.place, part.device))
    if all(part.state == WAITING for part in parts):
        return [ordered[0]] if ordered[0].there else []
    # Where the one that went first is let in no more, another that is well long enough vouches for it.
    if not any(part.state == HEALTHY and now - part.changed_at >= rollout.soak for part in parts):
        return []
    # One that went away before it had it takes nobody's turn.
    room = rollout.batch - sum(part.state in AT_IT and (part.there or part.state != TOLD) for part in parts)
    return [part for part in ordered if part.state == WAITING and part.there][: max(0, room)]


def absent(rollout: RollOut, parts: Sequence[Part]) -> Part | None:
    """The one that is to go first and is not there, so that nobody begins."""
    counted = sorted((part for part in parts if not part.revoked), key=lambda part: (part.place, part.device))
    if rollout.state != RUNNING or not counted or any(part.state != WAITING for part in counted):
        return None
    return None if counted[0].there else counted[0]


def silent(rollout: RollOut, parts: Sequence[Part], now: datetime) -> Part | None:
    """The one that holds a roll-out up for the longest time: it has been at it since, and says nothing."""
    if rollout.state != RUNNING:
        return None
    at_it = [part for part in parts if part.state in AT_IT and not part.revoked]
    longest = min(at_it, key=lambda part: part.changed_at, default=None)
    return longest if longest is not None and now - longest.changed_at >= STILL else None


def _to_be_told_again(part: Part, now: datetime) -> bool:
    return part.state == TOLD and part.there and (part.ticket_until is None or part.ticket_until <= now)


def _to_be_reverted(part: Part, now: datetime) -> bool:
    at_it = part.state in AT_IT or part.state in (LEFT, HEALTHY)
    return at_it and part.there and (part.reverted_at is None or now - part.reverted_at >= AGAIN)


def moves(before: str, stage: str) -> bool:
    """Whether a kiosk's word takes it further: words may come late, or in another order."""
    if stage in BAD:
        return before not in BAD
    return before in _ORDER and _ORDER[stage] > _ORDER[before]


def fault_of_window(window: str) -> str | None:
    """What is wrong with 'HH:MM-HH:MM', and what is allowed; '' is always."""
    if not window or (_WINDOW.fullmatch(window) and window[:5] != window[6:]):
        return None
    return f"update.between is {window[:20]!r}; allowed are times like 22:00-06:00, and '' for always."


def is_within(window: str, now: datetime) -> bool:
    """Whether the clock on the wall stands between the two times; over midnight where the first is later."""
    if not window:
        return True
    time, begin, end = f"{now.astimezone():%H:%M}", window[:5], window[6:]
    return begin <= time < end if begin < end else time >= begin or time < end
