"""One clip of an access request: it is looked at, marked, covered by boxes, and its covered copy is watched.

A look has a grant, as everywhere; it is made once the look is committed to the custody log.
"""

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.access_requests import shown, store
from edge.access_requests.shown import Shown
from edge.errors import EdgeError, Faulty
from edge.evidence import clips, masks, register
from edge.evidence.files import VaultFiles
from edge.evidence.masks import Masks
from edge.handling import covering
from edge.paging import feed
from edge.people import rights
from edge.web import footage, pieces
from edge.web.access import actor_here, signed_in
from edge.web.asked import asked
from edge.web.headers import allow_media
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services

# A thousand places in JSON are less, and a whole form is not much more.
MAX_MASKS_BYTES = 90_000


def evidence_access_clip(request_id: str, clip_id: str) -> Response:
    """For htmx only the part about the covered copy."""
    return _page(request_id, clip_id)


def evidence_access_look(request_id: str, clip_id: str) -> Response:
    """Write the look at the clip down; then on to the page that plays it."""
    room, actor, silent = services(), actor_here(), _silent()
    done = save(
        lambda conn: covering.look(conn, room.store, request_id, clip_id, actor, room.clock(), silent=silent)
    )
    if isinstance(done, EdgeError):
        return _page(request_id, clip_id, done)
    grant = room.grants.give(signed_in().person.id, done.id, room.clock())
    return redirect(_address(request_id, clip_id, grant=grant), 303)


def evidence_access_mark(request_id: str, clip_id: str) -> Response:
    """The asker is in it; or is not, with `undo`."""
    room, actor, silent = services(), actor_here(), _silent()
    chosen = "undo" not in request.form

    def mark(conn: sa.Connection) -> None:
        covering.mark(conn, room.store, request_id, clip_id, chosen, actor, room.clock(), silent=silent)

    done = save(mark)
    if isinstance(done, EdgeError):
        return _page(request_id, clip_id, done)
    sentence = "The clip is marked as showing the asker." if chosen else "The mark is taken away."
    return saved(_back(request_id, clip_id), sentence)


def evidence_access_save(request_id: str, clip_id: str) -> Response:
    """Save the boxes; the vault makes the covered copy."""
    room, actor, silent = services(), actor_here(), _silent()
    try:
        wanted = masks_here()
    except Faulty as error:
        return _page(request_id, clip_id, error)
    based_on = _number("based_on")

    def keep(conn: sa.Connection) -> None:
        now = room.clock()
        covering.save(conn, room.store, request_id, clip_id, wanted, based_on, actor, now, silent=silent)

    done = save(keep)
    if isinstance(done, EdgeError):
        return _page(request_id, clip_id, done)
    return saved(_back(request_id, clip_id), "The boxes are saved, and the covered copy is being made.")


def evidence_access_watch(request_id: str, clip_id: str) -> Response:
    """Write the look at the covered copy down; then on to the page that plays it."""
    room, actor, silent = services(), actor_here(), _silent()

    def look(conn: sa.Connection) -> Shown:
        now = room.clock()
        return covering.look_at_copy(conn, room.store, request_id, clip_id, actor, now, silent=silent)

    done = save(look)
    if isinstance(done, EdgeError):
        return _page(request_id, clip_id, done)
    grant = room.grants.give(signed_in().person.id, done.copy or "", room.clock())
    return redirect(_address(request_id, clip_id, copy=grant) + "#h-copy", 303)


def evidence_access_watched(request_id: str, clip_id: str) -> Response:
    """Somebody says that they have watched it to the end."""
    room, actor, silent = services(), actor_here(), _silent()
    if "watched" not in request.form:
        return _page(request_id, clip_id, Faulty("Tick that you have watched it to the end.", "watched"))
    based_on = _number("based_on")

    def confirm(conn: sa.Connection) -> None:
        now = room.clock()
        covering.watched(conn, room.store, request_id, clip_id, based_on, actor, now, silent=silent)

    done = save(confirm)
    if isinstance(done, EdgeError):
        return _page(request_id, clip_id, done)
    address = url_for("manage.evidence_access_one", request_id=request_id)
    return saved(address, "The covered copy may go out; your word stands in the custody log.")


def evidence_access_copy(request_id: str, clip_id: str) -> Response:
    """A piece of the covered copy, for a grant that was given to whoever is signed in. 403 without one."""
    room = services()
    with room.read() as conn:
        one, _ = covering.seen(conn, room.store, request_id, clip_id, silent=_silent())
    if one.copy is None or one.state != shown.MADE or not _granted(one.copy, _asked("copy")):
        abort(403, footage.NO_GRANT)
    return pieces.piece(VaultFiles(room.config.vault_path).covered(UUID(one.copy)), "video/mp4")


def masks_here() -> Masks:
    """The boxes that the form sends. Faulty."""
    written = request.form.get("masks", "")
    if len(written) > MAX_MASKS_BYTES:
        raise Faulty("The boxes have too many places; use fewer.", "boxes")
    try:
        return msgspec.json.decode(written, type=Masks)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Faulty(f"The boxes cannot be read: {str(error)[:120].rstrip('.')}.", "boxes") from None


def _page(request_id: str, clip_id: str, error: EdgeError | None = None) -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        row = store.one(conn, room.store, request_id)
        one, clip = covering.seen(conn, room.store, request_id, clip_id, silent=_silent())
        listed = register.one(conn, room.store, clip_id, room.overdue_at)
        context: dict[str, Any] = {"row": row, "one": one, "listed": listed}
        context["cursor"] = feed.head(conn, room.store)
    until = _granted(clip_id, _asked("grant")) if clip.state == clips.SEALED else None
    watching = _granted(one.copy, _asked("copy")) if one.copy and one.state == shown.MADE else None
    if until or watching:
        allow_media()
    typed = request.form.get("masks") if error else None
    part = request.headers.get("HX-Request") and error is None
    page = render_template(
        "manage/_access_copy.html" if part else "manage/access_clip.html",
        clip=clip,
        until=until,
        watching=watching,
        grant=_asked("grant") if until else None,
        copy_grant=_asked("copy") if watching else None,
        over=(bool(_asked("grant")) and not until) or (bool(_asked("copy")) and not watching),
        boxes=typed or msgspec.json.encode(covering.masks_of(one)).decode(),
        rules={"larger": masks.LARGER, "at_least": masks.AT_LEAST, "earlier_ms": masks.EARLIER_MS},
        most_boxes=masks.MOST_TRACKS,
        error=error,
        me=me,
        **context,
    )
    return make_response(page, status_of(error) if error else 200)


def _address(request_id: str, clip_id: str, **grants: str | None) -> str:
    given = {name: grant for name, grant in grants.items() if grant}
    return url_for("manage.evidence_access_clip", request_id=request_id, clip_id=clip_id, **given)  # type: ignore[arg-type]


def _back(request_id: str, clip_id: str) -> str:
    """To the page as it was: also to the look that was under way."""
    return _address(request_id, clip_id, grant=_asked("grant"))


def _granted(what: str, grant: str) -> Any:
    room = services()
    return room.grants.until(signed_in().person.id, what, grant, room.clock())


def _asked(name: str) -> str:
    return asked(name, 100)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _silent() -> bool:
    return rights.sees_silent_evidence(signed_in().person.role)
