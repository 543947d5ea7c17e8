"""Drills: begun by plan or when somebody asks, carried like a request of their own, judged and written down.

A drill calls its one responder and nobody else, whatever happens: its request escalates nowhere. Everything
but the press and the page is done at the worker's look, so that no real press ever waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from broker import codec
from broker.messages import Drill as Command
from edge import schedule
from edge.audit.store import Actor, record
from edge.drills import rules
from edge.drills import store as drills
from edge.drills.result import canonical
from edge.drills.result import file_of as result_file
from edge.drills.rules import HOPS, LIMIT, Verdict
from edge.drills.store import Drill
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import basis, escalating, finishing
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.request import Change, Request, State
from edge.interactions.store import Entry
from edge.paging import feed
from edge.paging import store as pages
from edge.people import sessions
from edge.people import store as people
from edge.presence import Presence, at
from edge.schedule import Plan

KINDS = ("help", "security")
# Why the responder is called, as their phone shows it.
REASON = "this is a drill"


class DrillError(EdgeError):
    """A drill or a plan that cannot be. The sentence says what is allowed."""


@dataclass(frozen=True)
class Assignment:
    """What the built-in responder needs to answer one drill; `cursor`: its stream begins behind it."""

    drill: str
    token: str
    cursor: int
    until: datetime


# Whether the built-in responder is at work on a drill, and what troubles it.
Busy = Callable[[str], bool]
Trouble = Callable[[str], str | None]


def ask(
    conn: sa.Connection, store: str, actor: Actor, device: str, kind: str, responder: str, now: datetime
) -> str:
    """Have a drill begin at once; its id. Refused while another runs at that kiosk."""
    basis.allow_change(conn, store, actor)
    devices = drills.last_of_devices(conn, store)
    if device not in devices:
        raise DrillError(f"The kiosk is {device[:32]!r}; this store has {', '.join(devices) or 'none yet'}.")
    if kind not in KINDS:
        raise DrillError(f"The kind is {kind[:20]!r}; allowed are {', '.join(KINDS)}.")
    if responder not in schedule.RESPONDERS:
        raise DrillError(
            f"The responder is {responder[:20]!r}; allowed are {', '.join(schedule.RESPONDERS)}."
        )
    if any(one.device == device for one in drills.going_on(conn, store)):
        raise Refused(f"A drill is running at {device}; wait until it is over.")
    words = f"A {kind} drill was asked for at {device}."
    record(conn, store, actor, "drill.asked", device, words, now)
    cause = "api" if actor.through == "api" else "desk"
    return drills.add(conn, store, device, kind, cause, actor.name, responder == "people", now, now)


def set_plan(
    conn: sa.Connection, store: str, actor: Actor, file: Plan, new: Plan, now: datetime, based_on: str | None
) -> None:
    """This plan from now on."""
    basis.allow_change(conn, store, actor)
    before = values(drills.plan(conn, store, file)[0])
    basis.check(conn, store, based_on, before, "drill", "plan")
    if wrong := new.fault(drills.last_of_devices(conn, store)):
        raise DrillError(wrong)
    if values(new) == before:
        return
    drills.set_plan(conn, store, new, now)
    words = "The plan of the daily drill was changed."
    record(conn, store, actor, "drill.planned", "plan", words, now, *basis.changed(before, values(new)))
    _show(conn, store, "plan", now)


def set_agreed(conn: sa.Connection, store: str, actor: Actor, who: set[str], now: datetime) -> None:
    """These people, and no others, agreed to answer drills."""
    basis.allow_change(conn, store, actor)
    before, everyone = drills.agreed(conn, store), people.all_people(conn, store)
    if unknown := who - {one.id for one in everyone}:
        raise DrillError(f"Nobody who works here is {min(unknown)[:36]!r}; allowed are ids of people.")
    for one in everyone:
        yes = one.id in who
        if yes != (one.id in before):
            drills.agree(conn, store, one.id, yes, now)
            words = f"{one.name} {'agreed to answer drills' if yes else 'answers no drills any more'}."
            record(conn, store, actor, "drill.person", one.name, words, now)


def values(plan: Plan) -> dict[str, Any]:
    """The plan as it is stored, and as its version is made of (basis.of)."""
    return {name: getattr(plan, name) for name in Plan.__struct_fields__}


def look(
    conn: sa.Connection,
    telling: Telling,
    file: Plan,
    busy: Busy,
    trouble: Trouble,
    now: datetime,
) -> list[Assignment]:
    """Begin what is due or asked for, judge what runs; what the built-in responder has to do."""
    store = telling.store
    plan, since = drills.plan(conn, store, file)
    if plan.at:
        _by_plan(conn, telling, plan, since, now)
    found = []
    for one in drills.going_on(conn, store):
        if one.state == "asked":
            one = _begin(conn, telling, one, now)
        _judge(conn, telling, one, trouble(one.id), now)
        if one.built_in and not busy(one.id):
            found.append(_assign(conn, store, one, now))
    return found


def take(
    conn: sa.Connection,
    telling: Telling,
    one: Drill,
    request: Request,
    insert: Callable[[Request], None],
    now: datetime,
) -> Request:
    """The kiosk's press of a drill has come: its responder is paged, or nobody if it is over."""
    raised = replace(request, revision=1)
    insert(raised)
    if one.state != "running" or one.device != request.device or one.responder is None:
        words = "The drill was over when its press came; nobody was called."
        return _close(conn, telling, raised, State.MISSED, words, now)
    new = pages.insert(conn, telling.store, raised.id, [(one.responder, REASON)], 0, now)
    words = f"{one.responder_name} is called: {REASON}."
    requests.append(conn, [Entry(raised.id, now, "paged", "policy", words, one.responder)])
    telling.paged(raised, new)
    telling.changed(raised, [one.responder])
    telling.call(raised, "paging.best", {"people": 1})
    return raised


def heard(conn: sa.Connection, request: Request, now: datetime) -> bool:
    """The kiosk says that it heard of the acknowledgement; False if this is no drill of the store's."""
    if not escalating.apart(conn, request):
        return False
    drills.hear(conn, request.store, request.id, now)
    requests.append(conn, [Entry(request.id, now, "noted", "kiosk", "The kiosk has heard of it.")])
    return True


def _by_plan(
    conn: sa.Connection, telling: Telling, plan: Plan, since: datetime | None, now: datetime
) -> None:
    last = drills.last_by_plan(conn, telling.store)
    found = schedule.due(plan, last.asked_at if last else None, since, now)
    device = schedule.turn_of(plan, drills.last_of_devices(conn, telling.store)) if found else None
    if found is None or device is None:
        return
    what, due_at = found
    kind = schedule.kind_of(plan, last.kind if last else None)
    people_answer = plan.responder == "people"
    id_ = drills.add(conn, telling.store, device, kind, "plan", None, people_answer, due_at, now)
    if what == "missing":
        one = drills.find(conn, telling.store, id_)
        assert one is not None
        words = (
            f"The drill of {due_at:%H:%M} did not take place: the server did not begin it within 15 minutes."
        )
        _end(conn, telling, one, "asked", {}, Verdict("asked", words), now)


def _begin(conn: sa.Connection, telling: Telling, one: Drill, now: datetime) -> Drill:
    who = _volunteer(conn, telling.store, now) if one.people else None
    built_in = who is None
    id_, name = who or drills.test_responder(conn, telling.store, now)
    after, until = drills.last_message(conn), now + LIMIT[built_in]
    drills.move(
        conn, one.id, "asked", "running", responder=id_, responder_name=name, built_in=built_in,
        begun_at=now, until=until, after_message=after,
    )  # fmt: skip
    telling.command(one.device, command_of(one), int(LIMIT[built_in].total_seconds()))
    telling.store_changed("drill", one.id)
    begun = drills.find(conn, telling.store, one.id)
    assert begun is not None
    return begun


def command_of(one: Drill) -> Command:
    return Command("security" if one.kind == "security" else "help", UUID(one.id))


def _volunteer(conn: sa.Connection, store: str, now: datetime) -> tuple[str, str] | None:
    """Of those who agreed and are free, the one whose last drill is longest ago."""
    agreed, last = drills.agreed(conn, store), drills.last_answered(conn, store)
    free = [
        one
        for one in people.all_people(conn, store)
        if one.id in agreed and at(one.presence, one.presence_until, now) is Presence.AVAILABLE
    ]
    never = datetime.min.replace(tzinfo=UTC)
    free.sort(key=lambda one: (last.get(one.id, never), one.name))
    return (free[0].id, free[0].name) if free else None


def _assign(conn: sa.Connection, store: str, one: Drill, now: datetime) -> Assignment:
    who = people.by_id(conn, store, one.responder or "")
    assert who is not None and one.until is not None
    hours = LIMIT[True].total_seconds() * 2 / 3600
    token = sessions.start(conn, who, "floor", now, hours, present=False)
    return Assignment(one.id, token, feed.head(conn, store), one.until)


def _judge(conn: sa.Connection, telling: Telling, one: Drill, trouble: str | None, now: datetime) -> None:
    assert one.until is not None
    passage = drills.passage(conn, telling.store, one, codec.encode(command_of(one)))
    known = drills.known(conn, telling.store, one.device)
    name = one.responder_name or ""
    declined_at = drills.declined_at(conn, one)
    verdict = rules.judge(one.device, name, passage, one.until, known, trouble, now, declined_at)
    if verdict is None:
        return
    request = requests.find(conn, telling.store, one.id)
    if request is not None and request.open:
        answered = request.state is not State.RAISED
        _close(conn, telling, request, State.RESOLVED if answered else State.MISSED, verdict.words, now)
    _end(conn, telling, one, "running", passage, verdict, now)


def _close(
    conn: sa.Connection, telling: Telling, request: Request, state: State, words: str, now: datetime
) -> Request:
    """The rules of requests that people wait for do not count for a drill: it ends when it is judged."""
    closed = replace(request, state=state, revision=request.revision + 1, handover_to=None, handover_at=None)
    finishing.finish(
        conn,
        telling,
        request,
        Change(closed, state.value, f"The drill is over. {words}"[:500]),
        "policy",
        now,
    )
    return closed


def _end(
    conn: sa.Connection,
    telling: Telling,
    one: Drill,
    state: str,
    passage: dict[str, datetime],
    verdict: Verdict,
    now: datetime,
) -> None:
    passed = verdict.hop is None
    result = {
        "version": 1,
        "store": telling.store,
        "id": one.id,
        "device": one.device,
        "kind": one.kind,
        "cause": one.cause,
        "asked_by": one.asked_by,
        "responder": one.responder_name,
        "built_in": one.built_in,
        "passed": passed,
        "failed_at": verdict.hop,
        "words": verdict.words,
        "hops": [{"hop": hop, "at": _stamp(passage[hop])} for hop in HOPS if hop in passage],
        "ended_at": _stamp(now),
    }
    ended = drills.move(
        conn, one.id, state, "passed" if passed else "failed", hop=verdict.hop,
        words=verdict.words[:400], result=canonical(result), ended_at=now,
    )  # fmt: skip
    if ended:
        telling.store_changed("drill", one.id)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _show(conn: sa.Connection, store: str, subject: str, now: datetime) -> None:
    telling = Telling(store)
    telling.store_changed("drill", subject)
    telling.flush(conn, now)


def file_of(one: Drill) -> bytes:
    """The file of its result; Refused before that is signed."""
    if one.result is None or one.key is None or one.signature is None:
        raise Refused("This result is not signed yet; it is within seconds of the drill's end.")
    return result_file(one.result, one.key, one.signature)


def find(conn: sa.Connection, store: str, id_: str) -> Drill:
    """The drill, or NotFound."""
    one = drills.find(conn, store, id_) if len(id_) == 36 else None
    if one is None:
        raise NotFound("There is no such drill in this store.")
    return one
