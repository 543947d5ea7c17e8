"""A request that somebody has accepted and where nobody is known to have arrived.

Whoever has it is asked; if they do not answer others are called. They stay responsible until another accepts
(edge/paging/decisions/002).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.handling.calling import callers
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.request import ARRIVED, Change, Request, State
from edge.interactions.store import Entry
from edge.lengths import in_words
from edge.paging import store as pages
from edge.paging import timers
from edge.paging.timers import Timer
from edge.presence import AWAY
from edge.routing.choose import Colleague, seniors
from edge.routing.roster import Floor

# From 'I am coming' to the question, and from there to the others.
ARRIVE = timedelta(seconds=120)
ANSWER = timedelta(seconds=30)
# Whether somebody else can be called is looked at so often; for security they are paged again.
AGAIN = {"help": timedelta(seconds=60), "security": timedelta(seconds=30)}
ASKS = ARRIVED
# How the reason of a page ends that calls somebody in an owner's place.
ABSENT = "and does not answer"
_SAID = ("acknowledged", "handed_over", "taken_over", "still_coming")


def follow(conn: sa.Connection, store: str, before: Request, change: Change, now: datetime) -> set[str]:
    """Begin to wait, or end the question, as a change asks; whose pages need no answer any more."""
    after = change.request
    if after.kind not in AGAIN or after.state not in (State.ACKNOWLEDGED, State.ATTENDED):
        return set()
    anew = before.state is not after.state or before.owner != after.owner or change.what == "still_coming"
    if not anew:
        return set()
    waits = after.state is State.ACKNOWLEDGED
    timers.set_due(conn, store, after.id, Timer.ARRIVAL, now + ARRIVE if waits else None)
    if before.owner is None:
        return set()
    return pages.end_because(conn, after.id, (ASKS, ABSENT), change.person, now)


def fire(
    conn: sa.Connection, telling: Telling, request: Request, read_floor: Callable[[], Floor], now: datetime
) -> None:
    """Nobody has arrived in time: ask whoever has it; once they were asked, call the others."""
    if request.state is not State.ACKNOWLEDGED or request.owner is None:
        return
    if unheard(conn, request):
        _call_others(conn, telling, request, request.owner, read_floor(), now)
        return
    words = f"{request.owner_name} is asked whether they are there."
    _page(conn, telling, request, [(request.owner, ASKS)], "arrival_asked", words, now)
    timers.set_due(conn, telling.store, request.id, Timer.ARRIVAL, now + ANSWER)


def unheard(conn: sa.Connection, request: Request) -> bool:
    """Whether whoever has it was asked, and has not answered."""
    return request.state is State.ACKNOWLEDGED and pages.waits_because(conn, request.id, ASKS) > 0


def others_called(conn: sa.Connection, request: Request) -> int:
    """How many are called because whoever has it does not answer."""
    return pages.waits_because(conn, request.id, ABSENT) if request.state is State.ACKNOWLEDGED else 0


def as_told(request: Request) -> Request:
    """As the device hears of it meanwhile: nobody is known to be on the way."""
    return replace(request, state=State.RAISED, owner=None, owner_name=None)


def _call_others(
    conn: sa.Connection, telling: Telling, request: Request, owner: str, floor: Floor, now: datetime
) -> None:
    timers.set_due(conn, telling.store, request.id, Timer.ARRIVAL, now + AGAIN[request.kind])
    if request.kind == "help" and others_called(conn, request):
        # They still see it; whoever forgot a tap must not make the whole shop ring each minute.
        return
    apart = {owner, *callers(conn, request)}
    roster = [c for c in floor.roster if c.id not in apart]
    called = _whom(conn, request, roster)
    if not called:
        if not requests.last_words(conn, request.id, ("arrival_nobody",)):
            words = f"{request.owner_name} has not answered, and nobody else can be called."
            requests.append(conn, [Entry(request.id, now, "arrival_nobody", "policy", words)])
        return
    said_at = requests.last_said(conn, request.id, owner, _SAID) or now
    reason = f"{request.owner_name} said {in_words(now - said_at)} ago that they are coming {ABSENT}"
    words = f"{request.owner_name} has not answered; called: {', '.join(c.name for c in called)}."
    chosen = [(c.id, reason) for c in called]
    after = _page(conn, telling, request, chosen, "arrival_unanswered", words, now)
    telling.call(as_told(after), "paging.supervisors", {"people": len(called)})


def _whom(conn: sa.Connection, request: Request, roster: list[Colleague]) -> list[Colleague]:
    """For security everyone it concerns; for help supervisors, or else whoever is here; none who declined."""
    if request.kind == "security":
        before = pages.paged(conn, request.id)
        return [c for c in roster if c.role in ("security", "supervisor") or c.id in before]
    willing = [c for c in roster if not pages.has_declined(conn, request.id, c.id)]
    able = {chosen.person for chosen in seniors(willing)}
    return [c for c in willing if c.id in able] or [c for c in willing if c.presence not in AWAY]


def _page(
    conn: sa.Connection,
    telling: Telling,
    request: Request,
    chosen: list[tuple[str, str]],
    what: str,
    words: str,
    now: datetime,
) -> Request:
    after = replace(request, round=request.round + 1, revision=request.revision + 1)
    requests.update(conn, request, after)
    requests.append(conn, [Entry(request.id, now, what, "policy", words)])
    telling.paged(after, pages.insert(conn, telling.store, request.id, chosen, after.round, now))
    telling.changed(after, pages.paged(conn, request.id))
    return after
