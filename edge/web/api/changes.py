"""The changes of the store itself: who, when, and what it was before."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from edge.audit import store as audits
from edge.handling import behalf
from edge.web import bearer
from edge.web.api.shapes import Short, shape
from edge.web.services import services

What = Literal[
    "",
    "person",
    "zone",
    "device",
    "policy",
    "token",
    "request",
    "incident",
    "denied",
    "session",
    "export",
    "silent",
]


class Change(Struct):
    """One change; `before` and `after` hold what differs, never a secret."""

    id: int
    at: datetime
    actor: str
    through: str
    what: str
    subject: str
    words: str
    before: dict[str, Any]
    after: dict[str, Any]


class Changes(Struct):
    """The newest first. `next` goes on, null at the end."""

    changes: list[Change]
    next: int | None


class ChangesAsked(Struct, frozen=True, forbid_unknown_fields=True):
    what: What = ""
    by: Annotated[Short, Meta(description="The name of who did it.")] = ""
    before: Annotated[int, Meta(ge=1, le=2**53, description="`next` of the last answer.")] | None = None
    limit: Annotated[int, Meta(ge=1, le=audits.MAX_LIMIT)] = 50


def changes_list(query: ChangesAsked) -> Changes:
    """Every change of people, zones, devices, policies and tokens, deeds for people, sign-ins, refusals."""
    room = services()
    with room.read() as conn:
        hidden = "" if bearer.sees_silent() else behalf.SILENT
        found = audits.entries(conn, room.store, query.before, query.limit, query.what, query.by, hidden)
    following = found[-1].id if len(found) == query.limit else None
    return Changes([shape(one, Change) for one in found], following)
