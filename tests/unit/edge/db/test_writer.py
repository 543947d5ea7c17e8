"""The one thread that writes."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa

from edge.db.engine import connect
from edge.db.store_tables import zone
from edge.db.writer import Writer
from edge.errors import Refused, StorageError


@pytest.fixture
def writer(engine: sa.Engine) -> Iterator[Writer]:
    writer = Writer(engine)
    yield writer
    writer.close()


def add(name: str) -> sa.Insert:
    return sa.insert(zone).values(store="shop", name=name, title=name)


def names(engine: sa.Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.execute(sa.select(zone.c.name)).scalars())


def test_what_it_returns_is_committed(writer: Writer, engine: sa.Engine) -> None:
    assert writer.run(lambda conn: conn.execute(add("door").returning(zone.c.name)).scalar()) == "door"
    assert "door" in names(engine)


def test_what_raises_is_rolled_back_and_raised_to_its_caller_and_the_next_one_is_served(
    writer: Writer, engine: sa.Engine
) -> None:
    def refuse(conn: sa.Connection) -> None:
        conn.execute(add("door"))
        raise Refused("Ana is already coming.", "Ana")

    with pytest.raises(Refused, match="Ana is already coming"):
        writer.run(refuse)
    assert "door" not in names(engine)
    writer.run(lambda conn: conn.execute(add("wall")))
    assert "wall" in names(engine)


def test_of_two_that_wait_for_each_other_the_one_that_the_database_ends_begins_again(
    engine: sa.Engine,
) -> None:
    """Only PostgreSQL lets two write at once; on SQLite the second waits for the first."""
    with engine.begin() as conn:
        conn.execute(add("a"))
        conn.execute(add("b"))
    both, tries = threading.Barrier(2), []

    def work(first: str, second: str, conn: sa.Connection) -> None:
        tries.append(first)
        for name in (first, second):
            conn.execute(sa.update(zone).where(zone.c.name == name).values(title=zone.c.title + first))
            if len(tries) <= 2 and engine.dialect.name == "postgresql" and name == first:
                both.wait(30)

    writers = [Writer(engine), Writer(engine)]
    jobs = [
        threading.Thread(target=w.run, args=(partial(work, *names),))
        for w, names in zip(writers, ("ab", "ba"), strict=True)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    for writer in writers:
        writer.close()
    with engine.connect() as conn:
        titles = list(conn.execute(sa.select(zone.c.title).where(zone.c.name.in_(("a", "b")))).scalars())
    assert {"".join(sorted(title[1:])) for title in titles} == {"ab"}
    # The one that begins again may meet the other once more.
    assert len(tries) > 2 if engine.dialect.name == "postgresql" else len(tries) == 2


def test_an_error_of_the_database_becomes_a_storage_error_and_the_thread_goes_on(
    writer: Writer, engine: sa.Engine
) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        writer.run(lambda conn: conn.execute(add("shoes")))
    writer.run(lambda conn: conn.execute(add("door")))
    assert "door" in names(engine)


def test_a_database_that_cannot_be_opened_is_told_to_the_caller_each_time(tmp_path: object) -> None:
    writer = Writer(connect(f"sqlite:///{tmp_path}/no/such/folder/floorbell.db", write=True))
    for _ in range(2):
        with pytest.raises(StorageError, match="unable to open"):
            writer.run(lambda conn: None)
    writer.close()


def test_what_waits_too_long_behind_another_is_not_begun_any_more(writer: Writer, engine: sa.Engine) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(conn: sa.Connection) -> None:
        begun.set()
        go_on.wait(10)

    holder = threading.Thread(target=writer.run, args=(hold,))
    holder.start()
    assert begun.wait(10)
    with pytest.raises(StorageError, match="nothing was saved"):
        writer.run(lambda conn: conn.execute(add("door")), timeout_s=0.01)
    go_on.set()
    holder.join(10)
    writer.run(lambda conn: None)
    assert "door" not in names(engine)


def test_a_closed_one_takes_nothing_more(writer: Writer) -> None:
    writer.close()
    writer.close()
    with pytest.raises(StorageError, match="stopping"):
        writer.run(lambda conn: None)
