"""Escalation policies: who is called after how many seconds, and who that would be now."""

from collections.abc import Mapping

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError, NotFound
from edge.handling import basis, policing
from edge.paging import feed
from edge.people import rights
from edge.policies import GROUPS, MAX_STEPS, RAISED_AS, Policy
from edge.reports import floor as now_there
from edge.routing import inforce, roster
from edge.routing.choose import Wanted
from edge.routing.preview import Foreseen, foresee
from edge.web.access import actor_here, signed_in
from edge.web.manage import policy_form
from edge.web.manage.policy_form import Typed
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

TITLES = {"help": "Help", "security": "Security", "greeter": "Greeter"}
WHO = {
    "one": "One, the next best placed",
    "best": "The two best placed",
    "zone": "Associates of the zone",
    "supervisors": "Supervisors",
    "security": "Security",
    "all": "Everyone here",
}


def policy() -> Response:
    """All policies in words."""
    room = services()
    with room.read() as conn:
        in_force = inforce.read(conn, room.store, room.config.policy)
        context = {
            "since": inforce.overridden(conn, room.store),
            "cursor": feed.head(conn, room.store),
        }
    found = [(kind, getattr(in_force, kind)) for kind in inforce.KINDS]
    page = render_template(
        "manage/policies.html",
        policies=found,
        titles=TITLES,
        who=WHO,
        greeter=room.config.greeter,
        me=signed_in().person,
        **context,
    )
    return make_response(page)


def policy_one(kind: str) -> Response:
    """The form of one policy, and who it would call now, asked by ?zone= and ?language=."""
    return _page(kind, policy_form.shown(_in_force(kind)), request.args)


def policy_do(kind: str) -> Response:
    """`do` is save, file (back to edge.toml) or anything else: only a preview of what was typed."""
    room, actor, form, file = services(), actor_here(), request.form, services().config.policy
    _in_force(kind)
    given, wanted = form.get("based_on", "")[:64], form.get("do", "")
    done: EdgeError | object = None
    if wanted == "file":
        done = save(
            lambda conn: policing.back_to_file(conn, room.store, actor, file, kind, room.clock(), given)
        )
        if not isinstance(done, EdgeError):
            return saved(url_for("manage.policy_one", kind=kind), "edge.toml's policy is in force again.")
    typed = _typed(kind)
    if wanted == "save" and typed.policy is not None:
        new = typed.policy
        done = save(
            lambda conn: policing.set_policy(conn, room.store, actor, file, kind, new, room.clock(), given)
        )
        if not isinstance(done, EdgeError):
            return saved(url_for("manage.policy_one", kind=kind), "Saved, and in force from now on.")
    return _page(kind, typed, form, done if isinstance(done, EdgeError) else None)


def _typed(kind: str) -> Typed:
    form = request.form
    numbers = range(MAX_STEPS)
    return policy_form.read(
        kind,
        [form.get(f"after-{n}", "") for n in numbers],
        [[who for who in form.getlist(f"who-{n}") if who in GROUPS] for n in numbers],
        form.get("ceiling", ""),
        form.get("repeat", ""),
    )


def _in_force(kind: str) -> Policy:
    room = services()
    if kind not in inforce.KINDS:
        raise NotFound(f"There is no policy {kind!r}.")
    with room.read() as conn:
        found: Policy = getattr(inforce.read(conn, room.store, room.config.policy), kind)
    return found


def _page(kind: str, typed: Typed, asked: Mapping[str, str], error: EdgeError | None = None) -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        in_force: Policy = getattr(inforce.read(conn, room.store, room.config.policy), kind)
        floor = roster.read(conn, room.store, room.clock())
        context = {
            "based_on": basis.of(policing.values(in_force)),
            "since": inforce.overridden(conn, room.store).get(kind),
            "zones": now_there.zones(conn, room.store),
            "cursor": feed.head(conn, room.store),
        }
    zone = (
        asked.get("zone", "")
        if asked.get("zone", "") in floor.zone_titles
        else next(iter(floor.zone_titles), "")
    )
    language = asked.get("language", "")[:16]
    foreseen: list[Foreseen] = []
    if typed.policy is not None:
        wanted = Wanted("preview", RAISED_AS[kind], zone, floor.title(zone), language or None)
        foreseen = foresee(typed.policy, wanted, floor.roster)
    filled = [row for row in typed.rows if not row.empty]
    rows = [*filled, policy_form.Row()][:MAX_STEPS] if not typed.wrong else list(typed.rows)
    page = render_template(
        "manage/policy.html",
        kind=kind,
        title=TITLES.get(kind, kind.capitalize()),
        typed=typed,
        rows=_trimmed(rows),
        unsaved=typed.policy is not None and typed.policy != in_force,
        foreseen=foreseen,
        zone=zone,
        zone_title=floor.title(zone),
        language=language,
        who=WHO,
        error=error,
        may_change=rights.may_change(me.role),
        me=me,
        **context,
    )
    status = status_of(error) if error else 400 if typed.wrong else 200
    return make_response(page, status)


def _trimmed(rows: list[policy_form.Row]) -> list[policy_form.Row]:
    """Without the empty rows at the end, but for one."""
    last = max((number for number, row in enumerate(rows) if not row.empty), default=-1)
    return rows[: last + 2]
