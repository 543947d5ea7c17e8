"""The filtered log as rows of plain cells, in chunks: a year of it takes no more memory than a day.

The columns and what they mean are COLUMNS; whoever writes a file puts their names into its first line.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.interactions.filters import Filters
from edge.interactions.log import MAX_LIMIT, Row, search

# Name of the column -> what stands in it. Times are ISO 8601 with their offset, by the server's own zone.
COLUMNS: dict[str, str] = {
    "reference": "the shopper's code",
    "raised_at": "when the button was pressed, or, where age_known is no, when the press arrived",
    "age_known": "yes or no",
    "kind": "help, security, feedback, greet, tamper or drawer",
    "topic": "what was asked for",
    "zone": "the zone's name",
    "zone_title": "the zone as people call it",
    "device": "the kiosk",
    "language": "the shopper's language",
    "state": "raised, acknowledged, attended, resolved, cancelled, missed or recorded",
    "presses": "how often the button was pressed",
    "drill": "yes or no",
    "owner": "who answered",
    "answered_after_s": "seconds from the press to 'I am coming'; empty: nobody did, or the age is unknown",
    "there_after_s": "seconds from the press to 'I am here'; empty as above",
    "closed_at": "when it ended",
    "outcome": "how it ended",
    "note": "what was written down",
    "score": "1 (very unhappy) to 4 (very happy)",
    "reason": "what the shopper said of it",
    "id": "the interaction's id, as in its address",
}
Cell = str | int | float | None
Read = Callable[[], AbstractContextManager[sa.Connection]]


def rows(read: Read, store: str, filters: Filters) -> Iterator[list[Cell]]:
    """The cells of every row, the newest press first.

    Each chunk is one short reading: an export that a slow network holds up keeps no connection and no
    snapshot, so that the database's log is moved meanwhile.
    """
    before = None
    while True:
        with read() as conn:
            found = search(conn, store, filters, before, MAX_LIMIT)
        yield from map(cells, found)
        if len(found) < MAX_LIMIT:
            return
        before = found[-1].cursor


def cells(row: Row) -> list[Cell]:
    """One row in the order of COLUMNS."""
    return [
        row.reference,
        _time(row.raised_at),
        _yes(row.age_known),
        row.kind,
        row.topic,
        row.zone,
        row.zone_title,
        row.device,
        row.language,
        row.state,
        row.count,
        _yes(row.drill),
        row.owner_name,
        _after(row, row.acknowledged_at),
        _after(row, row.attended_at),
        _time(row.closed_at),
        row.outcome,
        row.note,
        row.score,
        row.reason,
        row.id,
    ]


def _time(at: datetime | None) -> str | None:
    return at.astimezone().isoformat(timespec="milliseconds") if at else None


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _after(row: Row, at: datetime | None) -> float | None:
    if at is None or not row.age_known:
        return None
    return round((at - row.raised_at) / timedelta(seconds=1), 3)
