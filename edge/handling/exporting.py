"""Evidence on its way out of the store: what is exported, by whom and why stands in the custody log first.

The desk only asks: the bundle is made by the vault, which alone can sign the log's head.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from edge.audit.store import Actor
from edge.errors import EdgeError, NotFound, Refused
from edge.evidence import custody, export, exports, holds
from edge.evidence.clips import Clip
from edge.evidence.exports import READY, Export
from edge.handling import keeping
from edge.handling.telling import Telling

MOST_CLIPS = 50


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


def write_down(
    conn: sa.Connection,
    store: str,
    chosen: Sequence[Clip],
    identity: str,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """The export's entries: one of each clip, and one of its own."""
    for clip in chosen:
        said = f"In the export {identity}: {reason}"
        custody.append(conn, store, "exported", clip.id, clip.manifest_sha256, by, said, now)
    custody.append(conn, store, "exported", identity, "", by, reason, now)


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
    said = f"The bundle of {len(found.clips)} clips ({actor.through})"
    custody.append(conn, store, "downloaded", identity, "", actor.name, said, now)
    return found


def _tell(conn: sa.Connection, store: str, clip_id: str, now: datetime, *, silent: bool) -> None:
    telling = Telling(store)
    telling.evidence(clip_id, silent=silent)
    telling.flush(conn, now)
