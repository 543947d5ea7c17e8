"""The audit of changes: written in the same transaction as the change, never changed afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge.db.store_tables import audit

MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, an integration's token or the command line; `through` is desk, phone, api,
    command, policy or device."""

    name: str
    through: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `before` and `after` hold only what changed; no secrets, only that they changed."""

    id: int
    at: datetime
    actor: str
    through: str
    what: str
    subject: str
    words: str
    before: dict[str, Any]
    after: dict[str, Any]


def record(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    what: str,
    subject: str,
    words: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one change: `what` as 'person.added', `subject` the name it happened to, `words` a sentence."""
    conn.execute(
        sa.insert(audit).values(
            store=store,
            at=now,
            person=actor.person,
            actor=actor.name[:80],
            through=actor.through,
            what=what,
            subject=subject[:80],
            words=words[:500],
            before=dict(before or {}),
            after=dict(after or {}),
        )
    )


def since(conn: sa.Connection, store: str, what: str, subject: str, at: datetime) -> bool:
    """Whether this happened to `subject` at `at` or later."""
    a = audit.c
    query = sa.select(a.id).where(a.store == store, a.at >= at, a.what == what, a.subject == subject)
    return conn.execute(query.limit(1)).first() is not None


def entries(
    conn: sa.Connection,
    store: str,
    before: int | None = None,
    limit: int = 50,
    what: str = "",
    by: str = "",
    without: str = "",
) -> list[Entry]:
    """Up to `limit` changes, the newest first, behind the id `before`; only those of 'person' where
    `what` is 'person', and so on, only those of the actor named `by`, and none of the kind `without`."""
    a = audit.c
    query = sa.select(a.id, a.at, a.actor, a.through, a.what, a.subject, a.words, a.before, a.after)
    query = query.where(a.store == store)
    if before is not None:
        query = query.where(a.id < before)
    if what:
        query = query.where(a.what.startswith(f"{what}.", autoescape=True))
    if without:
        query = query.where(sa.not_(a.what.startswith(f"{without}.", autoescape=True)))
    if by:
        query = query.where(a.actor == by)
    rows = conn.execute(query.order_by(a.id.desc()).limit(min(limit, MAX_LIMIT)))
    return [Entry(*row) for row in rows]
