"""Drills: those that were, one now, and the plan of the daily one."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from msgspec import Meta, Struct

from edge.drills import result as results
from edge.drills import store as drills
from edge.handling import basis, drilling
from edge.schedule import Plan
from edge.web import bearer
from edge.web.api.shapes import BasedOn, Name, Text
from edge.web.services import services


class Hop(Struct):
    """One hop of the way that was done, and when."""

    hop: str
    at: datetime


class Drill(Struct):
    """`state` is asked, running, passed or failed; `failed_at` the hop that was not done. `id` is also that
    of its request in the log. `signed`: the result can be downloaded."""

    id: str
    device: str
    kind: str
    cause: str
    asked_by: str | None
    asked_at: datetime
    state: str
    responder: str | None
    built_in: bool
    failed_at: str | None
    words: str | None
    hops: list[Hop]
    ended_at: datetime | None
    signed: bool


class Drills(Struct):
    drills: list[Drill]


class DrillsAsked(Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class NewDrill(Struct, frozen=True, forbid_unknown_fields=True):
    """`responder` people: somebody who agreed and is free; where nobody is, the built-in one."""

    device: Name
    kind: Literal["help", "security"] = "help"
    responder: Literal["test", "people"] = "test"


class PlanInForce(Struct):
    """`set_at` is when the desk or the API set it; null: it is edge.toml's. `people` agreed to answer."""

    plan: Plan
    people: list[str]
    set_at: datetime | None
    based_on: str


class PlanTime(Struct, frozen=True, forbid_unknown_fields=True):
    """As the plan, from outside: `at` '' for no daily drill, `device` '' for each kiosk in turn."""

    at: Annotated[str, Meta(max_length=5, pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", examples=["08:30"])] = ""
    kind: Literal["help", "security", "both"] = "help"
    device: Annotated[Text, Meta(max_length=32)] = ""
    responder: Literal["test", "people"] = "test"


class NewPlan(Struct, frozen=True, forbid_unknown_fields=True):
    plan: PlanTime
    based_on: BasedOn = None


class Agreed(Struct, frozen=True, forbid_unknown_fields=True):
    """The ids of everybody who agreed."""

    people: Annotated[list[Annotated[Text, Meta(max_length=36)]], Meta(max_length=1000)]


def drills_list(query: DrillsAsked) -> Drills:
    """The last drills, newest first."""
    room = services()
    with room.read() as conn:
        return Drills([_shape(one) for one in drills.newest(conn, room.store, query.limit)])


def drill_read(id: str) -> Drill:
    """One drill with the time of each hop."""
    room = services()
    with room.read() as conn:
        return _shape(drilling.find(conn, room.store, id))


def drill_run(body: NewDrill) -> Drill:
    """Have a drill begin at once. 409 while one runs at that kiosk."""
    room, actor = services(), bearer.actor_here()
    id_ = room.change(
        lambda conn: drilling.ask(
            conn, room.store, actor, body.device, body.kind, body.responder, room.clock()
        )
    )
    return drill_read(id_)


def drill_result(id: str) -> Response:
    """The signed result, as `floorbell drill verify` reads it. 409 before it is signed."""
    room = services()
    with room.read() as conn:
        one = drilling.find(conn, room.store, id)
    return Response(drilling.file_of(one), mimetype="application/json")


def plan_read() -> PlanInForce:
    """The plan of the daily drill."""
    room = services()
    with room.read() as conn:
        plan, since = drills.plan(conn, room.store, room.config.drill)
        agreed = sorted(drills.agreed(conn, room.store))
    return PlanInForce(plan, agreed, since, basis.of(drilling.values(plan)))


def plan_set(body: NewPlan) -> PlanInForce:
    """This plan from now on."""
    room, actor, wanted = services(), bearer.actor_here(), body.plan
    plan = Plan(wanted.at, wanted.kind, wanted.device, wanted.responder)
    room.change(
        lambda conn: drilling.set_plan(
            conn, room.store, actor, room.config.drill, plan, room.clock(), body.based_on
        )
    )
    return plan_read()


def agreed_set(body: Agreed) -> PlanInForce:
    """These people, and no others, agreed to answer drills."""
    room, actor = services(), bearer.actor_here()
    who = set(body.people)
    room.change(lambda conn: drilling.set_agreed(conn, room.store, actor, who, room.clock()))
    return plan_read()


def _shape(one: drills.Drill) -> Drill:
    hops = results.hops(one.result) if one.result else []
    return Drill(
        one.id,
        one.device,
        one.kind,
        one.cause,
        one.asked_by,
        one.asked_at,
        one.state,
        one.responder_name,
        one.built_in,
        one.hop,
        one.words,
        [Hop(hop, at) for hop, at in hops],
        one.ended_at,
        one.signature is not None,
    )
