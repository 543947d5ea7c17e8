"""Events and what was set aside, in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from broker import codec, topics
from broker.events import MAX_EVENT_BYTES, ClipLost, Event
from edge.db.inserts import if_new
from edge.db.tables import event, interaction, quarantine

# What one device may fill the quarantine with; after that only the counts of known ones grow.
MOST_PER_DEVICE = 1000


@dataclass(frozen=True, slots=True)
class SetAside:
    """A payload that was refused, with whatever of it could be read."""

    device: str
    topic: str
    payload: bytes
    reason: str
    event_id: str | None = None
    outbox: str | None = None
    seq: int | None = None


def subject_of(incoming: Event) -> str | None:
    """The request that the event speaks of; of answers, the score that they follow; of a loss, its clip."""
    if isinstance(incoming.content, ClipLost):
        return None if incoming.content.clip is None else str(incoming.content.clip)
    request = getattr(incoming.content, "follows", None) or getattr(incoming.content, "request", None)
    return str(request) if request else None


_INSERT = if_new(event, ["store", "device", "id"], returning=[event.c.device, event.c.id])
_ABOUT = sa.select(event.c.kind, event.c.payload).where(
    event.c.store == sa.bindparam("in_store"),
    event.c.device == sa.bindparam("in_device"),
    event.c.subject.in_(sa.bindparam("in_requests", expanding=True)),
    event.c.kind.in_(("cancel", "attend", "feedback")),
)


def insert(conn: sa.Connection, store: str, events: Sequence[Event], now: datetime) -> set[tuple[str, str]]:
    """Insert events and return the (device, id) of those that were not there before.

    ON CONFLICT DO NOTHING on the key only: INSERT OR IGNORE would also swallow rows that break a constraint.
    """
    rows = [
        {
            "store": store,
            "device": e.device,
            "id": str(e.id),
            "kind": e.kind,
            "outbox": str(e.outbox) if e.outbox else None,
            "seq": e.seq,
            "subject": subject_of(e),
            "interaction": None,
            "received_at": now,
            "drill": e.drill,
            "payload": e.payload,
        }
        for e in events
    ]
    return {(row.device, row.id) for row in conn.execute(_INSERT[conn.dialect.name], rows)}


def payload_of(conn: sa.Connection, store: str, device: str, event_id: str) -> bytes:
    """The payload that is committed under this id."""
    query = sa.select(event.c.payload).where(
        event.c.store == store, event.c.device == device, event.c.id == event_id
    )
    return conn.execute(query).scalar_one()


def payload_if_known(conn: sa.Connection, store: str, device: str, event_id: str) -> bytes | None:
    """As payload_of, or None if the event has not come."""
    query = sa.select(event.c.payload).where(
        event.c.store == store, event.c.device == device, event.c.id == event_id
    )
    return conn.execute(query).scalar()


def losses_of(conn: sa.Connection, store: str, device: str, clip_id: str) -> list[Event]:
    """The device's words that it has lost a clip, which may come before it is told of."""
    e = event.c
    query = sa.select(e.payload).where(
        e.store == store, e.device == device, e.subject == clip_id, e.kind == "lost"
    )
    topic = topics.event(store, device, "lost")
    rows = conn.execute(query.order_by(e.received_at)).scalars()
    return [codec.decode_event(store, topic, payload) for payload in rows]


def joined(conn: sa.Connection, store: str, device: str, event_id: str, interaction: str | None) -> None:
    """Remember the request that an event joined; None when it is none of that request after all."""
    conn.execute(
        sa.update(event)
        .where(event.c.store == store, event.c.device == device, event.c.id == event_id)
        .values(interaction=interaction)
    )


_JOINED_TO = sa.select(event.c.payload).where(
    event.c.store == sa.bindparam("in_store"),
    event.c.device == sa.bindparam("in_device"),
    event.c.interaction == sa.bindparam("in_interaction"),
    event.c.kind == "help",
)


def joined_to(conn: sa.Connection, store: str, device: str, interaction: str) -> list[bytes]:
    """The payloads of the help presses that joined this request."""
    given = {"in_store": store, "in_device": device, "in_interaction": interaction}
    return list(conn.execute(_JOINED_TO, given).scalars())


def interaction_of(conn: sa.Connection, store: str, device: str, event_id: str) -> str | None:
    """The request that this event of the device joined, if it joined one."""
    query = sa.select(event.c.interaction).where(
        event.c.store == store, event.c.device == device, event.c.id == event_id
    )
    return conn.execute(query).scalar()


def withdraw(conn: sa.Connection, store: str, device: str, event_id: str) -> None:
    """Take back an insert of this same transaction: the event is refused after all."""
    conn.execute(
        sa.delete(event).where(event.c.store == store, event.c.device == device, event.c.id == event_id)
    )


# Sorted by whoever asks: asked for in the order of ids, SQLite reads all events of the device.
_FOLLOW_UPS = sa.select(event.c.id, event.c.payload).where(
    event.c.store == sa.bindparam("in_store"),
    event.c.device == sa.bindparam("in_device"),
    event.c.subject == sa.bindparam("in_score"),
    event.c.kind == "feedback",
)


def about(conn: sa.Connection, store: str, device: str, requests: Sequence[str]) -> list[tuple[str, bytes]]:
    """(kind, payload) of the device's cancels, arrivals and scores that speak of these requests."""
    rows = conn.execute(_ABOUT, {"in_store": store, "in_device": device, "in_requests": list(requests)})
    return [(row.kind, row.payload) for row in rows]


def follow_ups(conn: sa.Connection, store: str, device: str, score: str) -> list[bytes]:
    """The payloads of the answers that follow this score, by their ids: the earliest first."""
    rows = conn.execute(_FOLLOW_UPS, {"in_store": store, "in_device": device, "in_score": score})
    return [row.payload for row in sorted(rows, key=lambda row: row.id)]


def kind_of(conn: sa.Connection, store: str, device: str, event_id: str) -> str | None:
    """The kind of an event of the device; None if it has not come."""
    query = sa.select(event.c.kind).where(
        event.c.store == store, event.c.device == device, event.c.id == event_id
    )
    return conn.execute(query).scalar()


def undated_missed(conn: sa.Connection, store: str, device: str) -> list[tuple[str, bytes]]:
    """(request, payload of its event) of the device's latest missed help requests of unknown age."""
    query = (
        sa.select(interaction.c.id, event.c.payload)
        .join(
            event,
            sa.and_(
                event.c.store == interaction.c.store,
                event.c.device == interaction.c.device,
                event.c.id == interaction.c.id,
            ),
        )
        .where(
            interaction.c.store == store,
            interaction.c.device == device,
            interaction.c.kind == "help",
            interaction.c.state == "missed",
            interaction.c.age_known.is_(False),
        )
        .order_by(interaction.c.raised_at.desc())
        .limit(50)
    )
    return [(row.id, row.payload) for row in conn.execute(query)]


def set_aside(conn: sa.Connection, store: str, refused: SetAside, now: datetime) -> None:
    """Keep a refused payload with its reason; the same one again only raises its count."""
    digest = sha256(refused.payload).hexdigest()
    key = (quarantine.c.store == store, quarantine.c.device == refused.device, quarantine.c.sha256 == digest)
    known = conn.execute(sa.update(quarantine).where(*key).values(count=quarantine.c.count + 1, last_at=now))
    if known.rowcount:
        return
    held = conn.execute(
        sa.select(sa.func.count())
        .select_from(quarantine)
        .where(quarantine.c.store == store, quarantine.c.device == refused.device)
    ).scalar_one()
    if held >= MOST_PER_DEVICE:
        oldest = sa.select(sa.func.min(quarantine.c.id)).where(
            quarantine.c.store == store, quarantine.c.device == refused.device
        )
        conn.execute(sa.delete(quarantine).where(quarantine.c.id == oldest.scalar_subquery()))
    conn.execute(
        sa.insert(quarantine).values(
            store=store,
            device=refused.device[:64],
            topic=refused.topic[:200],
            reason=refused.reason[:400],
            sha256=digest,
            payload=refused.payload[:MAX_EVENT_BYTES],
            event_id=refused.event_id,
            outbox=refused.outbox,
            seq=refused.seq,
            count=1,
            first_at=now,
            last_at=now,
        )
    )
