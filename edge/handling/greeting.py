"""Calling somebody to greet whoever came in, once nobody has for long enough, or to look at a drawer that was
not closed; and what the end of it writes."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.config import Policies
from edge.handling import escalating
from edge.handling.escalating import ReadFloor
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import GREETED, LOOKED, CallOut, Change, Request, State
from edge.interactions.store import Entry
from edge.paging import timers
from edge.paging.timers import Timer
from edge.routing.escalation import advance

# Whoever came in this much longer ago than they are waited with has gone on; nobody is sent after them.
LATE = timedelta(seconds=30)


def fire(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    request_id: str,
    kind: Timer,
    due: datetime,
    read_floor: ReadFloor,
    now: datetime,
) -> None:
    """Do what one due timer is there for, be it a request's, a greeting's or a drawer's (escalating.fire)."""
    if kind not in (Timer.GREET, Timer.DRAWER):
        escalating.fire(conn, telling, policies, request_id, kind, due, read_floor, now)
    else:
        request = requests.find(conn, telling.store, request_id)
        if timers.claim(conn, request_id, kind, due) and request is not None:
            _call_out(conn, telling, policies, request, due, read_floor, now)


def times(change: Change, now: datetime) -> dict[str, object]:
    """What the row of a greeting says besides its state, after this change."""
    if change.request.state is not State.RESOLVED:
        return {}
    times: dict[str, object] = {"attended_at": now} if change.what == "attended" else {}
    outcome = GREETED if change.request.kind == "greet" else LOOKED
    return times | {"outcome": outcome, "acknowledged_at": now}


def _call_out(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    request: Request,
    due: datetime,
    read_floor: ReadFloor,
    now: datetime,
) -> None:
    decision = decide(request, CallOut())
    if not isinstance(decision, Change):
        return
    # A drawer that nobody has closed is open still.
    if request.kind == "greet" and now - due > LATE:
        words = "The server was away when somebody would have been called; now it is too late."
        requests.append(conn, [Entry(request.id, now, "noted", "policy", words)])
        return
    requests.update(conn, request, decision.request, called_at=now)
    requests.append(conn, [Entry(request.id, now, decision.what, "policy", decision.words)])
    called = requests.load(conn, telling.store, request.id)
    move = advance(escalating.policy_of(policies, request), 0.0, 0, first=True)
    escalating.carry_out(conn, telling, called, move, read_floor(), now)
