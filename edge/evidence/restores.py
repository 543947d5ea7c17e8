"""The store's signed word that it was restored from a backup: what follows in the custody log follows that.

decisions/008 says why kiosks may take it, and what they keep of what they give up for it.
"""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from broker import tree
from broker.witness import MOST_BEFORE, Restoration, restored_to_sign
from edge.db.backup_tables import restore
from edge.evidence import custody

if TYPE_CHECKING:
    from broker.signing import Signer


def sign(
    conn: sa.Connection, store: str, signer: "Signer", backup: str, backup_at: datetime, now: datetime
) -> int:
    """Write down that the store was restored now, before anything else is written; how many entries its log
    has from before."""
    log = custody.log_of(conn, store)
    row = {"store": store, "restored_at": now, "backup": backup, "backup_at": backup_at, "size": 0}
    if log is not None:
        root = tree.root(custody.nodes(conn, store), log.size).hex()
        message = restored_to_sign(store, log.id, log.size, root, _ms(backup_at), _ms(now))
        row |= {"log": str(log.id), "size": log.size, "root": root, "key": signer.key}
        row["signature"] = signer.sign(message)
    conn.execute(sa.insert(restore).values(row))
    return log.size if log is not None else 0


def of_log(conn: sa.Connection, store: str, log: UUID) -> list[Restoration]:
    """The restores of this log, the oldest first; of very many the newest."""
    r = restore.c
    query = sa.select(r.size, r.root, r.backup_at, r.restored_at, r.signature).where(
        r.store == store, r.log == str(log)
    )
    rows = conn.execute(query.order_by(r.restored_at.desc()).limit(MOST_BEFORE)).all()
    return [
        Restoration(row.size, row.root, _ms(row.backup_at), _ms(row.restored_at), row.signature)
        for row in reversed(rows)
    ]


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
