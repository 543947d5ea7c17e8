"""Drills at the desk: those that were, their signed results, one now, and the plan of the daily one."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import Response as Answer
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.audit.store import Actor
from edge.drills import result as results
from edge.drills import store as drills
from edge.drills.rules import HOPS
from edge.drills.store import Drill
from edge.errors import EdgeError
from edge.handling import basis, drilling
from edge.handling.drilling import DrillError
from edge.interactions import store as requests
from edge.paging import feed
from edge.people import rights
from edge.people import store as people
from edge.schedule import Plan
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

SHOWN = 60
RESPONDERS = {"test": "The built-in test responder", "people": "Somebody who agreed to"}
PLAN_KINDS = {"help": "Help", "security": "Security", "both": "In turn"}


def drills_() -> Response:
    """The list; for htmx only what changes."""
    if request.headers.get("HX-Request"):
        return make_response(render_template("manage/_drills.html", **_listed()))
    return _page()


def drills_do() -> Response:
    """`do` is run, plan or people."""
    room, actor, form = services(), actor_here(), request.form
    work, sentence = _works().get(form.get("do", ""), (None, ""))
    if work is None:
        abort(400, "Nothing was asked for; use one of the page's buttons.")
    done = save(lambda conn: work(conn, room.store, actor, room.clock()))
    if isinstance(done, EdgeError):
        return _page(done)
    return saved(url_for("manage.drills"), sentence)


def drills_one(drill_id: str) -> Response:
    """One drill with the time of each hop."""
    room = services()
    with room.read() as conn:
        one = drilling.find(conn, room.store, drill_id)
        logged = requests.find(conn, room.store, one.id) is not None
        cursor = feed.head(conn, room.store)
    page = render_template(
        "manage/drill.html",
        logged=logged,
        one=one,
        hops=hops_of(one),
        failed=HOPS.get(one.hop or "", ""),
        me=signed_in().person,
        cursor=cursor,
    )
    return make_response(page)


def drills_result(drill_id: str) -> Response:
    """The signed result as a file; 409 before it is signed."""
    room = services()
    with room.read() as conn:
        one = drilling.find(conn, room.store, drill_id)
    answer = Answer(drilling.file_of(one), mimetype="application/json")
    name = f"drill-{one.device}-{one.asked_at:%Y-%m-%d-%H%M}.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def hops_of(one: Drill) -> list[tuple[str, datetime, float]]:
    """(what was done, when, seconds since the drill began) of each hop that was done."""
    done = results.hops(one.result) if one.result else []
    return [(HOPS[hop], at, (at - done[0][1]).total_seconds()) for hop, at in done if hop in HOPS]


Work = Callable[[sa.Connection, str, Actor, datetime], object]


def _works() -> dict[str, tuple[Work, str]]:
    """Each reads its form now: the work itself is done in the writer's thread."""
    form, file = request.form, services().config.drill
    device, kind, responder = (form.get(name, "")[:32] for name in ("device", "kind", "responder"))
    based_on, typed, chosen = form.get("based_on", "")[:64], _typed(), set(form.getlist("people"))

    def run(conn: sa.Connection, store: str, actor: Actor, now: datetime) -> object:
        return drilling.ask(conn, store, actor, device, kind, responder, now)

    def plan(conn: sa.Connection, store: str, actor: Actor, now: datetime) -> None:
        if isinstance(typed, DrillError):
            raise typed
        drilling.set_plan(conn, store, actor, file, typed, now, based_on)

    def agreed(conn: sa.Connection, store: str, actor: Actor, now: datetime) -> None:
        drilling.set_agreed(conn, store, actor, chosen, now)

    return {
        "run": (run, f"The drill at {device} begins; its result is here in a moment."),
        "plan": (plan, "Saved, and in force from now on."),
        "people": (agreed, "Saved."),
    }


def _typed() -> Plan | DrillError:
    form = request.form
    kind, responder = form.get("kind", ""), form.get("responder", "")
    if kind not in PLAN_KINDS or responder not in RESPONDERS:
        return DrillError("Choose what is drilled and who answers.")
    at = form.get("at", "").strip()[:20] if form.get("daily") else ""
    if form.get("daily") and not at:
        return DrillError("The time of the daily drill is missing; allowed are times like 08:30.")
    return Plan(at, kind, form.get("device", "")[:32], responder)  # type: ignore[arg-type]


def _listed() -> dict[str, object]:
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        found = drills.newest(conn, room.store, SHOWN)
    return {"drills": found, "running": any(not one.over for one in found), "cursor": cursor}


def _page(error: EdgeError | None = None) -> Response:
    room, me = services(), signed_in().person
    listed = _listed()
    with room.read() as conn:
        plan, since = drills.plan(conn, room.store, room.config.drill)
        context = {
            "devices": drills.last_of_devices(conn, room.store),
            "people": people.all_people(conn, room.store, with_pin=True),
            "agreed": drills.agreed(conn, room.store),
        }
    page = render_template(
        "manage/drills.html",
        plan=plan,
        since=since,
        based_on=basis.of(drilling.values(plan)),
        kinds=PLAN_KINDS,
        responders=RESPONDERS,
        may_change=rights.may_change(me.role),
        error=error,
        me=me,
        **listed,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)
