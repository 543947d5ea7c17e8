"""One person at the desk: added, changed, given a new PIN or password, disabled and enabled."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.audit.store import Actor
from edge.errors import EdgeError, NotFound
from edge.handling import basis, leaving, proving, staffing
from edge.paging import feed
from edge.people import factors, rights, sessions
from edge.people import store as people
from edge.people.details import ROLES, Details
from edge.people.passwords import Fresh, fresh_password, fresh_pin
from edge.people.sessions import Place
from edge.reports import floor as now_there
from edge.reports.staff import members
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

Act = Callable[[sa.Connection, str, Actor, str], object]


def people_add() -> Response:
    return _form(None, Details("", "associate"))


def people_add_do() -> Response:
    """The new person with a PIN, which is shown this once."""
    room, actor, details = services(), actor_here(), _typed()
    desk = details.role in rights.LOOKERS
    with room.verifier.place():
        pin, password = fresh_pin(), fresh_password() if desk else None

    def add(conn: sa.Connection) -> object:
        hashed = password.hashed if password else None
        return staffing.add(
            conn, room.store, actor, details, room.clock(), pin_hash=pin.hashed, password_hash=hashed
        )

    done = save(add)
    if isinstance(done, EdgeError):
        return _form(None, details, done)
    return shown_once([(details.tidy().name, pin, password)])


def people_one(person_id: str) -> Response:
    with services().read() as conn:
        who = staffing.find(conn, services().store, person_id)
    return _form(person_id, staffing.details_of(who))


def people_one_do(person_id: str) -> Response:
    """Other details. 409 if somebody changed them since the form was shown; what was typed stays."""
    room, actor, details = services(), actor_here(), _typed()
    given = request.form.get("based_on", "")[:64]
    done = save(
        lambda conn: staffing.change(conn, room.store, actor, person_id, details, room.clock(), given)
    )
    if isinstance(done, EdgeError):
        return _form(person_id, details, done)
    return saved(url_for("manage.people_one", person_id=person_id), f"{done.name} is saved.")


def people_act(person_id: str, act: str) -> Response:
    """What a button does: presence for every desk role, the rest for those who may change."""
    room, actor, now = services(), actor_here(), services().clock()
    wanted = request.form.get("presence", "")
    if act in ("pin", "second_pin", "password"):
        return _secret(person_id, act)
    acts: dict[str, tuple[Act, str]] = {
        "disable": (lambda c, s, a, p: staffing.disable(c, s, a, p, now), "Disabled and signed out."),
        "enable": (lambda c, s, a, p: staffing.enable(c, s, a, p, now), "Works here again."),
        "second_factor": (
            lambda c, s, a, p: proving.reset(c, s, a, p, now),
            "The second factor is reset, and they are signed out of the desk.",
        ),
        "presence": (lambda c, s, a, p: staffing.set_presence(c, s, a, p, wanted, now), "Presence is set."),
    }
    if act not in acts:
        abort(404)
    work, sentence = acts[act]
    done = save(lambda conn: work(conn, room.store, actor, person_id))
    if isinstance(done, EdgeError):
        with room.read() as conn:
            who = staffing.find(conn, room.store, person_id)
        return _form(person_id, staffing.details_of(who), done)
    return saved(url_for("manage.people_one", person_id=person_id), sentence)


def people_session_end(person_id: str, session_id: str) -> Response:
    """Signed out there at once. Refused for their last phone while a request is theirs."""
    room, actor, now = services(), actor_here(), services().clock()
    room.change(lambda conn: leaving.end_anothers(conn, room.store, actor, person_id, session_id, now))
    return saved(url_for("manage.people_one", person_id=person_id), "That browser is signed out.")


def _places(conn: sa.Connection, person_id: str) -> list[Place]:
    """Where somebody is signed in, for those who may end it."""
    room, me = services(), signed_in().person
    who = staffing.find(conn, room.store, person_id)
    if rights.why_not_secret(me.role, who.role, of_self=who.id == me.id):
        return []
    return sessions.of_person(conn, room.store, person_id, room.clock())


def shown_once(given: list[tuple[str, Fresh, Fresh | None]], second: bool = False) -> Response:
    """The page with secrets that nobody sees again. Headers keep it out of every cache."""
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
    return make_response(
        render_template(
            "manage/secrets.html", given=given, second=second, cursor=cursor, me=signed_in().person
        )
    )


def _secret(person_id: str, act: str) -> Response:
    room, actor = services(), actor_here()
    with room.read() as conn:
        who = staffing.find(conn, room.store, person_id)
        known = people.secrets(conn, who.id)
    with room.verifier.place():
        if act == "password":
            fresh = fresh_password()
        else:
            # The two PINs of a person are never the same.
            fresh = fresh_pin(known.duress_hash if act == "pin" else known.pin_hash)
    work = {
        "pin": staffing.set_pin,
        "second_pin": staffing.set_second_pin,
        "password": staffing.set_password,
    }[act]
    done = save(lambda conn: work(conn, room.store, actor, person_id, fresh.hashed, room.clock()))
    if isinstance(done, EdgeError):
        return _form(person_id, staffing.details_of(who), done)
    if act == "second_pin":
        return shown_once([(who.name, fresh, None)], second=True)
    return shown_once([(who.name, fresh, None) if act == "pin" else (who.name, Fresh("", ""), fresh)])


def _typed() -> Details:
    form = request.form
    tags = form.get("languages", "").replace(",", " ").split()
    return Details(
        form.get("name", "")[:200],
        form.get("role", "")[:40],
        tuple(form.getlist("zones")[:100]),
        tuple(tags[:40]),
        form.get("badge", "")[:200] or None,
    )


def _form(person_id: str | None, details: Details, error: EdgeError | None = None) -> Response:
    """The form with what was typed; based on what is kept now, so that a second save is a decision."""
    room, me = services(), signed_in().person
    context: dict[str, Any] = {"member": None, "factor": None, "based_on": "", "held": [], "signed_in_at": []}
    with room.read() as conn:
        if person_id is not None:
            found = members(conn, room.store, room.clock(), [person_id])
            if not found:
                raise NotFound("There is no such person in this store.")
            kept = staffing.details_of(staffing.find(conn, room.store, person_id))
            context = {
                "member": found[0],
                "based_on": basis.of(kept.values()),
                "factor": factors.held(conn, room.store, person_id),
                "signed_in_at": _places(conn, person_id),
                "held": staffing.open_requests(conn, room.store, person_id),
            }
        context |= {
            "cursor": feed.head(conn, room.store),
            "zones": now_there.zones(conn, room.store),
        }
    page = render_template(
        "manage/person.html",
        typed=details,
        error=error,
        roles=ROLES,
        may_change=rights.may_change(me.role),
        me=me,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)
