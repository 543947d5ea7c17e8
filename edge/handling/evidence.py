"""What becomes of a clip: told of, let in by a ticket, sealed or found not to be what was told of.

Each deed to it stands in the custody log, in the same transaction.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from broker import codec
from broker.errors import ContractError
from broker.events import ClipRecorded, Event
from broker.messages import Upload
from broker.topics import Channel, of_device
from broker.witness import HeadKept, HeadRefused, kept_to_sign
from edge.db.store_tables import device
from edge.evidence import captures, causes, clips, custody, heads
from edge.evidence.clips import Clip
from edge.handling import access_requests
from edge.handling.causes import of_clip, together
from edge.handling.telling import Telling
from edge.incidents import links
from edge.paging.outgoing import Message
from edge.retention import Retention

# A head that finds nobody is worth nothing after a while: a newer one, or the same again, follows.
SHOWN_FOR_S = 60


def announce(
    conn: sa.Connection, telling: Telling, incoming: Event, content: ClipRecorded, zone: str, now: datetime
) -> None:
    """A device told of a clip. The same again changes nothing; ContractError for another under its id."""
    store, clip_id = incoming.store, str(content.clip)
    known = clips.find(conn, store, clip_id)
    if known is not None:
        if (known.device, known.manifest_sha256) != (incoming.device, content.manifest_sha256):
            outbox = str(incoming.outbox) if incoming.outbox else None
            reason = f"The clip {clip_id} was told of before, with other content."
            raise ContractError(reason, str(incoming.id), incoming.seq, outbox)
        return
    key, clock = _known_of(conn, store, incoming.device)
    ids = list(dict.fromkeys(str(cause) for cause in [content.cause, *content.causes]))
    known_of = together(conn, store, incoming.device, ids)
    drill = known_of.drill or incoming.drill
    clips.add(
        conn,
        store,
        {
            "id": clip_id,
            "device": incoming.device,
            "zone": zone,
            "event": str(incoming.id),
            "cause": str(content.cause),
            "state": clips.ANNOUNCED,
            "kept_as": known_of.kept_as(drill=incoming.drill),
            "silent": known_of.silent,
            "drill": drill,
            "started_at": content.started_at,
            "ended_at": content.ended_at,
            "bytes": content.bytes,
            "sha256": content.sha256,
            "manifest_sha256": content.manifest_sha256,
            "signature": content.signature,
            "key": key,
            "codec": content.codec,
            "width": content.width,
            "height": content.height,
            "announced_at": now,
            **clock,
        },
    )
    causes.add(conn, store, clip_id, ids)
    captures.answer(conn, store, incoming.device, ids, captures.FILMED, None, now)
    links.pull_clip(conn, store, clip_id, now)
    access_requests.hold_told(conn, store, clip_id, now)
    telling.evidence(clip_id, silent=known_of.silent)


def _known_of(conn: sa.Connection, store: str, name: str) -> tuple[str | None, dict[str, Any]]:
    """A device's public key, and what its last heartbeat said of its clock, as columns of a clip."""
    d = device.c
    query = sa.select(d.signing_key, d.heartbeat, d.heartbeat_at).where(d.store == store, d.name == name)
    row = conn.execute(query).first()
    if row is None or not row.heartbeat or row.heartbeat_at is None:
        return (row.signing_key if row else None), {}
    clock = {"clock_synced": row.heartbeat.get("clock_synced"), "clock_heard_at": row.heartbeat_at}
    if said := row.heartbeat.get("at"):
        behind = row.heartbeat_at - datetime.fromisoformat(said)
        clock["clock_behind_ms"] = round(behind / timedelta(milliseconds=1))
    return row.signing_key, clock


def send_tickets(conn: sa.Connection, telling: Telling, store: str, vault_url: str, now: datetime) -> None:
    """Ask each device for the clips that it is to bring next."""
    for clip in clips.without_ticket(conn, store, now):
        secret = clips.issue_ticket(conn, store, clip.id, now)
        command = Upload(UUID(clip.id), f"{vault_url}/clip/{clip.id}", secret)
        telling.command(clip.device, command, int(clips.TICKET_GOOD_FOR.total_seconds()))


def seal(
    conn: sa.Connection, telling: Telling, store: str, clip: Clip, retention: Retention, now: datetime
) -> bool:
    """Both files are in the vault; whether this call wrote so. What was unknown of its cause is known now."""
    known = of_clip(conn, store, clip)
    kept_as = known.kept_as(drill=clip.drill)
    keep_until = retention.keep_until(kept_as, now)
    if not clips.set_sealed(conn, store, clip.id, kept_as, known.silent, keep_until, now):
        return False
    said = f"{clip.bytes} bytes compared with what {clip.device} signed."
    custody.append(conn, store, "sealed", clip.id, clip.manifest_sha256, f"device {clip.device}", said, now)
    telling.evidence(clip.id, silent=known.silent)
    return True


def mismatch(
    conn: sa.Connection, telling: Telling, store: str, clip: Clip, trouble: str, now: datetime
) -> None:
    """What came is kept aside and asked for again."""
    clips.set_mismatched(conn, store, clip.id, trouble)
    digest = clip.manifest_sha256
    custody.append(conn, store, "mismatched", clip.id, digest, f"device {clip.device}", trouble, now)
    telling.evidence(clip.id, silent=clip.silent)


def show_heads(conn: sa.Connection, telling: Telling, store: str) -> None:
    """The newest head of the custody log to each device that is here and was not shown it."""
    for name, shown in heads.to_show(conn, store):
        topic = of_device(store, name, Channel.WITNESS)
        telling.messages.append(Message(topic, codec.encode(shown), SHOWN_FOR_S))


def witnessed(
    conn: sa.Connection,
    telling: Telling,
    store: str,
    name: str,
    said: HeadKept | HeadRefused,
    now: datetime,
) -> None:
    """A device keeps a head, or refuses it. ContractError for what its key has not signed."""
    if isinstance(said, HeadRefused):
        if heads.refuse(conn, store, name, said, now):
            telling.device(name, "refused")
        return
    # Only here: the library costs memory, and most stores have no camera.
    from broker.signing import is_signed

    d = device.c
    key = conn.execute(sa.select(d.signing_key).where(d.store == store, d.name == name)).scalar()
    message = kept_to_sign(store, name, said.log, said.size, said.root, said.at_ms, said.before)
    if key is None or not is_signed(key, message, said.signature):
        raise ContractError(f"{name} did not sign that it keeps a head of {said.size} entries.")
    heads.keep(conn, store, name, said, key, now)
