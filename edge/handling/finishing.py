"""A request's change of state: written, with what it ends, and told."""

from datetime import datetime

import sqlalchemy as sa

from edge.feedback import store as scores
from edge.handling import arriving
from edge.handling.telling import Telling, say, state_text
from edge.interactions import store as requests
from edge.interactions.request import ONE_TAP, Change, Request, State
from edge.interactions.store import Entry
from edge.outside import store as outside
from edge.outside.channels import MISSED
from edge.paging import store as pages
from edge.paging import timers
from edge.paging.timers import Timer
from edge.reports import tallies


def finish(
    conn: sa.Connection,
    telling: Telling,
    before: Request,
    change: Change,
    through: str,
    now: datetime,
    **more: object,
) -> None:
    """Write a change of state, end its pages and timers as the new state asks, and tell everyone."""
    after = change.request
    column = {
        State.ACKNOWLEDGED: "acknowledged_at",
        State.ATTENDED: "attended_at",
        State.RESOLVED: "closed_at",
        State.CANCELLED: "closed_at",
        State.MISSED: "closed_at",
    }.get(after.state)
    # The first answer and the first arrival are what the shopper waited for, whoever comes after a hand-over.
    known = {"acknowledged_at": before.acknowledged_at, "attended_at": before.attended_at}
    if column and after.state is not before.state and known.get(column) is None:
        more.setdefault(column, now)
        if after.state is State.ATTENDED and before.state is State.RAISED:
            more["acknowledged_at"] = now
    _count(telling, before, after, now)
    requests.update(conn, before, after, **more)
    requests.append(conn, [Entry(after.id, now, change.what, through, change.words, change.person)])
    if after.state in (State.ATTENDED, State.RESOLVED) and through != "policy":
        # Whoever is at the device may be the hand that pressed a face there.
        scores.doubt(conn, telling.store, after.device, now, now)
    if after.state is State.MISSED and after.kind == "help":
        outside.mark(conn, telling.store, MISSED, after.id, now)
    called = set(pages.paged(conn, after.id))
    if after.state is not State.RAISED:
        ended = _end_pages(conn, before, after, called, now)
        if change.what in ("joined", "not_coming") and change.person is not None:
            ended.add(change.person)
        telling.over(after, ended | arriving.follow(conn, telling.store, before, change, now))
        _end_timers(conn, telling.store, before, after)
    telling.changed(after, called | ({after.owner} if after.owner else set()))
    say(conn, telling, after, *state_text(after), now)


def _count(telling: Telling, before: Request, after: Request, now: datetime) -> None:
    """The first answer, and a miss, in the running totals: as in the reports, drills are not counted."""
    if before.drill or before.kind in ONE_TAP or after.state is before.state:
        return
    if after.state is State.MISSED:
        telling.count(tallies.missed(after.kind, silent=after.silent))
        return
    answers = before.state is State.RAISED and after.state in (State.ACKNOWLEDGED, State.ATTENDED)
    if answers and before.acknowledged_at is None and before.age_known:
        wait = now - before.raised_at
        telling.counted += tallies.answered(after.kind, wait, silent=after.silent)


def _end_pages(
    conn: sa.Connection, before: Request, after: Request, called: set[str], now: datetime
) -> set[str]:
    """Close the pages that this change answers; whose need no answer any more.

    While somebody has the request, those of colleagues called to their side stand.
    """
    if before.state is State.RAISED or not after.open:
        pages.close(conn, after.id, after.owner, now)
        return called
    asked = before.handover_to
    if asked is None or asked == after.handover_to:
        return set()
    if after.owner == asked:
        pages.take(conn, after.id, asked, now)
    else:
        pages.withdraw(conn, after.id, asked, now)
    return {asked}


def _end_timers(conn: sa.Connection, store: str, before: Request, after: Request) -> None:
    if not after.open:
        timers.clear(conn, after.id)
        return
    timers.set_due(conn, store, after.id, Timer.ESCALATE, None)
    if after.state is State.ATTENDED:
        timers.set_due(conn, store, after.id, Timer.PROGRESS, None)
    if before.handover_to is not None and after.handover_to is None:
        timers.set_due(conn, store, after.id, Timer.HANDOVER, None)
