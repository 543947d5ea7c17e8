"""The rows of the story, ready for the tables, and the seeded dice that they are made with."""

import datetime as dt
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from broker.events import new_id, reference_of

T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """One of the staff as the story needs them."""

    id: str
    name: str
    role: str
    zones: frozenset[str]
    languages: frozenset[str]


@dataclass(frozen=True)
class Shop:
    """Where the story plays. `topics` are the help buttons of each device; `titles` the zones' names."""

    store: str
    staff: Sequence[Person]
    devices: dict[str, str]
    topics: dict[str, tuple[str, ...]]
    titles: dict[str, str]
    tz: dt.tzinfo = dt.UTC


@dataclass
class Day:
    """One day's rows by table. Timeline rows of one interaction stand in order of time."""

    interaction: list[Row] = field(default_factory=list)
    timeline: list[Row] = field(default_factory=list)
    page: list[Row] = field(default_factory=list)
    feedback: list[Row] = field(default_factory=list)


class Dice:
    """Everything that chance decides. One for each day, so that a day does not depend on those before."""

    def __init__(self, seed: int, day: int) -> None:
        self._random = random.Random(f"{seed}/{day}")
        self.chance = self._random.random
        self.between = self._random.uniform
        self.gauss = self._random.gauss

    def happens(self, share: float) -> bool:
        return self.chance() < share

    def one_of(self, among: Sequence[T]) -> T:
        return among[int(self.chance() * len(among))]

    def weighted(self, among: dict[T, float]) -> T:
        return self._random.choices(list(among), list(among.values()))[0]

    def around(self, median: float, sigma: float) -> float:
        """Log-normal: most near the median, a few far beyond."""
        return median * math.exp(self._random.gauss(0.0, sigma))

    def id_at(self, at: dt.datetime) -> str:
        return str(new_id(int(at.timestamp() * 1000), self._random.randbytes(10)))


def interaction(shop: Shop, dice: Dice, device: str, kind: str, at: dt.datetime, **values: Any) -> Row:
    """A row of the log as it is for what needs no person; `values` say what is different.

    Every row has the same columns, so that many can be inserted at once.
    """
    id_ = dice.id_at(at)
    row: Row = {
        "id": id_,
        "store": shop.store,
        "device": device,
        "zone": shop.devices[device],
        "kind": kind,
        "topic": None,
        "language": None,
        "state": "recorded",
        "reference": reference_of(UUID(id_)),
        "count": 1,
        "revision": 0,
        "step": 0,
        "round": 0,
        "silent": False,
        "drill": False,
        "raised_at": at,
        "received_at": at + dt.timedelta(milliseconds=40),
        "age_known": True,
        "owner": None,
        "acknowledged_at": None,
        "attended_at": None,
        "closed_at": None,
        "outcome": None,
        "note": None,
        "score": None,
        "reason": None,
        "about": None,
    }
    return row | values


def line(
    request: str, at: dt.datetime, what: str, through: str, words: str, person: str | None = None
) -> Row:
    return {
        "interaction": request,
        "at": at,
        "what": what,
        "person": person,
        "through": through,
        "words": words,
    }
