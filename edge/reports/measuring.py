"""What the store's database says at this moment to those who watch the server. No names of people."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from edge.db.backup_tables import backup
from edge.db.supervision_tables import trouble
from edge.db.tables import OPEN_STATES, interaction, is_open, outgoing
from edge.reports import tallies
from edge.reports.devices import Kiosk, kiosks
from edge.reports.tallies import Tally


@dataclass
class Measured:
    """`open` by kind and state, `oldest_s` by kind the longest wait of an unanswered request. `waiting` and
    `waiting_s`, the messages to devices and the age of the oldest, are None without `silent`.
    `troubles` is by kind what is wrong with the store's own things. `backup_s` is the age of the newest whole
    backup; None before the first."""

    silent: bool
    open: Counter[tuple[str, str]] = field(default_factory=Counter)
    oldest_s: dict[str, float] = field(default_factory=dict)
    devices: list[Kiosk] = field(default_factory=list)
    totals: dict[Tally, int] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)
    waiting: int | None = None
    waiting_s: float | None = None
    backup_s: float | None = None


def measure(conn: sa.Connection, store: str, now: datetime, *, silent: bool) -> Measured:
    """Without `silent` there is nothing of silent requests, nor of security at all: one that is missing from
    a sum would tell of it as well."""
    kinds = ("help", "greet", *(("security",) if silent else ()))
    found = Measured(silent, devices=kiosks(conn, store, now))
    found.open.update({(kind, state): 0 for kind in kinds for state in OPEN_STATES})
    found.oldest_s = dict.fromkeys(kinds, 0.0)
    i = interaction.c
    rows = conn.execute(sa.select(i.kind, i.state, i.raised_at, i.silent).where(i.store == store, is_open))
    for row in rows:
        if row.kind not in kinds or (row.silent and not silent):
            continue
        found.open[row.kind, row.state] += 1
        if row.state == "raised":
            waits_s = (now - row.raised_at).total_seconds()
            found.oldest_s[row.kind] = max(found.oldest_s[row.kind], waits_s)
    t = trouble.c
    seen = [t.store == store, t.over_at.is_(None), t.told_at.is_not(None)]
    seen += [] if silent else [sa.not_(t.silent)]
    counted = sa.select(t.what, sa.func.count().label("troubles")).where(*seen).group_by(t.what)
    found.troubles.update({row.what: row.troubles for row in conn.execute(counted)})
    found.totals = {
        one: sum_ for one, sum_ in tallies.totals(conn, store).items() if silent or not one.silent
    }
    b = backup.c
    whole = sa.select(sa.func.max(b.began_at)).where(b.store == store, b.trouble.is_(None))
    last = conn.execute(whole).scalar()
    found.backup_s = None if last is None else (now - last).total_seconds()
    if silent:
        # A call to a kiosk that cannot go out is a message, whatever it is about.
        o = outgoing.c
        columns = sa.select(sa.func.count().label("messages"), sa.func.min(o.created_at).label("oldest"))
        row = conn.execute(columns.where(o.store == store, o.sent_at.is_(None))).one()
        found.waiting = row.messages
        found.waiting_s = (now - row.oldest).total_seconds() if row.oldest else 0.0
    return found
