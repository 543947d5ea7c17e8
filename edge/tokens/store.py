"""Tokens in the database. A program holds 256 random bits, the table their SHA-256, as with sign-ins."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from broker.events import new_id
from edge.db.store_tables import token as table

# So that a token which ends up in a repository or a log is known for what it is.
PREFIX = "fb_"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `last_used_at` is true to the minute; a token with `revoked_at` opens nothing."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


_COLUMNS = sa.select(
    table.c.id,
    table.c.name,
    table.c.scopes,
    table.c.created_at,
    table.c.created_by,
    table.c.last_used_at,
    table.c.revoked_at,
)


def fresh() -> str:
    """A new secret, to be shown once."""
    return PREFIX + secrets.token_urlsafe(32)


def key_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def add(
    conn: sa.Connection,
    store: str,
    name: str,
    scopes: Sequence[str],
    key: str,
    created_by: str,
    now: datetime,
) -> Token:
    """A new token with this key (see key_of). The caller has checked the name and the scopes."""
    made = Token(
        str(new_id(int(now.timestamp() * 1000))), name, tuple(scopes), now, created_by[:80], None, None
    )
    conn.execute(
        table.insert().values(
            id=made.id,
            store=store,
            name=name,
            token_sha256=key,
            scopes=list(scopes),
            created_at=now,
            created_by=made.created_by,
        )
    )
    return made


def find(conn: sa.Connection, store: str, key: str) -> Token | None:
    """The token with this key, or None if there is none or it was revoked."""
    return _one(conn, table.c.store == store, table.c.token_sha256 == key, table.c.revoked_at.is_(None))


def by_id(conn: sa.Connection, store: str, token: str) -> Token | None:
    """Also a revoked one."""
    return _one(conn, table.c.store == store, table.c.id == token)


def by_name(conn: sa.Connection, store: str, name: str) -> Token | None:
    """The one of this name that is in use."""
    return _one(conn, table.c.store == store, table.c.name == name, table.c.revoked_at.is_(None))


def all_tokens(conn: sa.Connection, store: str) -> list[Token]:
    """Those in use by name, then the revoked ones, the latest first."""
    order = (table.c.revoked_at.is_not(None), table.c.revoked_at.desc(), sa.func.lower(table.c.name))
    return [_token(row) for row in conn.execute(_COLUMNS.where(table.c.store == store).order_by(*order))]


def revoke(conn: sa.Connection, store: str, token: str, now: datetime) -> None:
    conn.execute(
        table.update()
        .where(table.c.store == store, table.c.id == token, table.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def mark_used(conn: sa.Connection, store: str, used: Mapping[str, datetime]) -> None:
    """When each of these tokens was last used."""
    for token, at in used.items():
        conn.execute(
            table.update().where(table.c.store == store, table.c.id == token).values(last_used_at=at)
        )


def _one(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> Token | None:
    row = conn.execute(_COLUMNS.where(*where)).first()
    return _token(row) if row else None


def _token(row: Any) -> Token:
    return Token(
        row.id,
        row.name,
        tuple(row.scopes),
        row.created_at,
        row.created_by,
        row.last_used_at,
        row.revoked_at,
    )
