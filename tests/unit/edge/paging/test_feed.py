"""The feed: cursor order is commit order, and each entry is for its audience only."""

import threading
from datetime import timedelta

import sqlalchemy as sa

from edge.db.engine import connect
from edge.db.tables import feed as table
from edge.paging import feed
from edge.paging.feed import MANAGE, SILENT, STAFF, News, audiences_of, person_audience
from tests.unit.edge.conftest import START, STORE, SmallStore


def news(audience: str = STAFF, subject: str = "r") -> News:
    return News(audience, "request", subject, {"name": "Núria"})


def test_entries_are_numbered_without_a_hole_and_read_behind_a_cursor(conn: sa.Connection) -> None:
    with conn.begin():
        assert feed.head(conn, STORE) == 0 and feed.oldest(conn, STORE) == 1
        assert feed.append(conn, STORE, [], START) is None
        assert feed.append(conn, STORE, [news(), news()], START) == 2
        assert feed.append(conn, STORE, [news()], START) == 3
        assert feed.head(conn, STORE) == 3
        assert [e.cursor for e in feed.after(conn, STORE, 1, 10)] == [2, 3]
        assert [e.body for e in feed.after(conn, STORE, 2, 10)] == ['{"name":"Núria"}']


def test_a_rolled_back_entry_leaves_no_hole(conn: sa.Connection) -> None:
    with conn.begin() as transaction:
        feed.append(conn, STORE, [news()], START)
        transaction.rollback()
    with conn.begin():
        assert feed.append(conn, STORE, [news()], START) == 1


def test_each_store_counts_for_itself(conn: sa.Connection) -> None:
    with conn.begin():
        feed.append(conn, STORE, [news()], START)
        assert feed.append(conn, "mall", [news()], START) == 1


def test_a_reader_behind_several_writers_sees_every_entry_once_and_in_order(small_store: SmallStore) -> None:
    writers, each = 4, 25
    done = threading.Event()
    seen: list[int] = []

    def write(name: str) -> None:
        engine = connect(small_store.url, write=True)
        for n in range(each):
            with engine.begin() as conn:
                feed.append(conn, STORE, [news(subject=f"{name}-{n}")], START)
        engine.dispose()

    def read() -> None:
        engine = connect(small_store.url, write=False)
        with engine.connect() as conn:
            while True:
                last = done.is_set()
                with conn.begin():
                    found = feed.after(conn, STORE, seen[-1] if seen else 0, 10)
                seen.extend(one.cursor for one in found)
                if last and not found:
                    break
        engine.dispose()

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(writers)]
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join(60)
    done.set()
    reader.join(60)
    assert seen == list(range(1, writers * each + 1))


def test_old_entries_are_forgotten_and_the_oldest_kept_is_known(conn: sa.Connection) -> None:
    later = START + feed.KEPT + timedelta(seconds=1)
    with conn.begin():
        feed.append(conn, STORE, [news()], START)
        feed.append(conn, STORE, [news()], later)
        feed.forget(conn, STORE, later)
        assert conn.execute(sa.select(table.c.cursor)).scalars().all() == [2]
        assert feed.oldest(conn, STORE) == 2


def test_nobody_sees_another_persons_pages_and_only_managers_the_desks_news() -> None:
    assert audiences_of("a", "associate") == {STAFF, person_audience("a")}
    assert not {MANAGE, SILENT} & audiences_of("g", "security")
    assert audiences_of("m", "manager") == {STAFF, MANAGE, SILENT, person_audience("m")}
