"""How old an event is, by the device's monotonic clock alone (DESIGN 4: no kiosk's wall clock). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.events import Clock


@dataclass(frozen=True, slots=True)
class Reference:
    """A device's clock as last heard live: `monotonic_ms` of run `boot` was true at `heard_at`."""

    boot: str
    monotonic_ms: int
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Age:
    """`at_least` is a lower bound; `known` says that it is the age itself."""

    at_least: timedelta
    known: bool


UNKNOWN = Age(timedelta(0), False)


def age_of(clock: Clock | None, reference: Reference | None, now: datetime) -> Age:
    """The age of an event that carries `clock`, measured against the device's last live word.

    Of an earlier run of the clock only this is known: it is older than the present run.
    """
    if clock is None or reference is None:
        return UNKNOWN
    device_now_ms = reference.monotonic_ms + (now - reference.heard_at) / timedelta(milliseconds=1)
    if str(clock.boot) == reference.boot:
        return Age(timedelta(milliseconds=max(0.0, device_now_ms - clock.monotonic_ms)), True)
    return Age(timedelta(milliseconds=max(0.0, device_now_ms)), False)
