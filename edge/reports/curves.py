"""How long people waited, as a distribution. Pure.

Whoever was never answered waited longer than any number: they stay in the denominator and never make a curve
look better (a Kaplan-Meier without censoring is this step function). Averages are made nowhere.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Waits:
    """Lengths in seconds of those that ended, and how many never did."""

    ended_s: list[float] = field(default_factory=list)
    never: int = 0

    @property
    def total(self) -> int:
        return len(self.ended_s) + self.never

    def add(self, seconds: float | None) -> None:
        """One more; None for never."""
        if seconds is None:
            self.never += 1
        else:
            self.ended_s.append(max(0.0, seconds))


@dataclass(frozen=True)
class Quantile:
    """`seconds` None: so many were never answered that this share never was."""

    share: float
    seconds: float | None


@dataclass(frozen=True)
class Bar:
    """One hour of the day; `median_s` and `p90_s` None where they are never, or where `count` is 0."""

    hour: int
    count: int
    never: int
    median_s: float | None
    p90_s: float | None


def share_within(waits: Waits, seconds: float) -> float:
    """Which share of all was over within so many seconds; 0 of nothing."""
    if not waits.total:
        return 0.0
    return sum(1 for one in waits.ended_s if one <= seconds) / waits.total


def ecdf(waits: Waits, marks: Sequence[float]) -> list[float]:
    """share_within at each of `marks`, which rise."""
    lengths = sorted(waits.ended_s)
    shares, done = [], 0
    for mark in marks:
        while done < len(lengths) and lengths[done] <= mark:
            done += 1
        shares.append(done / waits.total if waits.total else 0.0)
    return shares


def quantile(waits: Waits, share: float) -> Quantile:
    """The shortest time within which at least this share of all was over."""
    wanted = max(1, math.ceil(round(share * waits.total, 9)))
    if not waits.total or wanted > len(waits.ended_s):
        return Quantile(share, None)
    return Quantile(share, sorted(waits.ended_s)[wanted - 1])


def by_hour(hours: Mapping[int, Waits]) -> list[Bar]:
    """All 24 hours of the day, in order."""
    bars = []
    for hour in range(24):
        waits = hours.get(hour, Waits())
        bars.append(
            Bar(hour, waits.total, waits.never, quantile(waits, 0.5).seconds, quantile(waits, 0.9).seconds)
        )
    return bars


def marks(lengths: Iterable[Waits], least_s: float = 60.0, most: int = 120) -> list[float]:
    """Where a curve is drawn: from 0 to where nearly all that ends has ended, in even whole seconds."""
    end = least_s
    for waits in lengths:
        if waits.ended_s:
            end = max(end, quantile(Waits(waits.ended_s), 0.98).seconds or 0.0)
    step = max(1, math.ceil(end / most))
    return [float(step * number) for number in range(math.ceil(end / step) + 1)]
