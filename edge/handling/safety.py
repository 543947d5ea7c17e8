"""'Are you safe?': those who were called ask the caller, with one tap each way.

It is asked beside the escalation and changes nothing of it, whatever is answered. No answer is none.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.store_tables import person as people
from edge.db.tables import timeline
from edge.errors import NotFound, Refused
from edge.handling import acting
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.request import Request
from edge.interactions.store import Entry
from edge.paging import store as pages

# What a timeline calls the moment from which the caller's own phone must show nothing of it any more.
WATCHED = "watched"
ASKED, SAFE, UNSAFE = "safe_asked", "safe_yes", "safe_no"
# Two who ask at the same moment ask once.
SAME = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Check:
    """The last question to the caller, and its answer if there is one."""

    by: str
    asked_at: datetime
    safe: bool | None = None
    answered_at: datetime | None = None


def ask(
    conn: sa.Connection, store: str, request_id: str, person: str, now: datetime, through: str = "phone"
) -> None:
    """One who was called, or who may see it, asks the caller. Refused where nobody could answer."""
    who, request = acting.involved(conn, store, request_id, person)
    if request.kind != "security" or request.raised_by is None:
        raise Refused("Nobody knows who called; there is no phone to ask.")
    if request.raised_by == person:
        raise Refused("This is your own call.")
    if not request.open:
        raise Refused("This request is over; nobody is asked any more.")
    if watched(conn, request):
        raise Refused("Somebody watches the caller's phone; nothing is shown there.")
    last = of(conn, request.id)
    if last is not None and last.safe is None and now - last.asked_at < SAME:
        return
    words = f"{who.name} asks whether the caller is safe."
    _write(conn, store, request, Entry(request.id, now, ASKED, through, words, person), now)


def answer(
    conn: sa.Connection,
    store: str,
    request_id: str,
    person: str,
    safe: bool,
    now: datetime,
    through: str = "phone",
) -> None:
    """The caller's own word. The same word again changes nothing; NotFound for anybody else."""
    who = acting.who_is(conn, store, person)
    request = requests.find(conn, store, request_id) if len(request_id) == 36 else None
    if request is None or request.raised_by != person or request.kind != "security":
        raise NotFound("There is no such request in this store.")
    last = of(conn, request.id)
    if not request.open or last is None:
        raise Refused("Nobody asks any more.")
    if last.safe == safe:
        return
    words = f"{who.name} answers: {'I am safe' if safe else 'I am not safe'}."
    _write(
        conn, store, request, Entry(request.id, now, SAFE if safe else UNSAFE, through, words, person), now
    )


def of(conn: sa.Connection, request: str) -> Check | None:
    """How the last question stands; None if nobody has asked."""
    t, asker = timeline.c, _names()
    query = (
        sa.select(t.what, t.at, asker.label("name"))
        .where(t.interaction == request, t.what.in_((ASKED, SAFE, UNSAFE)))
        .order_by(t.id.desc())
    )
    answered: tuple[bool, datetime] | None = None
    for row in conn.execute(query):
        if row.what == ASKED:
            return Check(row.name or "", row.at, *(answered or (None, None)))
        answered = answered or (row.what == SAFE, row.at)
    return None


def watched(conn: sa.Connection, request: Request) -> bool:
    """Whether somebody may be watching the caller's phone: their second PIN was typed."""
    return request.topic == "duress" or requests.has_said(conn, request.id, WATCHED)


def _names() -> sa.ScalarSelect[str]:
    named = sa.select(people.c.name).where(people.c.id == timeline.c.person)
    return named.correlate(timeline).scalar_subquery()


def _write(conn: sa.Connection, store: str, request: Request, entry: Entry, now: datetime) -> None:
    after = replace(request, revision=request.revision + 1)
    requests.update(conn, request, after)
    requests.append(conn, [entry])
    telling = Telling(store)
    telling.changed(after, pages.paged(conn, request.id))
    telling.flush(conn, now)
