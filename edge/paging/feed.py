"""The feed: what browsers are told, in the order of commit, each entry for one audience."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.inserts import if_new
from edge.db.tables import feed, feed_head

STAFF = "staff"
MANAGE = "manage"
# Silent requests, for whoever may see them all.
SILENT = "silent"
KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class News:
    """An entry to be: who may see it, what kind of news, about which request or device, and its body."""

    audience: str
    what: str
    subject: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands. `body` is JSON on one line."""

    cursor: int
    audience: str
    what: str
    subject: str
    body: str
    at: datetime


def person_audience(person: str) -> str:
    return f"person:{person}"


def audiences_of(person_id: str, role: str) -> frozenset[str]:
    """The audiences whose entries this person may see, live and in replay."""
    audiences = {STAFF, person_audience(person_id)}
    if role in ("manager", "admin"):
        audiences |= {MANAGE, SILENT}
    return frozenset(audiences)


_BUMP = (
    sa.update(feed_head)
    .where(feed_head.c.store == sa.bindparam("in_store"))
    .values(cursor=feed_head.c.cursor + sa.bindparam("more"))
    .returning(feed_head.c.cursor)
)
_BEGIN = if_new(feed_head)
_ADD = sa.insert(feed)
_AFTER = (
    sa.select(feed.c.cursor, feed.c.audience, feed.c.what, feed.c.subject, feed.c.body, feed.c.at)
    .where(feed.c.store == sa.bindparam("in_store"), feed.c.cursor > sa.bindparam("in_cursor"))
    .order_by(feed.c.cursor)
    .limit(sa.bindparam("in_limit"))
)


def append(conn: sa.Connection, store: str, news: Sequence[News], at: datetime) -> int | None:
    """Add entries and return the last cursor. Its row lock makes cursor order commit order."""
    if not news:
        return None
    bump = {"in_store": store, "more": len(news)}
    last = conn.execute(_BUMP, bump).scalar()
    if last is None:
        # The store's very first entry. Of two writers the second waits here for the first one's commit.
        conn.execute(_BEGIN[conn.dialect.name], {"store": store, "cursor": 0})
        last = conn.execute(_BUMP, bump).scalar_one()
    first = last - len(news) + 1
    conn.execute(
        _ADD,
        [
            {
                "store": store,
                "cursor": first + index,
                "audience": n.audience,
                "what": n.what,
                "subject": n.subject,
                "body": json.dumps(n.body, ensure_ascii=False, separators=(",", ":")),
                "at": at,
            }
            for index, n in enumerate(news)
        ],
    )
    return int(last)


def head(conn: sa.Connection, store: str) -> int:
    """The last committed cursor; 0 before the first entry."""
    return conn.execute(sa.select(feed_head.c.cursor).where(feed_head.c.store == store)).scalar() or 0


def oldest(conn: sa.Connection, store: str) -> int:
    """The first cursor that is still kept; head + 1 if none is."""
    first = conn.execute(sa.select(sa.func.min(feed.c.cursor)).where(feed.c.store == store)).scalar()
    return first if first is not None else head(conn, store) + 1


def after(conn: sa.Connection, store: str, cursor: int, limit: int) -> list[Entry]:
    """Up to `limit` entries behind `cursor`, of every audience: the caller filters."""
    rows = conn.execute(_AFTER, {"in_store": store, "in_cursor": cursor, "in_limit": limit})
    return [Entry(*row) for row in rows]


def forget(conn: sa.Connection, store: str, now: datetime) -> None:
    """Drop what is older than a phone may be away."""
    conn.execute(sa.delete(feed).where(feed.c.store == store, feed.c.at < now - KEPT))
