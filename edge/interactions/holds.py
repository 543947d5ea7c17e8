"""Security calls of people, as the events that they are: a phone that heard no answer sends the same again.

They stand beside the devices' events for good, so that one which comes after its request is over, however
late, opens no other.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker import codec
from broker.events import SecurityRequested
from edge.db.inserts import if_new
from edge.db.tables import event, interaction, is_open
from edge.interactions import store as requests
from edge.interactions.request import Request

# What stands in the log where a device's name would stand; no device may be called so (broker.topics).
DEVICE = "phone"
_INSERT = if_new(event, ["store", "device", "id"], returning=[event.c.id])

# Built once: every page of every phone asks for it.
_OPEN_OF = (
    sa.select(interaction.c.id)
    .where(
        interaction.c.store == sa.bindparam("in_store"),
        is_open,
        interaction.c.raised_by == sa.bindparam("in_person"),
        interaction.c.kind == sa.literal_column("'security'"),
    )
    .limit(1)
)


def claim(conn: sa.Connection, store: str, id_: UUID, content: SecurityRequested, now: datetime) -> bool:
    """Write the call; False if it came before. Of the same twice at once the second waits here."""
    row = {
        "store": store,
        "device": DEVICE,
        "id": str(id_),
        "kind": "security",
        "received_at": now,
        "drill": False,
        "payload": codec.encode_event(id_, content, "security"),
    }
    return conn.execute(_INSERT[conn.dialect.name], row).first() is not None


def belongs(conn: sa.Connection, store: str, id_: UUID, request: str) -> None:
    """Remember the request that the call raised or joined."""
    e = event.c
    where = (e.store == store, e.device == DEVICE, e.id == str(id_))
    conn.execute(sa.update(event).where(*where).values(interaction=request))


def request_of(conn: sa.Connection, store: str, id_: UUID) -> str:
    """The request that a call which came before raised or joined."""
    e = event.c
    query = sa.select(e.interaction).where(e.store == store, e.device == DEVICE, e.id == str(id_))
    return str(conn.execute(query).scalar_one())


def open_of(conn: sa.Connection, store: str, person: str, *, lock: bool = True) -> Request | None:
    """The open security request that this person called for, if there is one."""
    found = conn.execute(_OPEN_OF, {"in_store": store, "in_person": person}).scalar()
    if found is None:
        return None
    if lock:
        request = requests.find(conn, store, found)
        return request if request is not None and request.open else None
    return next(iter(requests.among(conn, store, [found])), None)
