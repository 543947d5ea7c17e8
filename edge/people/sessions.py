"""Sign-ins. A browser holds 256 random bits, the table their SHA-256: a stolen database signs nobody in.

On the floor a session lives as long as a shift, whatever the phone does: pages must reach it. At the desk it
also ends when nobody does anything for a while: each deed puts its end off, never beyond the shift (see
put_off).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from edge.db.store_tables import person as person_table
from edge.db.store_tables import session as table
from edge.people import store as people
from edge.people.store import DESK_ROLES, Person

__all__ = ["DESK_ROLES", "Audience", "SignIn", "end", "find", "hear", "key_of", "start", "sweep"]

# How long whoever proved who they are may change what proves it.
FRESH = timedelta(minutes=10)

Audience = Literal["floor", "manage"]


@dataclass(frozen=True)
class SignIn:
    """A valid session. `key` is the token's SHA-256 in hex."""

    person: Person
    audience: str
    key: str
    started_at: datetime
    expires_at: datetime
    # when its person last proved who they are
    proven_at: datetime
    # proven with a second factor
    strong: bool = False

    def is_fresh(self, now: datetime) -> bool:
        return now - self.proven_at < FRESH


@dataclass(frozen=True)
class Place:
    """A browser in which somebody is signed in. `browser` is what it says of itself."""

    key: str
    audience: str
    browser: str
    started_at: datetime
    expires_at: datetime
    strong: bool

    @property
    def id(self) -> str:
        """What names it on a page."""
        return self.key[:16]


_PROVEN_AT = sa.func.coalesce(table.c.proven_at, table.c.started_at, type_=table.c.started_at.type)


def key_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def start(
    conn: sa.Connection,
    person: Person,
    audience: Audience,
    now: datetime,
    shift_hours: float,
    *,
    present: bool = True,
    strong: bool = False,
    browser: str = "",
) -> str:
    """A new session's token. On the floor, whoever was off is available from now on, if `present`."""
    token = secrets.token_urlsafe(32)
    conn.execute(
        table.insert().values(
            token_sha256=key_of(token),
            store=person.store,
            person=person.id,
            audience=audience,
            started_at=now,
            proven_at=now,
            expires_at=now + timedelta(hours=shift_hours),
            strong=strong,
            browser=browser[:80],
        )
    )
    if audience == "floor" and present:
        conn.execute(
            person_table.update()
            .where(person_table.c.id == person.id, person_table.c.presence == "off")
            .values(presence="available", presence_at=now)
        )
    return token


def find(conn: sa.Connection, store: str, audience: Audience, key: str, now: datetime) -> SignIn | None:
    """The session with this key (see key_of), or None if it ended, expired, or its person may not be here."""
    row = conn.execute(
        sa.select(table.c.person, table.c.started_at, table.c.expires_at, _PROVEN_AT, table.c.strong).where(
            table.c.token_sha256 == key,
            table.c.store == store,
            table.c.audience == audience,
            table.c.expires_at > now,
        )
    ).one_or_none()
    person = people.by_id(conn, store, row[0]) if row else None
    if row is None or person is None or not person.active:
        return None
    if audience == "manage" and person.role not in DESK_ROLES:
        return None
    return SignIn(person, audience, key, *row[1:])


def of_person(conn: sa.Connection, store: str, person: str, now: datetime) -> list[Place]:
    """Where this person is signed in now, the newest first."""
    s = table.c
    query = sa.select(s.token_sha256, s.audience, s.browser, s.started_at, s.expires_at, s.strong)
    query = query.where(s.store == store, s.person == person, s.expires_at > now)
    return [Place(*row) for row in conn.execute(query.order_by(s.started_at.desc(), s.token_sha256))]


def hear(conn: sa.Connection, store: str, heard: Mapping[str, datetime]) -> None:
    """The phones of these sessions answered what the server had sent them, at these times."""
    conn.execute(
        table.update()
        .where(table.c.store == store, table.c.token_sha256 == sa.bindparam("in_key"))
        .values(heard_at=sa.bindparam("in_at")),
        [{"in_key": key, "in_at": at} for key, at in sorted(heard.items())],
    )


def end(conn: sa.Connection, store: str, key: str, now: datetime) -> None:
    """Sign out. Whoever is then signed in on no phone is off. Ending an ended session does nothing."""
    row = conn.execute(
        sa.select(table.c.person).where(table.c.token_sha256 == key, table.c.store == store)
    ).one_or_none()
    if row is not None:
        conn.execute(table.delete().where(table.c.token_sha256 == key))
        _switch_off(conn, store, [row[0]], now)


def rotate(conn: sa.Connection, store: str, key: str, now: datetime, *, strong: bool) -> str:
    """A new token for this session, whose person has just proved who they are; the old one opens nothing."""
    token = secrets.token_urlsafe(32)
    mine = (table.c.store == store, table.c.token_sha256 == key)
    conn.execute(table.update().where(*mine).values(token_sha256=key_of(token), proven_at=now, strong=strong))
    return token


def put_off(conn: sa.Connection, store: str, ends: Mapping[str, datetime]) -> None:
    """These sessions end so much later, if they have not ended; never sooner."""
    conn.execute(
        table.update()
        .where(
            table.c.store == store,
            table.c.token_sha256 == sa.bindparam("in_key"),
            table.c.expires_at < sa.bindparam("in_until"),
        )
        .values(expires_at=sa.bindparam("in_until")),
        [{"in_key": key, "in_until": until} for key, until in sorted(ends.items())],
    )


def end_others(conn: sa.Connection, store: str, person: str, key: str | None) -> None:
    """Whoever is signed in at the desk as this person, but for the session `key`, is out."""
    at_desk = (table.c.store == store, table.c.person == person, table.c.audience == "manage")
    conn.execute(table.delete().where(*at_desk, table.c.token_sha256 != (key or "")))


def mark(conn: sa.Connection, store: str, key: str, *, strong: bool) -> None:
    """Whether this session is proven by a second factor."""
    mine = (table.c.store == store, table.c.token_sha256 == key)
    conn.execute(table.update().where(*mine).values(strong=strong))


def sweep(conn: sa.Connection, store: str, now: datetime) -> int:
    """End what has expired; whoever went home without signing out is off. How many sessions ended."""
    expired = list(
        conn.execute(
            sa.select(table.c.token_sha256, table.c.person).where(
                table.c.store == store, table.c.expires_at <= now
            )
        )
    )
    if expired:
        conn.execute(table.delete().where(table.c.store == store, table.c.expires_at <= now))
        _switch_off(conn, store, sorted({row[1] for row in expired}), now)
    return len(expired)


def end_all(conn: sa.Connection, store: str, now: datetime) -> int:
    """Nobody is signed in anywhere any more; how many sessions ended."""
    persons = sorted(set(conn.scalars(sa.select(table.c.person).where(table.c.store == store))))
    ended = conn.execute(table.delete().where(table.c.store == store)).rowcount
    _switch_off(conn, store, persons, now)
    return ended


def _switch_off(conn: sa.Connection, store: str, persons: list[str], now: datetime) -> None:
    still_here = sa.select(table.c.person).where(table.c.audience == "floor", table.c.expires_at > now)
    conn.execute(
        person_table.update()
        .where(
            person_table.c.store == store,
            person_table.c.id.in_(persons),
            person_table.c.presence != "off",
            person_table.c.id.not_in(still_here),
        )
        .values(presence="off", presence_at=now, presence_until=None, cover=None)
    )
