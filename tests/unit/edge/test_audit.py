"""The audit of changes."""

import sqlalchemy as sa

from edge.audit import store as audit
from edge.audit.store import Actor
from tests.unit.edge.conftest import START, STORE


def test_changes_are_read_newest_first_and_page_by_page(conn: sa.Connection) -> None:
    mira = Actor("Mira", "desk", "p1")
    with conn.begin():
        for name in ("shoes", "tills", "cafe"):
            audit.record(
                conn, STORE, mira, "zone.added", name, f"Mira added {name}.", START, after={"title": name}
            )
        first = audit.entries(conn, STORE, limit=2)
        assert [entry.subject for entry in first] == ["cafe", "tills"]
        assert [entry.subject for entry in audit.entries(conn, STORE, before=first[-1].id)] == ["shoes"]
        assert first[0].after == {"title": "cafe"} and first[0].before == {}


def test_only_changes_of_one_kind_are_shown_where_it_is_asked_for(conn: sa.Connection) -> None:
    with conn.begin():
        audit.record(conn, STORE, Actor("x", "api"), "zone.added", "a", "", START)
        audit.record(conn, STORE, Actor("x", "api"), "person.added", "b", "", START)
        assert [entry.subject for entry in audit.entries(conn, STORE, what="person")] == ["b"]
