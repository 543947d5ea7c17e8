"""A device whose identity seems to be used twice: managers are told, until it is let in anew."""

from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.db.store_tables import device
from edge.handling.telling import Telling

# As whom the audit names what the server does by a rule.
SERVER = Actor("Floorbell", "policy")


def is_told(conn: sa.Connection, store: str, name: str, words: str) -> bool:
    """Whether managers were told just this of the device, and it was not let in anew since."""
    d = device.c
    query = sa.select(d.doubted_words).where(d.store == store, d.name == name)
    return conn.execute(query).scalar() == words[:300]


def doubt(conn: sa.Connection, store: str, name: str, words: str, now: datetime) -> None:
    """Written down and told once for each sentence."""
    d = device.c
    here = (d.store == store, d.name == name, d.revoked_at.is_(None))
    row = conn.execute(sa.select(d.doubted_words).where(*here)).first()
    if row is None or row.doubted_words == words[:300]:
        return
    conn.execute(sa.update(device).where(*here).values(doubted_at=now, doubted_words=words[:300]))
    record(conn, store, SERVER, "device.doubted", name, words, now)
    tell(conn, store, name, "doubted", now)


def tell(conn: sa.Connection, store: str, name: str, what: str, now: datetime) -> None:
    """The desk's pages of this device are old."""
    telling = Telling(store)
    telling.device(name, what)
    telling.flush(conn, now)
