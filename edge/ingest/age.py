"""How old an event is, by the device's monotonic clock alone (DESIGN 4: no kiosk's wall clock). Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from broker.events import Clock
from edge import lengths


@dataclass(frozen=True, slots=True)
class Reference:
    """A device's clock as last heard live: `monotonic_ms` of run `boot` was true at `heard_at`.

    `present` says that the device is known to be in this run still: nothing of it can have been missed since.
    `doubted_at` is set from the first later word on that contradicts it, until another settles which is true.
    """

    boot: str
    monotonic_ms: int
    heard_at: datetime
    present: bool = True
    doubted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Age:
    """`at_least` is a lower bound; `known` says that it is the age itself."""

    at_least: timedelta
    known: bool


UNKNOWN = Age(timedelta(0), False)
# A device may claim any clock; more than this says no more and would not fit into a date.
OLDEST = timedelta(days=3650)


# A word that comes this much later than its device's clock says has waited on its way.
LATE = timedelta(seconds=2)
# If words go on coming as late as that for so long, it was not they that waited: the device's clock stood.
SETTLED = timedelta(seconds=3)


def heard(before: Reference | None, word: Reference) -> Reference:
    """The reference after a live word.

    One that waited, in the socket of a worker that hung or behind a dead access point, would make every
    event look younger by its wait. It is told apart by the run of both clocks since the word before.
    """
    if before is None or before.boot != word.boot:
        return word
    ran = timedelta(milliseconds=word.monotonic_ms - before.monotonic_ms)
    if word.heard_at - before.heard_at - ran < LATE:
        return word
    first = before.doubted_at or word.heard_at
    if word.heard_at - first >= SETTLED:
        return word
    return replace(before, present=True, doubted_at=first)


def age_of(clock: Clock | None, reference: Reference | None, now: datetime) -> Age:
    """The age of an event that carries `clock`, measured against the device's last live word.

    Of another run of the clock only this is known, if the device is still in the run that was heard last:
    it was an earlier one, so the event is older than the present run. If not, the event may be of a later
    run than was heard of, and nothing is known.
    """
    if clock is None or reference is None:
        return UNKNOWN
    if reference.doubted_at is not None:
        return UNKNOWN
    device_now_ms = reference.monotonic_ms + (now - reference.heard_at) / timedelta(milliseconds=1)
    if str(clock.boot) == reference.boot:
        return Age(_milliseconds(device_now_ms - clock.monotonic_ms), True)
    if not reference.present:
        return UNKNOWN
    return Age(_milliseconds(device_now_ms), False)


def apart(one: Clock | None, other: Clock | None) -> timedelta:
    """The time between two events by the device's own clock; forever if they are of different runs of it."""
    if one is None or other is None or one.boot != other.boot:
        return timedelta.max
    return timedelta(milliseconds=abs(one.monotonic_ms - other.monotonic_ms))


def in_words(age: Age) -> str:
    """An age as the timeline says it."""
    return ("" if age.known else "at least ") + lengths.in_words(age.at_least)


def _milliseconds(value: float) -> timedelta:
    return min(OLDEST, timedelta(milliseconds=max(0.0, value)))
