"""Access requests: the list with its clocks, opening one, and one with all that is done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.access_requests import letters, rules, shown, store
from edge.access_requests.letters import Facts
from edge.access_requests.rules import ANSWERS, CAME, Extend
from edge.access_requests.shown import Shown
from edge.access_requests.store import New, Row
from edge.devices import store as devices
from edge.errors import EdgeError, Faulty
from edge.evidence import clips, custody, register
from edge.evidence.files import VaultFiles
from edge.evidence.register import Listed
from edge.handling import access_requests as handling
from edge.paging import feed
from edge.people import rights
from edge.web import report
from edge.web.access import actor_here, signed_in
from edge.web.manage import bundle
from edge.web.manage.saving import save, saved, status_of
from edge.web.minutes import at_here
from edge.web.services import Services, services

# What each form says once it is done.
DONE = {
    "extend": "It is extended by two months.",
    "answer": "It is answered.",
    "close": "It is closed.",
    "reopen": "It is open again.",
    "ask-release": "The release is asked for; another person must agree.",
    "release": "The holds are released.",
}


@dataclass(frozen=True)
class Found:
    """A clip of the place and time. `shown` is None where it is not held for the request; `purged_why` says
    why a deleted one was deleted."""

    listed: Listed
    shown: Shown | None
    purged_why: str | None


def evidence_access() -> Response:
    room = services()
    with room.read() as conn:
        rows, cursor = store.listed(conn, room.store), feed.head(conn, room.store)
    page = render_template(
        "manage/access_requests.html",
        rows=rows,
        today=_today(room),
        came=CAME,
        answers=ANSWERS,
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page)


def evidence_access_new() -> Response:
    return _form()


def evidence_access_new_do() -> Response:
    room, actor = services(), actor_here()
    try:
        new = _new_here(room.clock())
    except Faulty as error:
        return _form(error)
    done = save(lambda conn: handling.open_(conn, room.store, new, actor, room.clock()))
    if isinstance(done, EdgeError):
        return _form(done)
    return saved(url_for("manage.evidence_access_one", request_id=done), "The access request is open.")


def evidence_access_one(request_id: str) -> Response:
    """For htmx only the part that changes while its file is made."""
    return page_of(request_id)


def evidence_access_act(request_id: str, act: str) -> Response:
    """One of DONE. What stands against it is said on the same page, with what was typed."""
    if act not in DONE:
        abort(404)
    room = services()
    try:
        work = _work(request_id, act, room.clock())
    except Faulty as error:
        return page_of(request_id, error, act)
    done = save(lambda conn: work(conn, room.store))
    if isinstance(done, EdgeError):
        return page_of(request_id, done, act)
    return saved(url_for("manage.evidence_access_one", request_id=request_id), DONE[act])


def evidence_access_file(request_id: str) -> Response:
    """What goes to the asker. That it was taken away stands in the custody log before its first byte is
    sent."""
    room, actor = services(), actor_here()
    with room.read() as conn:
        row = store.one(conn, room.store, request_id)
    return bundle.taken(
        room,
        lambda conn: handling.fetch(conn, room.store, request_id, actor, room.clock()),
        VaultFiles(room.config.vault_path).packed(UUID(row.id)),
        f"access-request-{row.number}.zip",
    )


def _new_here(now: datetime) -> New:
    form = request.form
    began, ended = at_here(now, "from"), at_here(now, "to")
    if began is None:
        raise Faulty("Say from when on to look.", "from")
    if ended is None:
        raise Faulty("Say until when to look.", "to")
    text = {name: form.get(name, "").replace("\x00", "").strip() for name in _TEXTS}
    return New(
        report.id_here("case"),
        form.get("came", "")[:16],
        day_here("received"),
        zone=form.get("zone", "")[:32],
        began_at=began,
        ended_at=ended,
        **text,
    )


_TEXTS = ("contact", "identity", "description")


def day_here(name: str) -> date:
    """Faulty for what is no day."""
    text = request.form.get(name, "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Faulty(f"The day is {text[:40]!r}; it looks like 2026-03-01.", name) from None


def _work(request_id: str, act: str, now: datetime) -> Callable[[sa.Connection, str], object]:
    form, actor = request.form, actor_here()
    reason = form.get("reason", "").replace("\x00", "")[:1000]
    read = form.get("based_on", "")
    based_on = int(read) if read.isascii() and read.isdigit() and len(read) < 9 else None
    silent = rights.sees_silent_evidence(signed_in().person.role)
    match act:
        case "extend":
            told = Extend(actor.name, day_here("told"), reason, now.astimezone().date(), based_on)
            return lambda conn, name: handling.extend(conn, name, request_id, told, actor, now)
        case "answer":
            how = form.get("how", "")[:16]
            letter = form.get("letter", "").replace("\r\n", "\n").replace("\x00", "")
            return lambda conn, name: handling.answer(
                conn, name, request_id, how, reason, letter, actor, based_on, now
            )
        case "close":
            return lambda conn, name: handling.close(conn, name, request_id, actor, based_on, now)
        case "reopen":
            return lambda conn, name: handling.reopen(conn, name, request_id, reason, actor, based_on, now)
        case "ask-release":
            return lambda conn, name: handling.ask_release(
                conn, name, request_id, actor, reason, now, silent=silent
            )
        case _:
            return lambda conn, name: handling.release(conn, name, request_id, actor, now, silent=silent)


def page_of(request_id: str, error: EdgeError | None = None, act: str = "") -> Response:
    room, me = services(), signed_in().person
    silent = rights.sees_silent_evidence(me.role)
    with room.read() as conn:
        row = store.one(conn, room.store, request_id)
        found = found_for(conn, room, row, silent=silent)
        context: dict[str, Any] = {
            "steps": store.steps(conn, request_id),
            "held": handling.standing(conn, room.store, request_id, silent=silent),
            "entries": custody.of_subject(conn, room.store, request_id),
            "cursor": feed.head(conn, room.store),
        }
    part = request.headers.get("HX-Request") and error is None
    page = render_template(
        "manage/_access_file.html" if part else "manage/access_request.html",
        row=row,
        found=found,
        came=CAME,
        answers=ANSWERS,
        today=_today(room),
        days=room.config.retention.asker_hours / 24,
        letter=_letter(room, row, found),
        most=rules.MAX_REASON,
        most_letter=rules.MAX_LETTER,
        typed=request.form,
        error=error,
        act=act,
        me=me,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)


def found_for(conn: sa.Connection, room: Services, row: Row, *, silent: bool) -> list[Found]:
    """The clips of its place and time, the oldest first, also the deleted ones."""
    ids = handling.looked_for(conn, room.store, row)
    known = shown.of_request(conn, row.id)
    listed = register.among(conn, room.store, [*ids, *known], room.overdue_at, silent=silent)
    return [Found(one, known.get(one.clip.id), _purged_why(conn, room.store, one)) for one in listed]


def _purged_why(conn: sa.Connection, name: str, one: Listed) -> str | None:
    if one.clip.state != clips.PURGED:
        return None
    entries = custody.of_subject(conn, name, one.clip.id)
    return next((entry.reason for entry in entries if entry.action == "purged"), None)


def _letter(room: Services, row: Row, found: list[Found]) -> str:
    """As it went out; else as it is proposed, also once it is open again: other clips may be marked."""
    if row.letter is not None and not row.waits:
        return row.letter
    chosen = [one.listed.clip for one in found if one.shown and one.shown.chosen]
    retention = room.config.retention
    facts = Facts(
        room.config.title, row.number, row.received_on, row.zone_title, row.began_at, row.ended_at,
        [(clip.started_at, clip.ended_at) for clip in chosen], retention.routine_hours,
        retention.security_hours,
    )  # fmt: skip
    return letters.letter(room.config.evidence.letter, facts)


def _form(error: EdgeError | None = None) -> Response:
    room = services()
    with room.read() as conn:
        zones, cursor = devices.zones(conn, room.store), feed.head(conn, room.store)
    page = render_template(
        "manage/access_request_new.html",
        zones=zones,
        came=CAME,
        today=_today(room),
        days=room.config.retention.asker_hours / 24,
        most=rules.MAX_CONTACT,
        typed=request.form,
        error=error,
        cursor=cursor,
        me=signed_in().person,
        **report.fresh(),
    )
    return make_response(page, status_of(error) if error else 200)


def _today(room: Services) -> date:
    return room.clock().astimezone().date()
