"""What people do to the clips of an access request: look, mark, place boxes, have a covered copy made,
watch it.

Each look is in the custody log before the first byte is sent. The sealed master is only read.
"""

from datetime import datetime
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from edge.access_requests import shown, store
from edge.access_requests.rules import Note
from edge.access_requests.shown import ASKED, FAILED, MADE, NO_COPY, Shown
from edge.audit.store import Actor
from edge.errors import Faulty, NotFound, Refused
from edge.evidence import custody, masks
from edge.evidence.clips import SEALED, Clip
from edge.evidence.masks import Masks
from edge.handling import keeping
from edge.handling.access_requests import act, reason_of
from edge.handling.telling import Telling


def seen(
    conn: sa.Connection, name: str, request_id: str, clip_id: str, *, silent: bool
) -> tuple[Shown, Clip]:
    """A clip of this access request. NotFound also for one of a silent request without `silent`."""
    store.one(conn, name, request_id)
    found = shown.find(conn, request_id, clip_id)
    if found is None:
        raise NotFound("There is no such clip in this access request.")
    return found, keeping.seen(conn, name, clip_id, silent=silent)


def masks_of(one: Shown) -> Masks:
    """Its boxes as they were saved last."""
    return msgspec.convert(one.masks, Masks)


def look(
    conn: sa.Connection,
    name: str,
    request_id: str,
    clip_id: str,
    actor: Actor,
    now: datetime,
    *,
    silent: bool,
) -> Clip:
    """The clip itself, once the look is written down."""
    seen(conn, name, request_id, clip_id, silent=silent)
    reason = reason_of(store.one(conn, name, request_id).number)
    return keeping.view(conn, name, clip_id, actor, reason, now, silent=silent)


def mark(
    conn: sa.Connection,
    name: str,
    request_id: str,
    clip_id: str,
    chosen: bool,
    actor: Actor,
    now: datetime,
    *,
    silent: bool,
) -> None:
    """The asker is in this clip, or is not after all."""
    one, clip = seen(conn, name, request_id, clip_id, silent=silent)
    if chosen and clip.state != SEALED:
        raise Refused(f"This clip is {clip.state}; only sealed ones can be given.")
    if one.chosen is chosen:
        return
    shown.change(conn, one, chosen=chosen)
    at = f"{clip.started_at.astimezone():%Y-%m-%d %H:%M:%S}"
    words = f"{actor.name} marked the clip of {at} as showing the asker."
    if not chosen:
        words = f"{actor.name} took the mark away from the clip of {at}."
    _note(conn, name, request_id, "marked" if chosen else "unmarked", words, actor, now)


def save(
    conn: sa.Connection,
    name: str,
    request_id: str,
    clip_id: str,
    wanted: Masks,
    based_on: int,
    actor: Actor,
    now: datetime,
    *,
    silent: bool,
) -> None:
    """Other boxes, and the covered copy of them is to be made. Refused if somebody has saved since
    `based_on`, Faulty for boxes that cannot be drawn."""
    one, clip = seen(conn, name, request_id, clip_id, silent=silent)
    if one.revision != based_on:
        raise Refused("Somebody has saved other boxes meanwhile; load the page again, then place yours.")
    if clip.state != SEALED:
        raise Refused(f"This clip is {clip.state}; only sealed ones can be covered.")
    if wrong := masks.why_not(wanted):
        raise Faulty(wrong, "boxes")
    values = NO_COPY | {"masks": msgspec.to_builtins(wanted), "revision": one.revision + 1}
    if not shown.change(conn, one, **values | {"copy": str(uuid4()), "state": ASKED}):
        raise Refused("Somebody has saved other boxes meanwhile; load the page again, then place yours.")
    number = len(wanted.tracks)
    kind = "all but" if wanted.mode is masks.Mode.ALL_BUT else "others by"
    words = f"{actor.name} covers {kind} {number} {'box' if number == 1 else 'boxes'}: {_at(clip)}."
    _note(conn, name, request_id, "covered", words, actor, now)


def look_at_copy(
    conn: sa.Connection,
    name: str,
    request_id: str,
    clip_id: str,
    actor: Actor,
    now: datetime,
    *,
    silent: bool,
) -> Shown:
    """Its covered copy, once the look is written down. Refused if there is none."""
    one, clip = seen(conn, name, request_id, clip_id, silent=silent)
    if one.state != MADE:
        raise Refused("There is no covered copy of this clip yet.")
    said = f"{reason_of(store.one(conn, name, request_id).number)}: its covered copy ({actor.through})"
    custody.append(conn, name, "viewed", clip.id, clip.manifest_sha256, actor.name, said, now)
    return one


def watched(
    conn: sa.Connection,
    name: str,
    request_id: str,
    clip_id: str,
    based_on: int,
    actor: Actor,
    now: datetime,
    *,
    silent: bool,
) -> None:
    """This actor has watched the covered copy to the end, and nobody else can be recognised: their word
    stands in the custody log."""
    one, clip = seen(conn, name, request_id, clip_id, silent=silent)
    if one.state != MADE or one.revision != based_on:
        raise Refused("The covered copy is another one now; watch that.")
    if one.watched_at is not None:
        return
    shown.change(conn, one, watched_name=actor.name, watched_at=now)
    number = store.one(conn, name, request_id).number
    said = f"{reason_of(number)}: watched its covered copy to the end; nobody else can be recognised"
    custody.append(conn, name, "viewed", clip.id, clip.manifest_sha256, actor.name, said, now)
    words = f"{actor.name} watched the covered copy to the end, nobody else can be recognised: {_at(clip)}."
    _note(conn, name, request_id, "watched", words, actor, now)


def made(
    conn: sa.Connection, name: str, one: Shown, trouble: str | None, *, whole: bool, now: datetime
) -> bool:
    """The vault has made the covered copy (`whole`), or could not; False if it is wanted no more."""
    values = {"state": MADE if whole else FAILED, "trouble": trouble and trouble[:300]}
    if not shown.change(conn, one, **values):
        return False
    tell(conn, name, one.clip, now)
    return True


def tell(conn: sa.Connection, name: str, clip_id: str, now: datetime) -> None:
    """Pages that wait for it look again."""
    telling = Telling(name)
    # Whose clip it is, only those learn who see silent ones.
    telling.evidence(clip_id, silent=True)
    telling.flush(conn, now)


def _at(clip: Clip) -> str:
    return f"{clip.started_at.astimezone():%Y-%m-%d %H:%M:%S}, {clip.device}"


def _note(
    conn: sa.Connection, name: str, request_id: str, what: str, words: str, actor: Actor, now: datetime
) -> None:
    act(conn, name, request_id, Note(what, words), actor, now)
