"""Incidents on the phone: what is still to be written down, and each person's own part of what was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.devices import store as devices
from edge.errors import EdgeError, Faulty, NotFound, Refused
from edge.handling import acting, casefile, incidents, writing
from edge.incidents import listing, store
from edge.incidents.classes import CHECKS, CLASSES, ROLES, class_for
from edge.incidents.rules import MAX_WORDS, Kind
from edge.interactions import holds
from edge.people import rights
from edge.web import report
from edge.web.access import signed_in
from edge.web.asked import asked
from edge.web.manage.saving import status_of
from edge.web.services import services

# A security request asks for words for as long as a long shift.
ASKED_FOR = timedelta(hours=16)
OPEN_SHOWN = 30


def incident_list() -> Response:
    """What this person is to write down, and what they may read; those who read all see every open one."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        mine = listing.of_person(conn, room.store, me.id)
        known = {row.id for row in mine}
        others = []
        if rights.reads_incidents(me.role):
            asked = listing.Filters(state="open", with_silent=True)
            others = listing.search(conn, room.store, asked, None, OPEN_SHOWN)
            # Somebody may be looking at the phone that called.
            called = holds.open_of(conn, room.store, me.id, lock=False)
            others = [row for row in others if called is None or row.request != called.id]
        untold = listing.untold(conn, room.store, me.id, room.clock() - ASKED_FOR)
    page = render_template(
        "floor/incidents.html",
        me=me,
        mine=mine,
        others=[row for row in others if row.id not in known],
        untold=untold,
        classes=CLASSES,
        numbered=rights.reads_incidents(me.role),
    )
    return make_response(page)


def incident_new() -> Response:
    """With ?request=, the security request that it is about."""
    return _form()


def incident_new_do() -> Response:
    """Open it and say what happened, at once. 400 with the form again for what cannot be saved."""
    room, me, about = services(), signed_in().person.id, request.form.get("request", "")[:36]
    now = room.clock()

    def work(conn: sa.Connection) -> str:
        return writing.report(conn, room.store, me, new, said, now, "phone", about or None)

    try:
        new, said = report.new_here(now), report.said_here(Kind.STATEMENT, now)
        made = room.change(work)
    except Faulty as error:
        return _form(error, 400)
    return redirect(url_for("floor.incident_one", incident_id=made, saved=1), 303)


def incident_one(incident_id: str) -> Response:
    return _page(incident_id)


def incident_write(incident_id: str) -> Response:
    """One more statement, a correction of one's own, or the account that was asked for."""
    kind = Kind.ACCOUNT if request.form.get("kind") == "account" else Kind.STATEMENT
    room, me, now = services(), signed_in().person.id, services().clock()
    try:
        said = report.said_here(kind, now)
        room.change(lambda conn: writing.write(conn, room.store, incident_id, me, said, now, "phone"))
    except (Faulty, Refused) as error:
        return _page(incident_id, error)
    return redirect(url_for("floor.incident_one", incident_id=incident_id, saved=1), 303)


def incident_tick(incident_id: str) -> Response:
    """`check` is done, or, with `undo`, was not after all."""
    room, me, now = services(), signed_in().person.id, services().clock()
    check, done = request.form.get("check", "")[:32], "undo" not in request.form
    room.change(lambda conn: incidents.tick(conn, room.store, incident_id, me, check, done, now, "phone"))
    return redirect(url_for("floor.incident_one", incident_id=incident_id, _anchor="checks"), 303)


@dataclass(frozen=True)
class About:
    """The security request that the form is about. `settled`: its incident's class was said already."""

    request: str
    zone: str
    zone_title: str
    raised_at: datetime
    classed_as: str
    settled: bool


def _about(conn: sa.Connection, request_id: str, me: str) -> About | None:
    """NotFound for a request that this person may not know of, or that is none of security."""
    if not request_id:
        return None
    room = services()
    _, found = acting.involved(conn, room.store, request_id, me)
    if found.kind != "security":
        raise NotFound("There is no such request in this store.")
    title = devices.zones(conn, room.store).get(found.zone, found.zone)
    opened, classed = store.of_request(conn, room.store, found.id), class_for(found.kind, found.topic)
    settled = False
    if opened is not None:
        row = listing.one(conn, room.store, opened, silent=True)
        classed, settled = row.classed_as, row.revision > 1
    return About(found.id, found.zone, title, found.raised_at, classed, settled)


def _form(error: Faulty | None = None, status: int = 200) -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        about = _about(conn, asked("request", 36), me.id)
        zones = devices.zones(conn, room.store)
    page = render_template(
        "floor/incident_new.html",
        me=me,
        about=about,
        zones=zones,
        classes=CLASSES,
        typed=request.form,
        error=error,
        most=MAX_WORDS,
        **report.fresh(),
    )
    return make_response(page, status)


def _page(incident_id: str, error: EdgeError | None = None) -> Response:
    """404 for whoever had nothing to do with it."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        if not incidents.may_read(conn, room.store, incident_id, me):
            raise NotFound("There is no such incident in this store.")
        case = casefile.read(conn, room.store, incident_id, silent=True, silent_clips=False)
    shown = writing.shown_to(me, case.entries)
    page = render_template(
        "floor/incident.html",
        me=me,
        case=case,
        shown=shown,
        account_due=any(one.person == me.id and not one.written for one in case.asked),
        ticks=incidents.why_not_tick(me, case.row.classed_as) is None,
        classes=CLASSES,
        checks=CHECKS,
        roles=ROLES,
        # From the numbers that are missing one could tell what happened besides.
        numbered=rights.reads_incidents(me.role),
        typed=request.form,
        error=error,
        saved="saved" in request.args,
        most=MAX_WORDS,
        **report.fresh(),
    )
    return make_response(page, status_of(error) if error else 200)
