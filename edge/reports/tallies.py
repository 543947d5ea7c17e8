"""Running totals that only grow, each written in the transaction of what it counts: reading them costs the
same however long the log is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import timedelta

import sqlalchemy as sa

from edge.db.inserts import INSERT
from edge.db.tables import tally as table

# Kinds of events that can tell of no silent request; a cancel or an arrival may be one's.
LOUD = frozenset({"help", "greet", "feedback", "drawer", "tamper"})
# Upper bounds of the histogram of answers, in seconds; "more" is beyond the last.
WITHIN_S = (2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 300)
MORE = "more"


@dataclass(frozen=True, slots=True, order=True)
class Tally:
    """What is counted. `silent`: only for those who may know of silent requests."""

    name: str
    label: str = ""
    silent: bool = False


_NEW = {dialect: insert(table) for dialect, insert in INSERT.items()}
_ADD = {
    dialect: new.on_conflict_do_update(
        index_elements=["store", "name", "label", "silent"],
        set_={"value": table.c.value + new.excluded.value},
    )
    for dialect, new in _NEW.items()
}


def event(kind: str) -> Tally:
    """An event that was taken in."""
    return Tally("events", kind, kind not in LOUD)


def refused(topic: str) -> Tally:
    """A message that was refused."""
    return Tally("refused", silent=topic.rpartition("/")[2] not in LOUD)


def sent(*, silent: bool) -> Tally:
    """A page that was written to its person's stream."""
    return Tally("pages_sent", silent=silent)


def missed(kind: str, *, silent: bool) -> Tally:
    """A request that nobody answered in time."""
    return Tally("missed", kind, silent or kind == "security")


def trouble(what: str, *, silent: bool) -> Tally:
    """Something of the store's own that people heard was wrong."""
    return Tally("troubles", what, silent)


def answered(kind: str, wait: timedelta, *, silent: bool) -> list[tuple[Tally, int]]:
    """One answer, `wait` after the press, in the histogram and its sum."""
    seconds, hidden = max(wait.total_seconds(), 0.0), silent or kind == "security"
    within = next((str(bound) for bound in WITHIN_S if seconds <= bound), MORE)
    return [
        (Tally("answered", f"{kind}/{within}", hidden), 1),
        (Tally("answered_ms", kind, hidden), round(1000 * seconds)),
    ]


def add(conn: sa.Connection, store: str, counted: Iterable[tuple[Tally, int]]) -> None:
    """Before anything is put on the feed: whoever adds locks these rows first, then the feed's head."""
    sums: Counter[Tally] = Counter()
    for one, count in counted:
        sums[one] += count
    if sums:
        # In one order, so that no two writers wait for each other.
        rows = [(*astuple(one), count) for one, count in sorted(sums.items())]
        keys = ("name", "label", "silent", "value")
        values = [{"store": store} | dict(zip(keys, row, strict=True)) for row in rows]
        conn.execute(_ADD[conn.dialect.name], values)


def totals(conn: sa.Connection, store: str) -> dict[Tally, int]:
    """All of them. The caller leaves out what may not be shown."""
    t = table.c
    rows = conn.execute(sa.select(t.name, t.label, t.silent, t.value).where(t.store == store))
    return {Tally(row.name, row.label, row.silent): row.value for row in rows}
