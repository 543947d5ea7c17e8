"""What people do to evidence at the desk, and what time does: view, hold, release, purge.

Every path to a clip's bytes goes through view() here: its entry in the custody log is committed before the
first byte is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor
from edge.errors import EdgeError, NotFound, Refused
from edge.evidence import clips, custody, holds
from edge.evidence.clips import SEALED, Clip
from edge.handling.telling import Telling
from edge.incidents import links
from edge.retention import Keepable, Retention, due, to_make_room

PURGED_BY = "retention"


@dataclass(frozen=True, slots=True)
class Kept:
    """Why a clip stays beyond its own time: the incident's number, and until when; None while it is open."""

    number: str
    until: datetime | None


def view(
    conn: sa.Connection, store: str, clip_id: str, actor: Actor, reason: str, now: datetime, *, silent: bool
) -> Clip:
    """The clip, once it is written down that this actor looks at it. NotFound for one of a silent request
    without `silent`; Refused if its bytes are not here; EdgeError without a reason."""
    reason = holds.checked(reason)
    found = seen(conn, store, clip_id, silent=silent)
    if found.state != SEALED:
        raise Refused(f"This clip is {found.state}; only sealed ones can be looked at.")
    said = f"{reason} ({actor.through})"
    custody.append(conn, store, "viewed", clip_id, found.manifest_sha256, actor.name, said, now)
    return found


def seen(conn: sa.Connection, store: str, clip_id: str, *, silent: bool) -> Clip:
    """What the register says of a clip. NotFound for one of a silent request without `silent`."""
    found = clips.find(conn, store, clip_id)
    if found is None or (found.silent and not silent):
        raise NotFound("There is no such clip in this store.")
    return found


def kept_by(
    conn: sa.Connection,
    store: str,
    retention: Retention,
    found: Sequence[Clip],
    now: datetime,
    *,
    silent: bool,
) -> dict[str, Kept]:
    """Of each clip the incident that keeps it longer than its own time does. Without `silent` those of silent
    requests are as if they were not there."""
    since, here = retention.closed_since(now), {one.id: one for one in found if one.state == SEALED}
    kept = {}
    for id_, keeper in links.keepers(conn, store, list(here), since, silent=silent).items():
        own, until = here[id_].keep_until, None
        if keeper.closed_at is not None:
            until = retention.incident_until(keeper.closed_at)
        if until is None or own is None or until > own:
            kept[id_] = Kept(keeper.number, until)
    return kept


def place_hold(
    conn: sa.Connection, store: str, clip_id: str, actor: Actor, reason: str, now: datetime, *, silent: bool
) -> str:
    """Hold a clip for as long as it takes; the hold's id."""
    found = seen(conn, store, clip_id, silent=silent)
    made = holds.place(conn, store, clip_id, actor.person or actor.name, reason, now)
    custody.append(conn, store, "held", clip_id, found.manifest_sha256, actor.name, reason, now)
    _tell(conn, store, found, now)
    return made


def ask_release(
    conn: sa.Connection, store: str, hold_id: str, actor: Actor, reason: str, now: datetime, *, silent: bool
) -> str:
    """Ask another person to agree to the release. The clip's id."""
    found = _of_hold(conn, store, hold_id, silent=silent)
    holds.ask_release(conn, store, hold_id, actor.person or actor.name, reason, now)
    custody.append(conn, store, "release_asked", found.id, found.manifest_sha256, actor.name, reason, now)
    _tell(conn, store, found, now)
    return found.id


def release(
    conn: sa.Connection, store: str, hold_id: str, actor: Actor, now: datetime, *, silent: bool
) -> str:
    """Agree to a release that somebody else has asked for. The clip's id."""
    found = _of_hold(conn, store, hold_id, silent=silent)
    released = holds.release(conn, store, hold_id, actor.person or actor.name, now)
    reason = f"Agreed to: {released.asked_reason}"
    custody.append(conn, store, "released", found.id, found.manifest_sha256, actor.name, reason, now)
    _tell(conn, store, found, now)
    return found.id


def erase_name(conn: sa.Connection, store: str, name: str, actor: Actor, reason: str, now: datetime) -> int:
    """Forget a name in every entry of the custody log, by law; how many had it. The deed is an entry itself.

    Refused if no entry has it. EdgeError where who does it, or the reason, would write the name down again.
    """
    reason = holds.checked(reason)
    if name.casefold() in f"{actor.name} {reason}".casefold():
        raise EdgeError("The reason, or who does it, names the name that is to be erased; say it without.")
    if not (had := custody.erase_actor(conn, store, name)):
        raise Refused(f"No entry of the custody log has the name {name[:80]!r}.")
    custody.append(conn, store, "erased", "custody", "", actor.name, f"{reason} ({actor.through})", now)
    return had


def purge_due(
    conn: sa.Connection, store: str, retention: Retention, now: datetime, limit: int = 100
) -> list[Clip]:
    """Mark what is to be deleted because its time is over; the files go after the commit."""
    kept = _kept(store, retention, now)
    chosen = due(clips.keepable(conn, store, kept, limit, over_at=now), now)
    return _purge(conn, store, chosen, kept, "Its time of retention was over.", now)


def purge_for_room(
    conn: sa.Connection, store: str, retention: Retention, wanted_bytes: int, now: datetime
) -> list[Clip]:
    """Mark the oldest routine clips until so many bytes are free; maybe not enough."""
    kept = _kept(store, retention, now)
    chosen = to_make_room(clips.keepable(conn, store, kept, 1000), wanted_bytes)
    return _purge(conn, store, chosen, kept, "The vault's disk was full; routine clips go first.", now)


def _kept(store: str, retention: Retention, now: datetime) -> sa.ColumnElement[bool]:
    """Whether a row of `clip` is held, or belongs to an incident that is open or not long closed."""
    return sa.or_(holds.is_held(store), links.keeps(store, retention.closed_since(now)))


def _purge(
    conn: sa.Connection,
    store: str,
    chosen: list[Keepable],
    kept: sa.ColumnElement[bool],
    reason: str,
    now: datetime,
) -> list[Clip]:
    purged = []
    for one in chosen:
        found = clips.set_purged(conn, store, one.id, kept, now)
        if found is not None:
            digest = found.manifest_sha256
            custody.append(conn, store, "purged", found.id, digest, PURGED_BY, reason, now)
            purged.append(found)
            _tell(conn, store, found, now)
    return purged


def _of_hold(conn: sa.Connection, store: str, hold_id: str, *, silent: bool) -> Clip:
    """The clip of a hold; of one that must not be seen as if there were none."""
    clip_id = holds.clip_of(conn, store, hold_id)
    found = clips.find(conn, store, clip_id) if clip_id else None
    if found is None or (found.silent and not silent):
        raise NotFound("There is no such hold in this store.")
    return found


def _tell(conn: sa.Connection, store: str, found: Clip, now: datetime) -> None:
    telling = Telling(store)
    telling.evidence(found.id, silent=found.silent)
    telling.flush(conn, now)
