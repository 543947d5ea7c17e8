"""Requests that wait while policies change: they go on by those in force, and none falls silent."""

from datetime import datetime

import sqlalchemy as sa

from edge.config import Policies
from edge.handling.escalating import ReadFloor, apart, carry_out, policy_of
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.paging import timers
from edge.paging.timers import Timer
from edge.routing.escalation import advance, due_at


def follow(
    conn: sa.Connection,
    telling: Telling,
    old: Policies,
    new: Policies,
    read_floor: ReadFloor,
    now: datetime,
) -> int:
    """Policies were changed: every request that still waits goes on as if its new policy had always been so.

    The steps that are due by its age are taken at once, for whoever was not paged before; nobody is paged
    twice for it, and what comes next is set anew, so that no request falls silent. How many went on so.
    """
    followed = 0
    for request in requests.raised(conn, telling.store):
        policy = policy_of(new, request)
        if policy == policy_of(old, request) or apart(conn, request):
            continue
        followed += 1
        before = timers.when(conn, request.id, Timer.ESCALATE)
        move = advance(policy, (now - request.begun_at).total_seconds(), 0, first=True)
        if move.missed:
            timers.set_due(conn, telling.store, request.id, Timer.ESCALATE, now)
            continue
        carry_out(conn, telling, request, move, read_floor(), now)
        # Somebody who edits again and again must not put off the next round.
        after = timers.when(conn, request.id, Timer.ESCALATE)
        if policy.repeat_s is not None and before and after and before < after:
            timers.set_due(conn, telling.store, request.id, Timer.ESCALATE, before)
    return followed


def hold_to(conn: sa.Connection, telling: Telling, policies: Policies, now: datetime) -> int:
    """A worker begins, and policies may have changed while none ran: nobody waits longer than they say.

    Whatever is due is done by the timer, which is only ever brought forward. How many were.
    """
    forward = 0
    for request in requests.raised(conn, telling.store):
        if apart(conn, request):
            continue
        age_s = (now - request.begun_at).total_seconds()
        move = advance(policy_of(policies, request), age_s, request.step, first=True)
        due = None if move.missed or move.groups else due_at(request.begun_at, move)
        before = timers.when(conn, request.id, Timer.ESCALATE)
        if before is None or (due or now) < before:
            timers.set_due(conn, telling.store, request.id, Timer.ESCALATE, due or now)
            forward += 1
    return forward
