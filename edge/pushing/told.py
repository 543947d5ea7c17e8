"""Which pages went by push, and how it went, as the desk and other programs read it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.push_tables import push, push_try

MOST = 1000


@dataclass(frozen=True)
class Pushed:
    """A push of a page to one phone. `shown_at` and `opened_at` are that phone's own word; `words` say how
    the latest try went; `next_at` None: it is over."""

    page: str
    state: str
    tries: int
    sent_at: datetime | None
    shown_at: datetime | None
    opened_at: datetime | None
    next_at: datetime | None
    words: str


def of_request(conn: sa.Connection, store: str, request: str) -> dict[str, list[Pushed]]:
    """The latest pushes of a request, by their page."""
    p, t = push.c, push_try.c
    latest = sa.and_(t.push == p.id, t.number == p.tries)
    words = sa.func.coalesce(t.words, "").label("words")
    columns = (p.page, p.state, p.tries, p.sent_at, p.shown_at, p.opened_at, p.next_at)
    query = sa.select(*columns, words).select_from(push.outerjoin(push_try, latest))
    of_it = query.where(p.store == store, p.request == request).order_by(p.created_at.desc(), p.id)
    found: dict[str, list[Pushed]] = {}
    for row in conn.execute(of_it.limit(MOST)):
        found.setdefault(row.page, []).append(Pushed(*row))
    return found
