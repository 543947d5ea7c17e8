"""Paging the next people, saying something new, and giving up honestly: what a request's timers do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from edge.config import Policies, Policy
from edge.drills import store as drills
from edge.handling import arriving, capturing
from edge.handling.calling import callers
from edge.handling.finishing import finish
from edge.handling.telling import Telling, paging_text, say, state_text
from edge.incidents import store as incidents
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import ONE_TAP, Change, LetLapse, Miss, Request, State
from edge.interactions.store import Entry
from edge.outside import store as outside
from edge.outside.channels import SECURITY
from edge.paging import store as pages
from edge.paging import timers
from edge.paging.timers import Timer
from edge.people.store import by_id
from edge.policies import Step
from edge.presence import AWAY
from edge.routing import inforce
from edge.routing.choose import Wanted, choose
from edge.routing.escalation import Move, advance, due_at, hurry
from edge.routing.roster import Floor, read

# A call from a phone for a supervisor: nobody on the floor can stand in for one, but everyone can fetch one.
SUPERVISOR = Policy(steps=[Step(0, ["supervisors"]), Step(20, ["all"])], ceiling_s=600, repeat_s=60)
# A second pair of eyes, once: nobody is paged again for a drawer.
EYES = Policy(steps=[Step(0, ["zone", "supervisors", "security"])], ceiling_s=600)
ReadFloor = Callable[[], Floor]


def policy_of(policies: Policies, request: Request) -> Policy:
    if request.kind == "security":
        return policies.security
    if request.raised_by is not None:
        return SUPERVISOR
    if request.kind == "greet":
        return policies.greeter
    return EYES if request.kind in ONE_TAP else policies.help


def apart(conn: sa.Connection, request: Request) -> bool:
    """Whether it is a drill that the store itself began: that calls nobody but its responder."""
    return request.drill and drills.find(conn, request.store, request.id) is not None


def start(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    request: Request,
    insert: Callable[[Request], None],
    read_floor: ReadFloor,
    now: datetime,
) -> Request:
    """Insert a new request as it stands with its first pages, and page them; returns it so."""
    move = advance(policy_of(policies, request), (now - request.raised_at).total_seconds(), 0, first=True)
    raised = replace(request, step=move.step, revision=1)
    insert(raised)
    _page(conn, telling, raised, move, {}, read_floor(), now)
    if raised.kind == "security" and not raised.drill:
        # Only a mark: its number would make everyone wait for everyone who opens one.
        incidents.mark_due(conn, raised.store, raised.id)
    if raised.kind == "security":
        # Of drills too: some channels take them.
        outside.mark(conn, raised.store, SECURITY, raised.id, now)
        capturing.ask(conn, telling, raised, raised.id, raised.raised_at, now)
    return raised


def page_again(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    request: Request,
    read_floor: ReadFloor,
    now: datetime,
) -> Request:
    """A security request was pressed again: everyone is paged again at once."""
    if apart(conn, request):
        return request
    move = advance(
        policy_of(policies, request), (now - request.begun_at).total_seconds(), request.step, first=False
    )
    return carry_out(conn, telling, request, move, read_floor(), now)


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
    """Do what one due timer is there for, if this transaction is the one that claims it.

    The request is locked before anything of it, here as everywhere: so nobody waits for each other for ever.
    """
    request = requests.find(conn, telling.store, request_id)
    if not timers.claim(conn, request_id, kind, due):
        return
    if request is None or not request.open:
        return
    if kind is Timer.PROGRESS:
        _progress(conn, telling, policies, request, read_floor, now)
        return
    if kind is Timer.HANDOVER:
        _lapse(conn, telling, request, now)
        return
    if kind is Timer.ARRIVAL:
        arriving.fire(conn, telling, request, read_floor, now)
        return
    if request.state is not State.RAISED or apart(conn, request):
        return
    age_s = (now - request.begun_at).total_seconds()
    move = advance(policy_of(policies, request), age_s, request.step, first=False)
    if move.missed:
        give_up(conn, telling, request, now)
    else:
        carry_out(conn, telling, request, move, read_floor(), now)


def give_up(conn: sa.Connection, telling: Telling, request: Request, now: datetime) -> None:
    """The ceiling has passed: the shopper and the manager are told, nobody is paged any more."""
    change = decide(request, Miss())
    if isinstance(change, Change):
        finish(conn, telling, request, change, "policy", now)


def declined(
    conn: sa.Connection,
    telling: Telling,
    file: Policies,
    before: Request,
    change: Change,
    now: datetime,
    through: str,
) -> None:
    """Write that somebody declined, whose page has ended.

    If nobody's page is left, the next steps are taken at once, until somebody new is called. After the last
    step the shopper hears that nobody is free; the ceiling and the repetition stay.
    """
    request = change.request
    requests.update(conn, before, request)
    requests.append(conn, [Entry(request.id, now, change.what, through, change.words, change.person)])
    telling.over(request, [change.person] if change.person else [])
    telling.changed(request, pages.paged(conn, request.id))
    if pages.waits_for_anyone(conn, request.id) or apart(conn, request):
        return
    policies, read_floor = inforce.read(conn, telling.store, file), floor_of(conn, telling.store, now)
    policy, age_s = policy_of(policies, request), (now - request.begun_at).total_seconds()
    while (move := hurry(policy, age_s, request.step)) is not None:
        request = carry_out(conn, telling, request, move, read_floor(), now)
        if pages.waits_for_anyone(conn, request.id):
            return
    words = "Everyone who was called has declined."
    nobody = replace(request, revision=request.revision + 1)
    requests.update(conn, request, nobody)
    requests.append(conn, [Entry(request.id, now, "noted", "policy", words)])
    say(conn, telling, nobody, "paging.nobody", {}, now)


def _lapse(conn: sa.Connection, telling: Telling, request: Request, now: datetime) -> None:
    """The colleague who was asked has not answered; the owner is told and keeps it."""
    asked = by_id(conn, telling.store, request.handover_to) if request.handover_to else None
    decision = decide(request, LetLapse(asked.name if asked else "The colleague"))
    if isinstance(decision, Change):
        finish(conn, telling, request, decision, "policy", now)


def answer(conn: sa.Connection, telling: Telling, request: Request, now: datetime) -> None:
    """Tell a device that has come back how its request stands."""
    waited = int((now - request.raised_at).total_seconds())
    if others := arriving.others_called(conn, request):
        told = arriving.as_told(request)
        telling.call(told, "paging.still", {"people": others, "seconds": waited})
        return
    if request.state is not State.RAISED:
        telling.call(request, *state_text(request))
        return
    if called := pages.paged(conn, request.id):
        telling.call(request, "paging.still", {"people": len(called), "seconds": waited})
    else:
        telling.call(request, "paging.nobody")


def carry_out(
    conn: sa.Connection, telling: Telling, request: Request, move: Move, floor: Floor, now: datetime
) -> Request:
    """The next step or round of a request that stands."""
    round_ = request.round + 1 if move.again else request.round
    after = replace(request, step=move.step, round=round_, revision=request.revision + 1)
    requests.update(conn, request, after)
    _page(conn, telling, after, move, pages.paged(conn, request.id), floor, now)
    return after


def _page(
    conn: sa.Connection,
    telling: Telling,
    request: Request,
    move: Move,
    before: dict[str, str],
    floor: Floor,
    now: datetime,
) -> None:
    """Page whom the move asks for, set the next timer and tell the kiosk and the staff.

    `before` is who was paged already, and why.
    """
    zone = request.zone
    wanted = Wanted(
        request.id, request.kind, zone, floor.title(zone), request.language, callers(conn, request)
    )
    chosen = [(c.person, c.reason) for c in choose(wanted, floor.roster, move.groups, before.keys())]
    if move.again:
        there = {c.id for c in floor.roster if request.kind == "security" or c.presence not in AWAY}
        chosen = [(who, reason) for who, reason in before.items() if who in there] + chosen
    new = pages.insert(conn, telling.store, request.id, chosen, request.round, now)
    names = {c.id: c.name for c in floor.roster}
    requests.append(
        conn,
        [
            Entry(
                request.id,
                now,
                "paged",
                "policy",
                f"{names.get(p.person, '?')} is called: {p.reason}.",
                p.person,
            )
            for p in new
            if not move.again or p.person not in before
        ]
        or [Entry(request.id, now, "paged", "policy", _nobody_new(request, move, len(before)))],
    )
    raised = request.state is State.RAISED
    next_at = due_at(request.begun_at, move) if raised else None
    timers.set_due(conn, telling.store, request.id, Timer.ESCALATE, next_at)
    telling.paged(request, new)
    called = {*before, *(p.person for p in new)}
    telling.changed(request, called)
    if not raised:
        say(conn, telling, request, *state_text(request), now)
    elif not called:
        say(conn, telling, request, "paging.nobody", {}, now)
    elif any(p.person not in before for p in new):
        say(conn, telling, request, paging_text(move.groups), {"people": len(called)}, now)
    else:
        _still_paging(conn, telling, request, len(called), now)


def _nobody_new(request: Request, move: Move, before: int) -> str:
    if request.kind == "greet":
        return "Nobody else is free." if before else "Nobody is free."
    if move.again:
        return f"{before} people paged again." if before else "Nobody is on the roster."
    return "Everyone concerned was paged before." if before else "Nobody is signed in."


def _progress(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    request: Request,
    read_floor: ReadFloor,
    now: datetime,
) -> None:
    """Something new for the kiosk. If nobody who was called is here any more, whoever is gets called now."""
    if request.state is State.RAISED and not _anyone_called_is_here(conn, request, read_floor()):
        age_s = (now - request.begun_at).total_seconds()
        move = advance(policy_of(policies, request), age_s, request.step, first=True)
        if not move.missed:
            carry_out(conn, telling, request, replace(move, groups=("all",)), read_floor(), now)
            return
    after = replace(request, revision=request.revision + 1)
    requests.update(conn, request, after)
    if others := arriving.others_called(conn, request):
        _still_paging(conn, telling, arriving.as_told(after), others, now)
    elif request.state is State.ACKNOWLEDGED:
        waited = int((now - (request.acknowledged_at or now)).total_seconds())
        say(conn, telling, after, "coming.still", {"name": request.owner_name or "", "seconds": waited}, now)
    elif pages.waits_for_anyone(conn, request.id):
        _still_paging(conn, telling, after, len(pages.paged(conn, request.id)), now)
    else:
        say(conn, telling, after, "paging.nobody", {}, now)


def _anyone_called_is_here(conn: sa.Connection, request: Request, floor: Floor) -> bool:
    """Also if nobody at all is here who could be called."""
    apart = callers(conn, request)
    here = {c.id for c in floor.roster if c.presence not in AWAY and c.id not in apart}
    return not here or not here.isdisjoint(pages.paged(conn, request.id))


def _still_paging(
    conn: sa.Connection, telling: Telling, request: Request, people: int, now: datetime
) -> None:
    waited = int((now - request.raised_at).total_seconds())
    say(conn, telling, request, "paging.still", {"people": people, "seconds": waited}, now)


def floor_of(conn: sa.Connection, store: str, now: datetime) -> ReadFloor:
    """Reads the floor once, at the first need, for one transaction."""
    found: list[Floor] = []

    def read_once() -> Floor:
        if not found:
            found.append(read(conn, store, now))
        return found[0]

    return read_once
