"""One clip: its facts, its custody entries and its holds, and the look at it, which is a deed.

A look has a reason. It is written into the custody log and committed; only then is a grant made, and only
with a grant are bytes sent (grants.py, pieces.py).
"""

from datetime import datetime
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError
from edge.evidence import clips, custody, exports, holds, register
from edge.handling import keeping
from edge.handling.causes import of_clip
from edge.paging import feed
from edge.people import rights
from edge.web import footage
from edge.web.access import actor_here, signed_in
from edge.web.asked import asked
from edge.web.headers import allow_media
from edge.web.manage.evidence import kept_here
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

REASONS = (
    "Review of the request it belongs to",
    "The police have asked",
    "A shopper has complained",
    "Somebody was hurt, or something was damaged",
    "Does the camera work?",
)


def evidence_clip(clip_id: str) -> Response:
    return page_of(clip_id)


def evidence_view(clip_id: str) -> Response:
    """Write the look down; then on to the page that plays."""
    room, actor, silent = services(), actor_here(), _silent()
    reason = request.form.get("reason", "")[:1000]
    done = save(
        lambda conn: keeping.view(conn, room.store, clip_id, actor, reason, room.clock(), silent=silent)
    )
    if isinstance(done, EdgeError):
        return page_of(clip_id, done, {"look": reason})
    grant = room.grants.give(signed_in().person.id, done.id, room.clock())
    return redirect(url_for("manage.evidence_clip", clip_id=done.id, grant=grant), 303)


def evidence_video(clip_id: str) -> Response:
    """A piece of the clip, for a grant that was given to whoever is signed in. 403 without one."""
    room = services()
    if _granted_until(clip_id) is None:
        abort(403, footage.NO_GRANT)
    with room.read() as conn:
        found = keeping.seen(conn, room.store, clip_id, silent=_silent())
    return footage.piece_of(room, found)


def evidence_hold(clip_id: str) -> Response:
    room, actor, silent = services(), actor_here(), _silent()
    reason = request.form.get("reason", "")[:1000]
    done = save(
        lambda conn: keeping.place_hold(conn, room.store, clip_id, actor, reason, room.clock(), silent=silent)
    )
    if isinstance(done, EdgeError):
        return page_of(clip_id, done, {"hold": reason})
    return _back(clip_id, "The clip is held: nothing deletes it until two people release it.")


def evidence_ask(clip_id: str, hold_id: str) -> Response:
    room, actor, silent = services(), actor_here(), _silent()
    reason = request.form.get("reason", "")[:1000]
    done = save(
        lambda conn: keeping.ask_release(
            conn, room.store, hold_id, actor, reason, room.clock(), silent=silent
        )
    )
    if isinstance(done, EdgeError):
        return page_of(clip_id, done, {f"ask-{hold_id}": reason})
    return _back(clip_id, "The release is asked for; another person must agree.")


def evidence_release(clip_id: str, hold_id: str) -> Response:
    room, actor, silent = services(), actor_here(), _silent()
    done = save(lambda conn: keeping.release(conn, room.store, hold_id, actor, room.clock(), silent=silent))
    if isinstance(done, EdgeError):
        return page_of(clip_id, done)
    return _back(clip_id, "The hold is released.")


def _back(clip_id: str, sentence: str) -> Response:
    """To the page as it was: also to the look that was under way."""
    grant = request.form.get("grant") or None
    return saved(url_for("manage.evidence_clip", clip_id=clip_id, grant=grant), sentence)


def page_of(clip_id: str, error: EdgeError | None = None, typed: dict[str, str] | None = None) -> Response:
    """The clip's page, with what stands against a deed and the reasons that were typed, by their form."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        keeping.seen(conn, room.store, clip_id, silent=_silent())
        one = register.one(conn, room.store, clip_id, room.overdue_at)
        assert one is not None
        context: dict[str, Any] = {
            "one": one,
            "kept_by": kept_here(conn, [one.clip]),
            "entries": custody.of_subject(conn, room.store, clip_id),
            "holds": holds.of_clip(conn, room.store, clip_id),
            "interactions": of_clip(conn, room.store, one.clip).interactions,
            "exports": exports.of_clip(conn, room.store, clip_id),
            "cursor": feed.head(conn, room.store),
        }
        beside = {
            other.clip.id: other
            for interaction in context["interactions"]
            for other in register.of_interaction(
                conn, room.store, interaction, room.overdue_at, silent=_silent()
            )
        }
    until = _granted_until(clip_id) if one.clip.state == clips.SEALED else None
    if until is not None:
        allow_media()
    page = render_template(
        "manage/clip.html",
        until=until,
        beside=[
            other
            for other in beside.values()
            if other.clip.id != clip_id and other.clip.state == clips.SEALED
        ],
        over=until is None and bool(_grant()),
        grant=_grant() if until else None,
        signed=footage.signed_facts(room, one.clip) if until else None,
        reasons=REASONS,
        most=holds.MAX_REASON,
        typed=typed or {},
        error=error,
        me=me,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)


def _grant() -> str:
    return asked("grant", 100)


def _granted_until(clip_id: str) -> datetime | None:
    room = services()
    return room.grants.until(signed_in().person.id, clip_id, _grant(), room.clock())


def _silent() -> bool:
    return rights.sees_silent_evidence(signed_in().person.role)
