"""Clips as evidence: what is there, who did what to it, and the deeds themselves. Their reasons stand in the
custody log beside the token's name."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import sqlalchemy as sa
from msgspec import Meta, Struct

from edge.audit.store import Actor
from edge.errors import NotFound
from edge.evidence import custody, holds, looks, register
from edge.evidence.clips import Clip as Known
from edge.evidence.holds import MAX_REASON
from edge.evidence.register import Listed
from edge.handling import keeping
from edge.handling.causes import of_clip
from edge.people.store import by_id
from edge.web import bearer
from edge.web.api import footage
from edge.web.api.shapes import Short, Text, shape
from edge.web.grants import GOOD_FOR
from edge.web.manage import asking
from edge.web.manage import evidence as desk
from edge.web.services import services

T = TypeVar("T")
_BESIDE = ("zone_title", "held", "state", "kept_by")


class EvidenceAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What the clips are narrowed to; '' where they are not."""

    zone: Short = ""
    state: Literal["", "announced", "not_arrived", "sealed", "mismatched", "gone", "damaged", "purged"] = ""
    held: Literal["", "yes", "no"] = ""
    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is done; it stands in the custody log."""

    reason: Annotated[Text, Meta(min_length=1, max_length=MAX_REASON)]


class KeptBy(Struct):
    """An incident that keeps a clip beyond `keep_until`. `number` is null for a token that may not see silent
    requests; `until` is null while the incident is open."""

    number: str | None
    until: datetime | None


class Clip(Struct):
    """One clip. `state` is announced (told of, not here yet), not_arrived (for too long), sealed, mismatched
    (what came was not what was told of), gone (no longer on the card), damaged (on the card) or purged;
    `key` is the device's public key, `signature` its signature over the manifest."""

    id: str
    device: str
    zone: str
    zone_title: str
    cause: str
    state: str
    kept_as: str
    silent: bool
    drill: bool
    held: bool
    started_at: datetime
    ended_at: datetime
    bytes: int
    sha256: str
    manifest_sha256: str
    signature: str
    key: str | None
    codec: str
    width: int
    height: int
    announced_at: datetime
    sealed_at: datetime | None
    keep_until: datetime | None
    kept_by: KeptBy | None
    purged_at: datetime | None
    lost_at: datetime | None
    trouble: str | None


class HeadRefused(Struct):
    """A device that does not take what the log has become, and its sentence."""

    device: str
    refused: str
    refused_at: datetime


class Stamp(Struct):
    """So many entries stood `at`, by a time-stamping authority's word; `at` and `by` are null before the
    first stamp. `trouble` is why the last try, `tried_at`, brought none."""

    size: int
    at: datetime | None
    by: str | None
    trouble: str | None
    tried_at: datetime | None


class CustodyHead(Struct):
    """The custody log: so many entries, so many of them under the newest signed head, with its root; which
    devices hold that head, and which refused one; how its stamping goes."""

    size: int
    signed: int
    root: str
    at: datetime | None
    holders: list[str]
    refused: list[HeadRefused]
    stamp: Stamp


class Evidence(Struct):
    """The newest first. `next` goes on, null at the end. `custody` is null for a token that may not see
    silent requests: the log's length would tell of them."""

    clips: list[Clip]
    next: str | None
    custody: CustodyHead | None


class CustodyEntry(Struct):
    """One deed. `index` is its place in the log, null for a token that may not see silent requests; `actor`
    and `reason` are null once they were erased by law."""

    index: int | None
    at: datetime
    action: str
    actor: str | None
    reason: str | None


class Hold(Struct):
    """While `asked_at` is set and `released_at` is not, somebody else may agree to the release."""

    id: str
    reason: str
    held_name: str | None
    held_at: datetime
    asked_name: str | None
    asked_at: datetime | None
    asked_reason: str | None
    released_name: str | None
    released_at: datetime | None


class ClipWhole(Struct):
    """One clip, the interactions that it was recorded for (`interaction` is the first), its holds and its
    entries in the custody log."""

    clip: Clip
    interaction: str | None
    interactions: list[str]
    holds: list[Hold]
    custody: list[CustodyEntry]


class Look(Struct):
    """`address` gives the video's bytes until then, to whoever has it: ask with a Range; one answer has 2 MiB
    at most."""

    address: str
    until: datetime


class PersonLook(Struct):
    """One deed: viewed, exported or held. `actor` and `reason` are null once they were erased by law."""

    at: datetime
    action: str
    actor: str | None
    reason: str | None
    clip: str
    zone_title: str
    began_at: datetime


class Looks(Struct):
    """The newest hundred."""

    looks: list[PersonLook]


def person_looks(id: str) -> Looks:
    """Who looked at, exported or held clips of requests that this person accepted, attended or called for.
    Reading it is no look at footage."""
    room, silent = services(), bearer.sees_silent()
    with room.read() as conn:
        if by_id(conn, room.store, id) is None:
            raise NotFound("There is no such person in this store.")
        found = looks.of_person(conn, room.store, id, silent=silent)
    return Looks([shape(deed, PersonLook) for deed in found])


def evidence_list(query: EvidenceAsked) -> Evidence:
    """The clips of the store."""
    room, silent = services(), bearer.sees_silent()
    filters, before = desk.filters_here(silent), asking.before_here("among the clips")
    with room.read() as conn:
        found = register.search(conn, room.store, filters, before, query.limit, room.overdue_at)
        kept = _kept(conn, found)
        log = shape(desk.custody_now(conn, room.store), CustodyHead) if silent else None
    following = str(found[-1].cursor) if len(found) == query.limit else None
    return Evidence([_clip(one, kept) for one in found], following, log)


def evidence_read(id: str) -> ClipWhole:
    """One clip, with who did what to it and why."""
    room, silent = services(), bearer.sees_silent()
    with room.read() as conn:
        keeping.seen(conn, room.store, id, silent=silent)
        one = register.one(conn, room.store, id, room.overdue_at)
        assert one is not None
        kept = _kept(conn, [one])
        entries = custody.of_subject(conn, room.store, id)
        held = holds.of_clip(conn, room.store, id)
        interactions = of_clip(conn, room.store, one.clip).interactions
    shown = [CustodyEntry(e.index if silent else None, e.at, e.action, e.actor, e.reason) for e in entries]
    interaction = interactions[0] if interactions else None
    return ClipWhole(_clip(one, kept), interaction, interactions, [shape(hold, Hold) for hold in held], shown)


def evidence_view(id: str, body: Why) -> Look:
    """Look at a clip. Once it is written down, the answer has an address of its bytes for ten minutes."""
    room = services()

    def view(conn: sa.Connection, actor: Actor, now: datetime, silent: bool) -> Known:
        return keeping.view(conn, room.store, id, actor, body.reason, now, silent=silent)

    found = _done(view)
    return Look(footage.address(room, bearer.token_here(), found.id), room.clock() + GOOD_FOR)


def evidence_hold(id: str, body: Why) -> ClipWhole:
    """Hold a clip: nothing deletes it until the hold is released."""
    room = services()

    def hold(conn: sa.Connection, actor: Actor, now: datetime, silent: bool) -> None:
        keeping.place_hold(conn, room.store, id, actor, body.reason, now, silent=silent)

    _done(hold)
    return evidence_read(id)


def hold_ask_release(id: str, body: Why) -> ClipWhole:
    """Ask that a hold be released; somebody else must agree."""
    room = services()

    def ask(conn: sa.Connection, actor: Actor, now: datetime, silent: bool) -> str:
        return keeping.ask_release(conn, room.store, id, actor, body.reason, now, silent=silent)

    return evidence_read(_done(ask))


def hold_release(id: str) -> ClipWhole:
    """Agree to a release. 409 if nobody has asked for it, or this token has."""
    room = services()

    def agree(conn: sa.Connection, actor: Actor, now: datetime, silent: bool) -> str:
        return keeping.release(conn, room.store, id, actor, now, silent=silent)

    return evidence_read(_done(agree))


def actor_here() -> Actor:
    """The token, by its id as well: two who release are two tokens, or a token and a person at the desk."""
    token = bearer.token_here()
    return Actor(token.name, "api", token.id)


def _done(deed: Callable[[sa.Connection, Actor, datetime, bool], T]) -> T:
    """A deed in the token's name."""
    room, actor, silent = services(), actor_here(), bearer.sees_silent()
    return room.change(lambda conn: deed(conn, actor, room.clock(), silent))


def _kept(conn: sa.Connection, found: list[Listed]) -> dict[str, KeptBy]:
    room, silent = services(), bearer.sees_silent()
    here, retention, now = [one.clip for one in found], room.config.retention, room.clock()
    kept = keeping.kept_by(conn, room.store, retention, here, now, silent=silent)
    return {clip: KeptBy(one.number if silent else None, one.until) for clip, one in kept.items()}


def _clip(one: Listed, kept: dict[str, KeptBy]) -> Clip:
    fields = {name: getattr(one.clip, name) for name in Clip.__struct_fields__ if name not in _BESIDE}
    return Clip(
        zone_title=one.zone_title, held=one.held, state=one.state, kept_by=kept.get(one.clip.id), **fields
    )
