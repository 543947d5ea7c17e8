"""Evidence out of the store: asked for here, made by the vault, fetched here."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from werkzeug.wrappers import Response

from edge.evidence import exports as kept
from edge.evidence.export import MOST_CLIPS
from edge.handling import exporting
from edge.web import bearer
from edge.web.api.evidence import Why, actor_here
from edge.web.api.shapes import Short, shape
from edge.web.manage import bundle as desk
from edge.web.services import services

MOST = 50


class NewExport(Why, frozen=True, forbid_unknown_fields=True):
    clips: Annotated[list[Short], Meta(min_length=1, max_length=MOST_CLIPS)]


class Export(Struct):
    """One export. `state` is asked (the vault makes it, which takes minutes for long clips), ready, failed or
    removed (after a week); `keys` and the head are what its bundle is to be verified with, and to be kept
    apart from it. `incident` is the one that it is of, and `left_out` what of it is not in the bundle."""

    id: str
    clips: list[str]
    actor: str
    reason: str
    asked_at: datetime
    state: str
    trouble: str | None
    made_at: datetime | None
    bytes: int | None
    head_size: int | None
    head_root: str | None
    keys: list[str]
    incident: str | None
    left_out: list[str] | None


class Exports(Struct):
    exports: list[Export]


def exports_list() -> Exports:
    """The latest exports."""
    room = services()
    with room.read() as conn:
        found = kept.newest(conn, room.store, MOST, silent=bearer.sees_silent())
    return Exports([shape(one, Export) for one in found])


def export_ask(body: NewExport) -> Export:
    """Ask for a bundle of these clips. 409 for one that is not sealed."""
    room, actor, silent = services(), actor_here(), bearer.sees_silent()
    made = room.change(
        lambda conn: exporting.ask(
            conn, room.store, body.clips, actor, body.reason, room.clock(), silent=silent
        )
    )
    return export_read(made)


def incident_export(id: str, body: Why) -> Export:
    """Ask for the bundle of an incident for the police or a court: its file, and all of its clips that are
    sealed. The answer's `left_out` names the others."""
    room, actor, silent = services(), bearer.actor_here(), bearer.sees_silent()
    made = room.change(lambda conn: desk.ask_incident(conn, room, id, actor, body.reason, silent=silent))
    return export_read(made)


def export_read(id: str) -> Export:
    """How far an export is."""
    room = services()
    with room.read() as conn:
        return shape(exporting.seen(conn, room.store, id, silent=bearer.sees_silent()), Export)


def export_download(id: str) -> Response:
    """The bundle, a zip file. Each download stands in the custody log; 409 while there is no bundle."""
    return desk.sent(services(), id, actor_here(), silent=bearer.sees_silent())
