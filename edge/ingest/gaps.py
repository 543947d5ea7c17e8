"""Sequence numbers that a device no longer keeps open and that never came."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.backup_tables import restore
from edge.db.tables import event, gap, gap_mark, quarantine

# How many numbers one look goes through: a heartbeat must not read a year of events at once.
SPAN = 5000
# DESIGN 4: receipted events stay this long in an outbox for a replay.
KEPT_AT_DEVICE = timedelta(days=7)


def missing(first: int, below: int, received: Sequence[int]) -> list[tuple[int, int]]:
    """The runs [first, last] of numbers in first..below-1 that are not in `received` (sorted). Pure."""
    runs, expected = [], first
    for seq in received:
        if seq > expected:
            runs.append((expected, seq - 1))
        expected = max(expected, seq + 1)
    if expected < below:
        runs.append((expected, below - 1))
    return runs


def look(
    conn: sa.Connection, store: str, device: str, outbox: str, oldest_open: int, now: datetime
) -> list[tuple[int, int]]:
    """Look through what the outbox says is settled; record and return new gaps."""
    mark = (gap_mark.c.store == store, gap_mark.c.device == device, gap_mark.c.outbox == outbox)
    checked = conn.execute(sa.select(gap_mark.c.checked_below).where(*mark)).scalar()
    first = checked or 1
    below = min(oldest_open, first + SPAN)
    if below <= first:
        return []
    found = missing(first, below, _received(conn, store, device, outbox, first, below))
    for low, high in found:
        conn.execute(
            sa.insert(gap).values(
                store=store, device=device, outbox=outbox, first_seq=low, last_seq=high, found_at=now
            )
        )
    if checked is None:
        conn.execute(
            sa.insert(gap_mark).values(store=store, device=device, outbox=outbox, checked_below=below)
        )
    else:
        conn.execute(sa.update(gap_mark).where(*mark).values(checked_below=below))
    return found


def close_filled(conn: sa.Connection, store: str, device: str, now: datetime) -> None:
    """Mark the device's open gaps that a replay has filled since."""
    mine = (gap.c.store == store, gap.c.device == device, gap.c.closed_at.is_(None))
    for row in conn.execute(sa.select(gap.c.outbox, gap.c.first_seq, gap.c.last_seq).where(*mine)).all():
        received = _received(conn, store, device, row.outbox, row.first_seq, row.last_seq + 1)
        if not missing(row.first_seq, row.last_seq + 1, received):
            conn.execute(
                sa.update(gap)
                .where(*mine, gap.c.outbox == row.outbox, gap.c.first_seq == row.first_seq)
                .values(closed_at=now)
            )


def still_open(conn: sa.Connection, store: str, device: str, now: datetime) -> list[tuple[str, int]]:
    """(outbox, first missing number) of gaps that a replay may still fill."""
    query = (
        sa.select(gap.c.outbox, sa.func.min(gap.c.first_seq))
        .where(
            gap.c.store == store,
            gap.c.device == device,
            gap.c.closed_at.is_(None),
            gap.c.found_at > now - KEPT_AT_DEVICE,
        )
        .group_by(gap.c.outbox)
    )
    return [(outbox, first) for outbox, first in conn.execute(query)]


def lost_by_restore(conn: sa.Connection, store: str, device: str, outbox: str, seq: int) -> bool:
    """Whether this number was received once, by the device's own word, and lost when the store was restored
    from a backup: it was missing only since."""
    restored_at = sa.select(sa.func.max(restore.c.restored_at)).where(restore.c.store == store)
    query = sa.select(gap.c.first_seq).where(
        gap.c.store == store,
        gap.c.device == device,
        gap.c.outbox == outbox,
        gap.c.first_seq <= seq,
        gap.c.last_seq >= seq,
        gap.c.found_at >= restored_at.scalar_subquery(),
    )
    return conn.execute(query.limit(1)).first() is not None


def _received(conn: sa.Connection, store: str, device: str, outbox: str, first: int, below: int) -> list[int]:
    """The numbers that were committed or set aside with a reason, sorted."""
    numbers: set[int] = set()
    for table in (event, quarantine):
        query = sa.select(table.c.seq).where(
            table.c.store == store,
            table.c.device == device,
            table.c.outbox == outbox,
            table.c.seq >= first,
            table.c.seq < below,
        )
        numbers.update(conn.execute(query).scalars())
    return sorted(numbers)
