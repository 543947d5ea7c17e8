"""Asking for a test of a channel, from the desk or by another program."""

from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from edge.audit import store as audits
from edge.audit.store import Actor
from edge.errors import NotFound
from edge.handling import basis
from edge.outside import store
from edge.outside.channels import KINDS, TEST, Outside


def test(conn: sa.Connection, name: str, actor: Actor, outside: Outside, channel: str, now: datetime) -> None:
    """One more test on this channel; the messenger sends it, and the log says how it went."""
    basis.allow_change(conn, name, actor)
    found = outside.named(channel)
    if found is None:
        known = ", ".join(one.name for one in outside.channel) or "none yet"
        raise NotFound(f"There is no channel {channel[:32]!r}; edge.toml has {known}.")
    store.mark(conn, name, TEST, str(uuid4()), now, channel=found.name, person=actor.person)
    words = f"A test of the channel {found.name} ({KINDS[found.kind]}) was asked for."
    audits.record(conn, name, actor, "outside.tested", found.name, words, now)
