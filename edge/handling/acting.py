"""What a person does to a request, from a phone or by another program (`through`). Each function is one
transaction's work.

They raise Refused, with the holder's name where somebody else has the request, or NotFound.
"""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from edge.errors import NotFound, Refused
from edge.handling import arriving, greeting
from edge.handling.finishing import finish
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import (
    ONE_TAP,
    Acknowledge,
    Action,
    Attend,
    Change,
    Refusal,
    Request,
    Resolve,
    State,
)
from edge.interactions.store import Entry
from edge.paging import store as pages
from edge.people.store import Person, by_id
from edge.reports import tallies


def acknowledge(
    conn: sa.Connection,
    store: str,
    request: str,
    person: str,
    now: datetime,
    through: str = "phone",
    telling: Telling | None = None,
) -> None:
    """'I am coming'. Of several at once exactly one wins; the others are refused with the winner's name.

    Whoever was called to the owner's side comes along, and the owner keeps the request. An owner who is
    called again, because it was pressed again, has answered with that too. One who was asked whether they are
    there, and has not answered, loses it to whoever was called for that.
    """
    who, found = involved(conn, store, request, person)
    beside = pages.waits_for(conn, found.id, person)
    action = Acknowledge(person, who.name, beside, arriving.unheard(conn, found))
    change = act(conn, store, found, action, now, through, telling)
    if beside and (change is None or change.what == "joined"):
        pages.take(conn, found.id, person, now)


def attend(
    conn: sa.Connection,
    store: str,
    request: str,
    person: str,
    now: datetime,
    through: str = "phone",
    telling: Telling | None = None,
) -> None:
    """'I am here'."""
    who, found = involved(conn, store, request, person)
    act(conn, store, found, Attend(person, who.name), now, through, telling)


def resolve(
    conn: sa.Connection,
    store: str,
    request: str,
    person: str,
    outcome: str,
    note: str,
    now: datetime,
    through: str = "phone",
) -> None:
    """Close with an outcome of request.OUTCOMES and an optional note of up to 1000 signs."""
    if len(note) > 1000:
        raise Refused(f"The note has {len(note)} signs; allowed are 1000.")
    who, found = involved(conn, store, request, person)
    action = Resolve(person, who.role, outcome, note)
    act(conn, store, found, action, now, through, outcome=outcome, note=note or None)


def mark_streamed(conn: sa.Connection, store: str, page_ids: list[str], now: datetime) -> None:
    """These pages were written to an open stream of their person."""
    mark_sent(conn, store, page_ids, now)
    pages.stream(conn, store, page_ids, now)


def mark_sent(
    conn: sa.Connection, store: str, page_ids: list[str], now: datetime, telling: Telling | None = None
) -> None:
    """These pages left the store for their person, by whichever way; only the first one counts."""
    if not page_ids:
        return
    moved = [request for request, _ in pages.reach(conn, store, page_ids, "sent", now)]
    silent = {one.id for one in requests.among(conn, store, moved) if one.silent}
    counted = [(tallies.sent(silent=request in silent), 1) for request in moved]
    if telling is None:
        tallies.add(conn, store, counted)
    else:
        telling.counted += counted


def mark_delivered(conn: sa.Connection, store: str, person: str, page_ids: list[str], now: datetime) -> None:
    """The person's phone says that it has them."""
    pages.reach(conn, store, page_ids, "delivered", now, person)


def mark_seen(
    conn: sa.Connection,
    store: str,
    person: str,
    page_ids: list[str],
    now: datetime,
    through: str = "phone",
    telling: Telling | None = None,
) -> None:
    """They are on the person's lit screen; the shopper is told who saw the request first."""
    who, told = who_is(conn, store, person), telling or Telling(store)
    # Locked before their pages, as by everyone.
    about = requests.locked(conn, store, pages.about(conn, store, page_ids, person))
    moved = {request for request, _ in pages.reach(conn, store, page_ids, "seen", now, person)}
    for request in about:
        if (
            request.id not in moved
            or request.state is not State.RAISED
            or pages.seen_before(conn, request.id, person, now)
        ):
            continue
        after = replace(request, revision=request.revision + 1)
        requests.update(conn, request, after)
        requests.append(conn, [Entry(request.id, now, "seen", through, f"{who.name} has seen it.", person)])
        told.call(after, "seen", {"name": who.name})
    if telling is None:
        told.flush(conn, now)


def who_is(conn: sa.Connection, store: str, person: str) -> Person:
    """Somebody who works here, or NotFound."""
    who = by_id(conn, store, person)
    if who is None or not who.active:
        raise NotFound("There is no such person in this store.")
    return who


def involved(conn: sa.Connection, store: str, request_id: str, person: str) -> tuple[Person, Request]:
    """The person and the request, or NotFound.

    An associate who was not called for a silent request does not even learn that there is one.
    """
    who = who_is(conn, store, person)
    if len(request_id) != 36:
        raise NotFound("There is no such request in this store.")
    request = requests.load(conn, store, request_id)
    if request.state is State.RECORDED:
        raise NotFound("This was only recorded; nobody is called for it.")
    if request.silent and not _concerned(conn, request, who):
        raise NotFound("There is no such request in this store.")
    return who, request


def act(
    conn: sa.Connection,
    store: str,
    request: Request,
    action: Action,
    now: datetime,
    through: str = "phone",
    telling: Telling | None = None,
    **more: object,
) -> Change | None:
    """Carry out what the rules decide, or raise Refused; None where nothing changes.

    With `telling`, whose transaction it is tells of it.
    """
    decision = decide(request, action)
    if isinstance(decision, Refusal):
        raise Refused(decision.sentence, decision.holder)
    if not isinstance(decision, Change):
        return None
    told = telling or Telling(store)
    if request.kind in ONE_TAP:
        more |= greeting.times(decision, now)
    finish(conn, told, request, decision, through, now, **more)
    if telling is None:
        told.flush(conn, now)
    return decision


def _concerned(conn: sa.Connection, request: Request, who: Person) -> bool:
    if who.role != "associate" or request.owner == who.id:
        return True
    # Whoever called it knows, and writes about it once others have ended it.
    called = request.raised_by == who.id and request.state in (State.RESOLVED, State.MISSED)
    return called or pages.was_paged(conn, request.id, who.id)
