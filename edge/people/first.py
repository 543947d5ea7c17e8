"""The code by which a store's first admin begins: made on the server's console, good once and for a while.

There is no account from the start, and so no password that everybody knows.
"""

import hmac
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.store_tables import person, setting

GOOD_FOR = timedelta(minutes=15)
_NAME = "first.admin"


def has_admin(conn: sa.Connection, store: str) -> bool:
    """Whether somebody is admin who can sign in; they make whoever comes next."""
    admins = (person.c.store == store, person.c.role == "admin", person.c.active)
    return conn.execute(
        sa.select(sa.exists().where(*admins, person.c.password_hash.is_not(None)))
    ).scalar_one()


def anybody(conn: sa.Connection, store: str) -> bool:
    """Whether somebody can sign in by password."""
    able = (person.c.store == store, person.c.active, person.c.password_hash.is_not(None))
    return conn.execute(sa.select(sa.exists().where(*able))).scalar_one()


def offer(conn: sa.Connection, store: str, key: str, now: datetime) -> None:
    """The code with this key (its SHA-256) from now on; an earlier one counts no more."""
    withdraw(conn, store)
    value = {"key": key, "until": (now + GOOD_FOR).isoformat()}
    conn.execute(sa.insert(setting).values(store=store, name=_NAME, value=value, changed_at=now))


def counts(conn: sa.Connection, store: str, key: str, now: datetime) -> bool:
    """Whether the code with this key is the one that was offered, and still good."""
    mine = (setting.c.store == store, setting.c.name == _NAME)
    value = conn.execute(sa.select(setting.c.value).where(*mine)).scalar()
    if value is None or now >= datetime.fromisoformat(value["until"]):
        return False
    return hmac.compare_digest(str(value["key"]), key)


def withdraw(conn: sa.Connection, store: str) -> None:
    """No code counts any more."""
    conn.execute(sa.delete(setting).where(setting.c.store == store, setting.c.name == _NAME))
