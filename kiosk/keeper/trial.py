"""Whether a release that is tried is well. Pure; the sources of what is seen are elsewhere.

A release is well once its kiosk has run for `steady_s` without a new start, its panel and its outbox work,
and the store's server was heard. The time that it has for that, `within_s`, does not run while the store
itself cannot be reached: while the kiosk is connected and the server silent, or while nobody at all answers
at the broker's address. Then the release goes on being tried; presses are kept all the while.
"""

from dataclasses import dataclass
from enum import StrEnum

WORD_GOOD_S = 10.0


class Way(StrEnum):
    """How far the kiosk reaches: the server answers, only the broker does, or nobody."""

    OPEN = "open"
    HELD = "held"
    DOWN = "down"


@dataclass(frozen=True)
class Word:
    """What the kiosk last said of itself. `at_s` is on the machine's monotonic clock, `running_s` since its
    start, `idle`: nobody waits before it."""

    version: str
    at_s: float
    running_s: float
    works: bool
    way: Way
    idle: bool


class Verdict(StrEnum):
    WAIT = "wait"
    # It runs well but the store is away: later starts are no tries any more.
    STEADY = "steady"
    HEALTHY = "healthy"
    BACK = "back"


def is_fresh(word: Word | None, now_s: float) -> bool:
    return word is not None and 0 <= now_s - word.at_s <= WORD_GOOD_S


class Judge:
    """One trial. `look` is called again and again with the newest word and whether anybody answers at the
    broker's address."""

    def __init__(self, release: str, within_s: float, steady_s: float) -> None:
        self.release, self._within_s, self._steady_s = release, within_s, steady_s
        self._spent_s = 0.0
        self._looked_s: float | None = None
        self.reason = ""

    def look(self, word: Word | None, somebody_answers: bool, now_s: float) -> Verdict:
        passed_s = 0.0 if self._looked_s is None else max(0.0, now_s - self._looked_s)
        self._looked_s = now_s
        mine = word if is_fresh(word, now_s) else None
        if mine is not None and mine.version != self.release:
            mine = None
        runs = mine is not None and mine.works
        steady = mine is not None and runs and mine.running_s >= self._steady_s
        if steady and mine is not None and mine.way is Way.OPEN:
            return Verdict.HEALTHY
        away = mine is not None and (mine.way is Way.HELD or (mine.way is Way.DOWN and not somebody_answers))
        if not (runs and away):
            self._spent_s += passed_s
        if self._spent_s > self._within_s:
            self.reason = self._why(mine)
            return Verdict.BACK
        return Verdict.STEADY if steady and away else Verdict.WAIT

    def _why(self, mine: Word | None) -> str:
        within = f"within {self._within_s:g} s"
        if mine is None:
            return f"It did not say that it runs, {within}."
        if not mine.works:
            return f"Its panel or its outbox did not work, {within}."
        if mine.way is Way.DOWN:
            return f"It did not reach the store, which answers at its address, {within}."
        return f"It did not run for {self._steady_s:g} s without a new start, {within}."
