"""The log's filters, its keyset and one interaction's timeline, on a real database."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from broker.events import new_id, reference_of
from edge.db import tables
from edge.db.keyset import Cursor
from edge.errors import NotFound
from edge.interactions import index, log
from edge.interactions.log import Filters
from edge.paging import store as paging

from .conftest import START, STORE, SmallStore


def add(conn: sa.Connection, after_s: float = 0, **more: object) -> str:
    at = START + timedelta(seconds=after_s)
    id_ = new_id(int(at.timestamp() * 1000))
    values: dict[str, object] = {
        "id": str(id_), "store": STORE, "device": "kiosk-1", "zone": "shoes", "kind": "help", "topic": "till",
        "language": "en", "state": "raised", "reference": reference_of(id_), "count": 1, "revision": 1,
        "silent": False, "drill": False, "raised_at": at, "received_at": at, "age_known": True,
        "step": 0, "round": 0,
    }  # fmt: skip
    conn.execute(tables.interaction.insert().values(**(values | more)))
    return str(id_)


def found(conn: sa.Connection, **filters: object) -> list[str]:
    while index.settle(conn, STORE):
        pass
    return [row.id for row in log.search(conn, STORE, Filters(**filters))]  # type: ignore[arg-type]


def test_each_filter_narrows_and_together_they_narrow_more(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    first = add(conn, 0, note="Size 38 brought from the stock room")
    second = add(conn, 10, zone="tills", state="resolved", owner=small_store.people["Ana"])
    third = add(conn, 20, zone="tills", kind="security", topic=None)
    assert found(conn) == [third, second, first]
    assert found(conn, zone="tills") == [third, second]
    assert found(conn, zone="tills", kind="help") == [second]
    assert found(conn, state="resolved") == [second]
    assert found(conn, text="size 38") == found(conn, text="stock siz") == [first]
    reference = log.timeline_of(conn, STORE, third).row.reference
    assert found(conn, text=reference.lower()) == [third]
    assert found(conn, from_at=START + timedelta(seconds=10), to_at=START + timedelta(seconds=20)) == [second]


def test_without_silent_ones_neither_the_list_nor_the_words_find_them(conn: sa.Connection) -> None:
    loud = add(conn, 0, note="size 38")
    add(conn, 1, kind="security", topic=None, silent=True, note="size 38")
    assert found(conn, with_silent=False) == [loud]
    assert found(conn, with_silent=False, text="size") == [loud]


def test_a_person_is_who_has_it_and_who_was_paged(conn: sa.Connection, small_store: SmallStore) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    owned = add(conn, 0, owner=ana)
    paged = add(conn, 1, owner=bo)
    add(conn, 2, owner=bo)
    paging.insert(conn, STORE, paged, [(ana, "near")], 0, START)
    paging.insert(conn, STORE, paged, [(ana, "again")], 1, START)
    assert found(conn, person=ana) == [paged, owned]


@pytest.mark.parametrize(
    "text", ['100%"', "'; DROP TABLE page; --", "page* drop^2 NOT", "table:drop OR page"]
)
def test_signs_that_mean_something_to_the_database_are_only_text(conn: sa.Connection, text: str) -> None:
    add(conn, 0, note="plain")
    match = add(conn, 1, note=f"a {text} b")
    assert found(conn, text=text) == [match]


@pytest.mark.parametrize("text", ["%", "_", "…", "'"])
def test_a_text_without_a_letter_or_digit_finds_nothing(conn: sa.Connection, text: str) -> None:
    add(conn, 0, note=f"a {text} b")
    assert found(conn, text=text) == []


def test_paging_by_key_gives_each_row_once_even_where_times_are_equal(conn: sa.Connection) -> None:
    everything = {add(conn, second // 4) for second in range(30)}
    seen: list[str] = []
    before: Cursor | None = None
    while rows := log.search(conn, STORE, Filters(), before, limit=7):
        seen += [row.id for row in rows]
        before = Cursor.parse(str(rows[-1].cursor))
    assert len(seen) == 30 and set(seen) == everything


def test_the_key_uses_the_logs_index(conn: sa.Connection, sqlite_only: None) -> None:
    add(conn)
    query = str(
        log._WHOLE.where(tables.interaction.c.store == "shop", tables.interaction.c.raised_at <= START)
        .order_by(tables.interaction.c.raised_at.desc(), tables.interaction.c.id.desc())
        .compile(conn, compile_kwargs={"literal_binds": True})
    )
    plan = " ".join(str(row[-1]) for row in conn.exec_driver_sql("EXPLAIN QUERY PLAN " + query))
    assert "ix_interaction_log" in plan and "TEMP B-TREE" not in plan


@given(st.text(max_size=60))
def test_a_cursor_is_read_back_or_refused_and_nothing_else(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except ValueError:
        return
    assert Cursor.parse(str(cursor)) == cursor


def test_a_timeline_holds_every_page_with_what_is_known_of_it(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    request = add(conn)
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    pages = paging.insert(conn, STORE, request, [(ana, "near"), (bo, "free")], 0, START)
    paging.reach(conn, STORE, [pages[0].id], "seen", START + timedelta(seconds=2))
    conn.execute(
        tables.timeline.insert().values(
            interaction=request, at=START + timedelta(seconds=2), what="seen", person=ana, through="phone",
            words="Ana has seen it.",
        )
    )  # fmt: skip
    story = log.timeline_of(conn, STORE, request)
    assert [(h.since, h.person_name, h.words) for h in story.happenings] == [
        (timedelta(seconds=2), "Ana", "Ana has seen it.")
    ]
    assert [(p.person_name, p.state, p.seen_at is not None) for p in story.pages] == [
        ("Ana", "seen", True),
        ("Bo", "pending", False),
    ]


def test_another_stores_interaction_is_not_found(conn: sa.Connection) -> None:
    other = add(conn, store="elsewhere")
    assert found(conn) == []
    with pytest.raises(NotFound):
        log.timeline_of(conn, STORE, other)


def test_after_a_night_unanswered_the_timeline_holds_the_latest_pages_and_counts_the_others(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    request = add(conn, kind="security")
    both = [(small_store.people[name], "security") for name in ("Ana", "Bo")]
    for round_ in range(150):
        paging.insert(conn, STORE, request, both, round_, START)
    story = log.timeline_of(conn, STORE, request)
    assert [page.round for page in story.pages] == [r for r in range(50, 150) for _ in both]
    assert story.earlier_pages == 100
