"""Evidence out of the store: asking for an export, seeing it come, and fetching its bundle.

The vault makes the bundle. Whoever fetches it stands in the custody log before its first byte is sent.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from flask import Response, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.audit.store import Actor
from edge.errors import EdgeError, Refused
from edge.evidence import custody, exports, register
from edge.evidence.files import VaultFiles
from edge.handling import exporting
from edge.incidents import listing
from edge.incidents.classes import CLASSES
from edge.paging import feed
from edge.people import rights
from edge.web.access import actor_here, signed_in
from edge.web.manage import clip as clip_page
from edge.web.manage import incident as incident_page
from edge.web.manage.evidence import kept_here
from edge.web.manage.export import full
from edge.web.manage.saving import save, saved
from edge.web.services import Services, services

_CHUNK_BYTES = 64 * 1024


def evidence_export(clip_id: str) -> AnyResponse:
    """Ask for a bundle of this clip and of those that were chosen beside it."""
    room, actor, silent = services(), actor_here(), _silent()
    reason, others = request.form.get("reason", "")[:1000], request.form.getlist("clips")[:100]
    wanted = [clip_id, *(one[:36] for one in others)]
    done = save(
        lambda conn: exporting.ask(conn, room.store, wanted, actor, reason, room.clock(), silent=silent)
    )
    if isinstance(done, EdgeError):
        return clip_page.page_of(clip_id, done, {"export": reason})
    return saved(url_for("manage.evidence_bundle", export_id=done), "The export is asked for.")


def incidents_export(incident_id: str) -> AnyResponse:
    """Ask for the bundle of an incident, for the police or a court."""
    room, actor, silent = services(), actor_here(), _silent()
    reason = request.form.get("reason", "")[:1000]
    done = save(lambda conn: ask_incident(conn, room, incident_id, actor, reason, silent=silent))
    if isinstance(done, EdgeError):
        return incident_page.page_of(incident_id, done, "export")
    return saved(url_for("manage.evidence_bundle", export_id=done), "The export is asked for.")


def ask_incident(
    conn: sa.Connection, room: Services, incident_id: str, actor: Actor, reason: str, *, silent: bool
) -> str:
    """What the desk and a program ask alike; the export's id."""
    files, title = VaultFiles(room.config.vault_path), room.config.title
    return exporting.ask_incident(
        conn, room.store, title, incident_id, actor, reason, room.clock(), room.overdue_at, files.has,
        silent=silent, currency=room.config.currency,
    )  # fmt: skip


def evidence_bundle(export_id: str) -> AnyResponse:
    """How far it is; for htmx only the part that changes."""
    room = services()
    with room.read() as conn:
        found = exporting.seen(conn, room.store, export_id, silent=_silent())
        listed = [register.one(conn, room.store, clip, room.overdue_at) for clip in found.clips]
        there = [one for one in listed if one is not None]
        context: dict[str, Any] = {
            "export": found,
            "clips": there,
            "kept_by": kept_here(conn, [one.clip for one in there]),
            "case": _case(conn, room.store, found),
            "entries": custody.of_subject(conn, room.store, export_id),
            "cursor": feed.head(conn, room.store),
        }
    part = request.headers.get("HX-Request")
    template = "manage/_bundle.html" if part else "manage/bundle.html"
    return make_response(render_template(template, classes=CLASSES, me=signed_in().person, **context))


def evidence_download(export_id: str) -> AnyResponse:
    return sent(services(), export_id, actor_here(), silent=_silent())


def sent(room: Services, export_id: str, actor: Actor, *, silent: bool) -> AnyResponse:
    """The whole bundle as a file. 503 while too many files are under way, 409 if there is no bundle."""
    with room.read() as conn:
        exporting.seen(conn, room.store, export_id, silent=silent)
    return taken(
        room,
        lambda conn: exporting.download(conn, room.store, export_id, actor, room.clock(), silent=silent),
        VaultFiles(room.config.vault_path).exported(UUID(export_id)),
        f"floorbell-evidence-{room.store}-{export_id[:8]}.zip",
    )


def taken(
    room: Services, write_down: Callable[[sa.Connection], object], path: Path, name: str
) -> AnyResponse:
    """A zip file that leaves the store, once that is written down; a file that is not there does not, and
    nothing says that it did. 503 while too many are under way."""
    if not room.exports.acquire(blocking=False):
        return full()

    def open_it(conn: sa.Connection) -> tuple[IO[bytes], int]:
        write_down(conn)
        return _opened(path)

    try:
        file, size = room.change(open_it)
    except BaseException:
        room.exports.release()
        raise
    response = Response(_chunks(file), content_type="application/zip")
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.call_on_close(room.exports.release)
    response.call_on_close(file.close)
    return response


def _case(conn: sa.Connection, store: str, found: exports.Export) -> listing.Row | None:
    """The incident that it is of: seen() has let nobody pass who may not know of it."""
    return None if found.incident is None else listing.one(conn, store, found.incident, silent=True)


def _opened(path: Path) -> tuple[IO[bytes], int]:
    try:
        return open(path, "rb"), path.stat().st_size
    except FileNotFoundError:
        raise Refused("The bundle is not in the vault any more.") from None


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _silent() -> bool:
    return rights.sees_silent_evidence(signed_in().person.role)
