"""Evidence on its way out of the store: what is exported, by whom and why stands in the custody log first.

The desk only asks: the bundle is made by the vault, which alone can sign the log's head.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

import sqlalchemy as sa

from edge.audit.store import Actor
from edge.errors import EdgeError, NotFound, Refused
from edge.evidence import custody, export, exports, holds, incident_file
from edge.evidence.clips import Clip
from edge.evidence.export import MOST_CLIPS
from edge.evidence.exports import READY, Export
from edge.handling import casefile, incidents, keeping
from edge.handling.incident_file import told
from edge.handling.telling import Telling


@dataclass(frozen=True)
class Taken:
    """An incident that is taken out: the clips that go along, incident.json, what is not in it, in sentences,
    and whether it is silent, or one of its clips."""

    clips: list[Clip]
    file: bytes
    left_out: list[str]
    silent: bool


def ask(
    conn: sa.Connection,
    store: str,
    clip_ids: Sequence[str],
    actor: Actor,
    reason: str,
    now: datetime,
    *,
    silent: bool,
) -> str:
    """Ask the vault for a bundle of these clips; the export's id. Refused, NotFound, or EdgeError."""
    reason, wanted = holds.checked(reason), list(dict.fromkeys(clip_ids))
    if not 1 <= len(wanted) <= MOST_CLIPS:
        raise EdgeError(f"{len(wanted)} clips are chosen; an export has 1 to {MOST_CLIPS}.")
    chosen = [keeping.seen(conn, store, one, silent=silent) for one in wanted]
    export.check(chosen)
    identity = str(uuid4())
    write_down(conn, store, chosen, identity, actor.name, reason, now)
    secret = any(clip.silent for clip in chosen)
    exports.add(conn, store, identity, wanted, actor.name, reason, now, silent=secret)
    for clip in chosen:
        _tell(conn, store, clip.id, now, silent=clip.silent)
    return identity


def ask_incident(
    conn: sa.Connection,
    store: str,
    title: str,
    incident_id: str,
    actor: Actor,
    reason: str,
    now: datetime,
    overdue_at: datetime,
    has_file: Callable[[str], bool],
    *,
    silent: bool,
    currency: str,
) -> str:
    """Ask the vault for the bundle of an incident, with all of its clips that can go along, also if that is
    none; the export's id. NotFound, or EdgeError without a reason."""
    identity = str(uuid4())
    taken = take_incident(
        conn,
        store,
        title,
        incident_id,
        identity,
        actor,
        reason,
        now,
        overdue_at,
        has_file,
        silent=silent,
        currency=currency,
    )
    ids, reason = [clip.id for clip in taken.clips], holds.checked(reason)
    exports.add(
        conn, store, identity, ids, actor.name, reason, now,
        silent=taken.silent, incident=incident_id, left_out=taken.left_out, incident_file=taken.file,
    )  # fmt: skip
    for clip in taken.clips:
        _tell(conn, store, clip.id, now, silent=clip.silent)
    return identity


def take_incident(
    conn: sa.Connection,
    store: str,
    title: str,
    incident_id: str,
    identity: str,
    actor: Actor,
    reason: str,
    now: datetime,
    overdue_at: datetime,
    has_file: Callable[[str], bool],
    *,
    silent: bool,
    currency: str,
) -> Taken:
    """Write down that it is taken out, in its timeline and in the custody log, and what it is then.

    The log's entry has the file's SHA-256: what is told of the incident is fixed with this transaction.
    `silent`, `overdue_at`: as casefile.read() has them; `has_file`: whether the vault has what has this hash.
    """
    reason = holds.checked(reason)
    casefile.seen(conn, store, incident_id, silent=silent)
    incidents.note(conn, store, incident_id, actor, "exported", f"{actor.name} exported it: “{reason}”", now)
    case = casefile.read(conn, store, incident_id, overdue_at, silent=silent, silent_clips=silent)
    file = told(
        conn,
        store,
        title,
        case,
        identity,
        actor.name,
        reason,
        now,
        has_file,
        silent=silent,
        currency=currency,
    )
    along = {str(one.clip) for one in file.clips if one.included}
    chosen = [one.clip for one in case.clips if one.clip.id in along]
    written = incident_file.encode(file)
    write_down(conn, store, chosen, identity, actor.name, reason, now, sha256(written).hexdigest())
    hidden = case.row.silent or any(one.clip.silent for one in case.clips)
    return Taken(chosen, written, incident_file.not_in(file), hidden)


def write_down(
    conn: sa.Connection,
    store: str,
    chosen: Sequence[Clip],
    identity: str,
    by: str,
    reason: str,
    now: datetime,
    digest: str = "",
) -> None:
    """The export's entries: one of each clip, and one of its own, with the `digest` of incident.json if it
    has one."""
    for clip in chosen:
        said = f"In the export {identity}: {reason}"
        custody.append(conn, store, "exported", clip.id, clip.manifest_sha256, by, said, now)
    custody.append(conn, store, "exported", identity, digest, by, reason, now)


def seen(conn: sa.Connection, store: str, identity: str, *, silent: bool) -> Export:
    """NotFound also for one with a clip of a silent request, without `silent`."""
    found = exports.find(conn, store, identity)
    if found is None or (found.silent and not silent):
        raise NotFound("There is no such export in this store.")
    return found


def download(
    conn: sa.Connection, store: str, identity: str, actor: Actor, now: datetime, *, silent: bool
) -> Export:
    """The export, once it is written down that this actor takes its bundle away. Refused if there is none."""
    found = seen(conn, store, identity, silent=silent)
    if found.state != READY:
        raise Refused(f"The bundle cannot be fetched: the export is {found.state}.")
    number = len(found.clips)
    of = "the incident file and " if found.incident else ""
    said = f"The bundle of {of}{number} {'clip' if number == 1 else 'clips'} ({actor.through})"
    custody.append(conn, store, "downloaded", identity, "", actor.name, said, now)
    return found


def _tell(conn: sa.Connection, store: str, clip_id: str, now: datetime, *, silent: bool) -> None:
    telling = Telling(store)
    telling.evidence(clip_id, silent=silent)
    telling.flush(conn, now)
