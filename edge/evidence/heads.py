"""Signed heads of the custody log, and which device holds which: the store's side of DESIGN 6."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import sqlalchemy as sa

from broker import tree
from broker.witness import Before, HeadKept, HeadRefused, HeadShown, TreeHead, head_to_sign
from edge.db.evidence_tables import custody_log, tree_head, witness
from edge.db.inserts import if_new
from edge.db.store_tables import device
from edge.evidence import custody, restores

if TYPE_CHECKING:
    from broker.signing import Signer

_ADD_WITNESS = if_new(witness)


@dataclass(frozen=True, slots=True)
class Held:
    """What a device says it holds, in its own signature; `refused` is why it refused what it was shown."""

    device: str
    size: int
    root: str | None
    at_ms: int | None
    key: str | None
    signature: str | None
    heard_at: datetime | None
    refused: str | None
    refused_at: datetime | None
    # what it gave up for restores
    before: tuple[Before, ...] = ()


def newest(conn: sa.Connection, store: str) -> TreeHead | None:
    """The newest signed head; None before the first."""
    return _head(conn, store, None)


def at_size(conn: sa.Connection, store: str, size: int) -> TreeHead | None:
    """The signed head over exactly so many entries, if one was signed there."""
    return _head(conn, store, size)


def sign_newest(conn: sa.Connection, store: str, signer: "Signer", now: datetime) -> TreeHead | None:
    """Sign a head over all there is, if that is more than under the newest one."""
    log = custody.log_of(conn, store)
    last = newest(conn, store)
    if log is None or (last is not None and log.size <= last.size):
        return None
    root = tree.root(custody.nodes(conn, store), log.size).hex()
    at_ms = int(now.timestamp() * 1000)
    signature = signer.sign(head_to_sign(store, log.id, log.size, root, at_ms))
    head = TreeHead(store, log.id, log.size, root, at_ms, signer.key, signature)
    values = {"size": head.size, "root": root, "at_ms": at_ms, "key": head.key, "signature": signature}
    conn.execute(sa.insert(tree_head).values(store=store, **values))
    return head


def to_show(conn: sa.Connection, store: str) -> list[tuple[str, HeadShown]]:
    """(device, what to show it) for each that is here and was not shown the newest head; now it was."""
    head = newest(conn, store)
    if head is None:
        return []
    d, w = device.c, witness.c
    query = (
        sa.select(d.name, w.size, w.root)
        .select_from(device.outerjoin(witness, sa.and_(w.store == d.store, w.device == d.name)))
        .where(d.store == store, d.status == "online", sa.or_(w.shown.is_(None), w.shown < head.size))
        .order_by(d.name)
    )
    found, restored = [], restores.of_log(conn, store, head.log)
    for name, held, _root in conn.execute(query).all():
        old = min(held or 0, head.size)
        proof = tree.consistency_proof(custody.nodes(conn, store), old, head.size)
        found.append((name, HeadShown(head, old, [step.hex() for step in proof], restored)))
        _know(conn, store, name)
        _update(conn, store, name, shown=head.size)
    return found


def doubt(conn: sa.Connection, store: str, name: str) -> None:
    """A device comes online: nobody knows that the last head reached it."""
    _update(conn, store, name, shown=0)


def keep(conn: sa.Connection, store: str, name: str, said: HeadKept, key: str | None, now: datetime) -> None:
    """The device keeps this head; its signature has been checked with `key`."""
    _know(conn, store, name)
    _update(
        conn,
        store,
        name,
        size=said.size,
        root=said.root,
        at_ms=said.at_ms,
        key=key,
        signature=said.signature,
        before=msgspec.to_builtins(said.before) or None,
        heard_at=now,
        refused=None,
        refused_at=None,
    )


def refuse(conn: sa.Connection, store: str, name: str, said: HeadRefused, now: datetime) -> bool:
    """The device did not take what it was shown. True if it holds what this log never was; False if it only
    holds another head of ours, to which it is then shown the way."""
    _know(conn, store, name)
    log = custody.log_of(conn, store)
    ours = (
        log is not None
        and log.id == said.log
        and said.held_size <= log.size
        and said.held_root is not None
        and tree.root(custody.nodes(conn, store), said.held_size).hex() == said.held_root
    )
    if ours:
        w, head = witness.c, {"size": said.held_size, "root": said.held_root}
        row = sa.select(w.size, w.root).where(w.store == store, w.device == name)
        if conn.execute(row).one()._asdict() != head:
            # It has signed another one.
            _update(conn, store, name, **head, at_ms=None, key=None, signature=None)
        _update(conn, store, name, shown=0, heard_at=now)
        return False
    _update(conn, store, name, refused=said.reason, refused_at=now, heard_at=now)
    return True


def witnesses(conn: sa.Connection, store: str) -> list[Held]:
    """What every device that ever answered holds."""
    columns = [witness.c[name] for name in Held.__dataclass_fields__]
    rows = conn.execute(sa.select(*columns).where(witness.c.store == store).order_by(witness.c.device))
    return [
        Held(**{**row, "before": tuple(msgspec.convert(row["before"] or [], list[Before]))})
        for row in rows.mappings()
    ]


def _head(conn: sa.Connection, store: str, size: int | None) -> TreeHead | None:
    """Over so many entries; the newest for None."""
    h = tree_head.c
    query = (
        sa.select(custody_log.c.log, h.size, h.root, h.at_ms, h.key, h.signature)
        .join(custody_log, custody_log.c.store == h.store)
        .where(h.store == store)
        .order_by(h.size.desc())
        .limit(1)
    )
    row = conn.execute(query if size is None else query.where(h.size == size)).first()
    return None if row is None else TreeHead(store, UUID(row[0]), *row[1:])


def _know(conn: sa.Connection, store: str, name: str) -> None:
    row = {"store": store, "device": name, "shown": 0, "size": 0}
    conn.execute(_ADD_WITNESS[conn.dialect.name], row)


def _update(conn: sa.Connection, store: str, name: str, **values: object) -> None:
    w = witness.c
    conn.execute(sa.update(witness).where(w.store == store, w.device == name).values(**values))
