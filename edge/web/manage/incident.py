"""One incident at the desk: everything that is known of it, and what is done about it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import abort, g, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.devices import store as devices
from edge.errors import EdgeError, Faulty
from edge.evidence import captures, exports
from edge.evidence.files import VaultFiles
from edge.evidence.register import Listed
from edge.handling import casefile, incident_file, incidents, writing
from edge.incidents.classes import CHECKS, CLASSES, OUTCOMES, ROLES
from edge.incidents.rules import MAX_REASON, MAX_WORDS, TAKEN_ALWAYS, Kind
from edge.paging import feed
from edge.people import rights
from edge.people import store as people
from edge.web import report
from edge.web.access import signed_in
from edge.web.manage.evidence import kept_here
from edge.web.manage.saving import save, saved, status_of
from edge.web.minutes import at_here
from edge.web.services import Services, services

# What each form says once it is done.
DONE = {
    "write": "It is written down.",
    "tick": "The checklist is changed.",
    "correct": "It is changed, and the timeline says how.",
    "close": "The incident is closed.",
    "reopen": "The incident is open again.",
    "link": "It belongs to the incident now.",
    "ask-account": "The associate's phone asks for it.",
    "identify": "It is written down, apart from the rest.",
}
Work = Callable[[sa.Connection, str], object]


def incidents_one(incident_id: str) -> Response:
    return page_of(incident_id)


def incidents_act(incident_id: str, act: str) -> Response:
    """One of DONE. What stands against it is said on the same page, with what was typed."""
    if act not in DONE:
        abort(404)
    room, now = services(), services().clock()
    try:
        work = _work(incident_id, act, signed_in().person.id, now)
    except Faulty as error:
        return page_of(incident_id, error, act)
    done = save(lambda conn: work(conn, room.store))
    if isinstance(done, EdgeError):
        return page_of(incident_id, done, act)
    return saved(url_for("manage.incidents_one", incident_id=incident_id), DONE[act])


def _work(incident_id: str, act: str, me: str, now: datetime) -> Work:
    """What the form asks for. Faulty."""
    form, of = request.form, (incident_id, me)
    text = {name: form.get(name, "").replace("\x00", "")[:5000] for name in ("reason", "note", "identity")}
    based_on = _number("based_on")
    match act:
        case "write":
            kind = form.get("kind", "")
            if kind not in list(Kind):
                raise Faulty(f"The kind is {kind[:40]!r}; allowed are {', '.join(Kind)}.", "kind")
            said = report.said_here(Kind(kind), now)
            return lambda conn, store: writing.write(conn, store, *of, said, now, "desk")
        case "tick":
            check, done = form.get("check", "")[:40], "undo" not in form
            return lambda conn, store: incidents.tick(conn, store, *of, check, done, now, "desk")
        case "correct":
            at = at_here(now)
            if at is None:
                raise Faulty("Say when it happened.", "at")
            classed, zone, when = form.get("class", "")[:40], form.get("zone", "")[:32], at
            return lambda conn, store: incidents.correct(
                conn, store, *of, classed, zone, when, based_on, now, "desk"
            )
        case "close":
            outcome = form.get("outcome", "")[:40]
            return lambda conn, store: incidents.close(
                conn, store, *of, outcome, text["note"], based_on, now, "desk"
            )
        case "reopen":
            return lambda conn, store: incidents.reopen(
                conn, store, *of, text["reason"], based_on, now, "desk"
            )
        case "link":
            code = form.get("code", "").replace("\x00", "")[:40]
            return lambda conn, store: incidents.link(conn, store, *of, code, now, "desk")
        case "ask-account":
            whom = form.get("of", "")[:36]
            return lambda conn, store: incidents.ask_account(conn, store, *of, whom, now, "desk")
        case _:
            number = _number("number") or 0
            return lambda conn, store: writing.identify(
                conn, store, *of, number, text["identity"], text["reason"], now, "desk"
            )


def _number(name: str) -> int | None:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def page_of(incident_id: str, error: EdgeError | None = None, act: str = "") -> Response:
    """The incident's page, with what stands against what was tried, and what was typed for it."""
    room, me = services(), signed_in().person
    sees_clips = rights.why_not_evidence(me.role) is None
    with room.read() as conn:
        case = casefile.read(
            conn,
            room.store,
            incident_id,
            room.overdue_at,
            silent=True,
            silent_clips=rights.sees_silent_evidence(me.role),
        )
        asked = [captures.without_pictures(conn, room.store, one.id) for one in case.requests]
        context: dict[str, Any] = {
            "unfilmed": [one for each in asked for one in each] if sees_clips else [],
            "captured": captures.in_words,
            "kept_by": kept_here(conn, [one.clip for one in case.clips]),
            "zones": devices.zones(conn, room.store),
            "staff": people.all_people(conn, room.store),
            "cursor": feed.head(conn, room.store),
            "exports": exports.of_incident(conn, room.store, incident_id) if sees_clips else [],
        }
    if case.identities:
        # For the audit (denials.py).
        g.identities = case.row
    page = render_template(
        "manage/incident.html",
        case=case,
        sees_clips=sees_clips,
        along=_along(room, case.clips) if sees_clips and case.clips else [],
        lost=case.lost_cents,
        taken_always=[kind.value for kind in TAKEN_ALWAYS],
        classes=CLASSES,
        checks=CHECKS,
        outcomes=OUTCOMES,
        roles=ROLES,
        typed=request.form,
        error=error,
        act=act,
        most=MAX_WORDS,
        most_reason=MAX_REASON,
        me=me,
        **context,
        **report.fresh(),
    )
    return make_response(page, status_of(error) if error else 200)


def _along(room: Services, found: list[Listed]) -> list[tuple[Listed, str | None]]:
    """Which of its clips would go along now, and why the others would not."""
    return incident_file.along(found, VaultFiles(room.config.vault_path).has)
