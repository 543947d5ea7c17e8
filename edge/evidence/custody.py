"""The custody log: what was done to evidence, by whom and why, each entry a leaf of a Merkle tree.

An entry is written in the transaction of what it speaks of, and never changed. Its tree is broker/tree.py.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from broker import tree
from edge.db.evidence_tables import custody, custody_log, custody_node
from edge.db.inserts import if_new
from edge.evidence.entries import SALT_BYTES, Action, Entry, commit, encode

MAX_REASON = 500
MAX_ACTOR = 160
_BUMP = (
    sa.update(custody_log)
    .where(custody_log.c.store == sa.bindparam("in_store"))
    .values(size=custody_log.c.size + 1)
    .returning(custody_log.c.log, custody_log.c.size)
)
_BEGIN = if_new(custody_log)


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry with its words; `actor` and `reason` are None once they were erased."""

    index: int
    at: datetime
    action: str
    subject: str
    entry: bytes
    leaf: str
    actor: str | None
    actor_salt: str | None
    reason: str | None
    reason_salt: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """Which log this is, and how many entries it has."""

    id: UUID
    size: int


def append(
    conn: sa.Connection,
    store: str,
    action: Action,
    subject: str,
    digest: str,
    actor: str,
    reason: str,
    now: datetime,
) -> int:
    """Write an entry and return its index. The row lock on the log makes their order that of the commits.

    `subject` is an id of up to 64 signs, `actor` and `reason` are cut to MAX_ACTOR and MAX_REASON signs.
    """
    log, index = _next(conn, store, now)
    actor, reason = actor[:MAX_ACTOR], reason[:MAX_REASON]
    actor_salt, reason_salt = os.urandom(SALT_BYTES), os.urandom(SALT_BYTES)
    entry = Entry(
        log=log,
        index=index,
        at_ms=int(now.timestamp() * 1000),
        action=action,
        subject=subject,
        digest=digest,
        actor=commit("actor", actor_salt, actor),
        reason=commit("reason", reason_salt, reason),
    )
    written = encode(entry)
    leaf = tree.leaf_hash(written)
    conn.execute(
        sa.insert(custody).values(
            store=store,
            place=index,
            at=now,
            action=action,
            subject=subject,
            entry=written,
            leaf=leaf.hex(),
            actor=actor,
            actor_salt=actor_salt.hex(),
            reason=reason,
            reason_salt=reason_salt.hex(),
        )
    )
    _keep_nodes(conn, store, index, leaf)
    return index


def log_of(conn: sa.Connection, store: str) -> Log | None:
    """The store's log; None before its first entry."""
    c = custody_log.c
    row = conn.execute(sa.select(c.log, c.size).where(c.store == store)).first()
    return None if row is None else Log(UUID(row.log), row.size)


def nodes(conn: sa.Connection, store: str) -> tree.Node:
    """The tree's hashes, read one by one: a proof needs a few dozen at most."""
    n = custody_node.c

    def node(level: int, index: int) -> tree.Hash:
        if level == 0:
            query = sa.select(custody.c.leaf).where(custody.c.store == store, custody.c.place == index)
        else:
            query = sa.select(n.hash).where(n.store == store, n.level == level, n.place == index)
        return bytes.fromhex(conn.execute(query).scalar_one())

    return node


def of_subject(conn: sa.Connection, store: str, subject: str) -> list[Kept]:
    """All entries about a clip, the oldest first."""
    return _read(conn, custody.c.store == store, custody.c.subject == subject)


def between(conn: sa.Connection, store: str, begin: int, end: int) -> list[Kept]:
    """The entries begin to end - 1."""
    return _read(conn, custody.c.store == store, custody.c.place >= begin, custody.c.place < end)


def erase_actor(conn: sa.Connection, store: str, actor: str) -> int:
    """Forget a person's name in every entry; the log still verifies. How many entries had it."""
    c = custody.c
    found = sa.update(custody).where(c.store == store, c.actor == actor).values(actor=None, actor_salt=None)
    return conn.execute(found).rowcount


def _next(conn: sa.Connection, store: str, now: datetime) -> tuple[UUID, int]:
    bump = {"in_store": store}
    row = conn.execute(_BUMP, bump).first()
    if row is None:
        # Of two who write the first entry the second waits here for the first one's commit.
        begun = {"store": store, "log": str(uuid4()), "size": 0, "begun_at": now}
        conn.execute(_BEGIN[conn.dialect.name], begun)
        row = conn.execute(_BUMP, bump).one()
    return UUID(row.log), row.size - 1


def _keep_nodes(conn: sa.Connection, store: str, index: int, leaf: tree.Hash) -> None:
    """Write the subtrees that this leaf completes; each needs only its left half from before."""
    node, made, rows = nodes(conn, store), leaf, []
    for level, at in tree.completed(index):
        made = tree.node_hash(node(level - 1, 2 * at), made)
        rows.append({"store": store, "level": level, "place": at, "hash": made.hex()})
    if rows:
        conn.execute(sa.insert(custody_node), rows)


def _read(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Kept]:
    c = custody.c
    columns = (
        c.place.label("index"),
        c.at,
        c.action,
        c.subject,
        c.entry,
        c.leaf,
        c.actor,
        c.actor_salt,
        c.reason,
        c.reason_salt,
    )
    rows = conn.execute(sa.select(*columns).where(*conditions).order_by(c.place))
    return [Kept(**row) for row in rows.mappings()]
