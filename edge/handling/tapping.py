"""A tap on a phone, carried out once however often it is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.errors import Refused
from edge.handling.acting import who_is
from edge.interactions import store as requests
from edge.interactions import taps
from edge.interactions.store import Entry

# A shorter delay is the way itself, and is not written down.
NOTED_FROM_S = 5
Change = Callable[[Callable[[sa.Connection], object]], object]
Work = Callable[[sa.Connection, datetime], object]


@dataclass(frozen=True, slots=True)
class Tap:
    """`id` is the phone's own, the same at each try; `kept_s` is how long the phone has had it."""

    id: str
    kept_s: int


def once(
    change: Change,
    store: str,
    person: str,
    request: str,
    tap: Tap | None,
    work: Work,
    clock: Callable[[], datetime],
) -> None:
    """Do the work in one transaction of `change`, unless this tap was here before: then its answer stands.

    Refused is that answer too, and is kept for the next time. A plain form has no tap.
    """
    if tap is None:
        change(lambda conn: work(conn, clock()))
        return

    def first(conn: sa.Connection) -> None:
        now = clock()
        # Before the work: of the same tap twice at once the second waits here for the first.
        if taps.claim(conn, store, person, tap.id, now):
            _carried_out(conn, store, person, request, tap, work, now)
            return
        before = taps.find(conn, store, person, tap.id)
        if before is not None and before.refused:
            raise Refused(before.refused)

    try:
        change(first)
    except Refused as error:
        sentence = error.sentence
        change(lambda conn: taps.claim(conn, store, person, tap.id, clock(), sentence))
        raise


def _carried_out(
    conn: sa.Connection, store: str, person: str, request_id: str, tap: Tap, work: Work, now: datetime
) -> None:
    late = tap.kept_s >= NOTED_FROM_S and len(request_id) == 36
    before = requests.find(conn, store, request_id) if late else None
    work(conn, now)
    after = requests.find(conn, store, request_id) if before else None
    if before and after and after.revision != before.revision:
        name = who_is(conn, store, person).name
        words = f"{name} tapped this {tap.kept_s} s earlier, without a connection."
        requests.append(conn, [Entry(request_id, now, "kept", "phone", words, person)])
