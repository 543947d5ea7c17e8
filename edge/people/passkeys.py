"""Passkeys in the database: the public keys that people's authenticators have made for this server
(WebAuthn).

What an authenticator answers is checked in edge/web/ceremonies.py; here is what is known of each key, and
that no challenge is answered twice.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.inserts import if_new
from edge.db.store_tables import passkey as table
from edge.db.store_tables import spent_challenge

MAX_NAME = 60
MOST = 20
_SPEND = if_new(spent_challenge, ["challenge_sha256"])
_NEW = if_new(table, ["credential_sha256"])


@dataclass(frozen=True, slots=True)
class Passkey:
    """`credential` is the id that the authenticator gave it, `host` the name it was made for, `count` how
    often it has signed, as it says. `behind_at`: it said less than was known, so that it may have been
    copied."""

    person: str
    credential: bytes
    public_key: bytes
    host: str
    name: str
    count: int
    added_at: datetime
    used_at: datetime | None = None
    behind_at: datetime | None = None

    @property
    def id(self) -> str:
        """What names it on a page."""
        return _key(self.credential)[:16]


def of_person(conn: sa.Connection, store: str, person: str) -> list[Passkey]:
    """A person's, the oldest first."""
    return _some(conn, table.c.store == store, table.c.person == person)


def of_credential(conn: sa.Connection, store: str, credential: bytes) -> Passkey | None:
    found = _some(conn, table.c.store == store, table.c.credential_sha256 == _key(credential))
    return found[0] if found else None


def put(conn: sa.Connection, store: str, one: Passkey) -> bool:
    """Whether it is new here: no authenticator's key is two people's, nor twice one's."""
    values = {
        "credential_sha256": _key(one.credential), "store": store, "person": one.person,
        "credential": one.credential, "public_key": one.public_key, "host": one.host, "name": one.name,
        "count": one.count, "added_at": one.added_at, "used_at": None, "behind_at": None,
    }  # fmt: skip
    return conn.execute(_NEW[conn.dialect.name], values).rowcount == 1


def use(conn: sa.Connection, store: str, one: Passkey, count: int, now: datetime) -> bool:
    """Whether its use counts: an authenticator that counts has counted further than anybody knew. One that
    does not is 0 each time (WebAuthn Level 3, 6.1.1)."""
    mine = (table.c.store == store, table.c.credential_sha256 == _key(one.credential))
    further = sa.or_(table.c.count < count, sa.and_(table.c.count == 0, sa.literal(count) == 0))
    return (
        conn.execute(table.update().where(*mine, further).values(count=count, used_at=now, behind_at=None))
    ).rowcount == 1


def fell_behind(conn: sa.Connection, store: str, one: Passkey, now: datetime) -> None:
    """It counted less than was known."""
    mine = (table.c.store == store, table.c.credential_sha256 == _key(one.credential))
    conn.execute(table.update().where(*mine).values(behind_at=now))


def remove(conn: sa.Connection, store: str, one: Passkey) -> None:
    mine = (table.c.store == store, table.c.credential_sha256 == _key(one.credential))
    conn.execute(table.delete().where(*mine))


def remove_all(conn: sa.Connection, store: str, person: str) -> int:
    """How many there were."""
    return conn.execute(table.delete().where(table.c.store == store, table.c.person == person)).rowcount


def spend(conn: sa.Connection, store: str, challenge: bytes, until: datetime) -> bool:
    """Whether this challenge was not answered before; from now on it was. It counts until `until` anyway."""
    values = {"challenge_sha256": _key(challenge), "store": store, "until": until}
    return conn.execute(_SPEND[conn.dialect.name], values).rowcount == 1


def sweep(conn: sa.Connection, store: str, now: datetime) -> None:
    """Forget challenges that nobody could answer any more."""
    gone = (spent_challenge.c.store == store, spent_challenge.c.until <= now)
    conn.execute(sa.delete(spent_challenge).where(*gone))


def _some(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Passkey]:
    p = table.c
    query = sa.select(
        p.person, p.credential, p.public_key, p.host, p.name, p.count, p.added_at, p.used_at, p.behind_at
    )
    rows = conn.execute(query.where(*where).order_by(p.added_at, p.credential_sha256))
    return [Passkey(*row) for row in rows]


def _key(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()
