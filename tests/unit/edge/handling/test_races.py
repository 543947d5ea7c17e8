"""People who tap at once, each over a connection of their own: on both databases exactly one of them wins."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings

from broker.events import HelpRequested
from edge.config import Policies
from edge.db.engine import connect
from edge.db.tables import page, timeline
from edge.errors import Refused
from edge.handling import acting, escalating
from edge.handling.telling import Telling
from edge.paging import timers
from tests.unit.edge.conftest import STORE, Clock, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

RACERS = ("Ana", "Bo", "Sofia", "Igor")
Lane = tuple[str, sa.Connection]


@pytest.fixture
def lanes(small_store: SmallStore) -> Iterator[list[Lane]]:
    """A connection of their own for each who taps."""
    engine = connect(small_store.url, write=True)
    made = [(name, engine.connect()) for name in RACERS]
    yield made
    for _, conn in made:
        conn.close()
    engine.dispose()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(RACERS)) as threads:
        yield threads


def at_once(
    pool: ThreadPoolExecutor, lanes: list[Lane], tap: Callable[[str, sa.Connection], str]
) -> list[str]:
    """What each came to."""
    start = threading.Barrier(len(lanes))

    def run(lane: Lane) -> str:
        start.wait(30)
        return tap(*lane)

    return list(pool.map(run, lanes))


def test_of_all_who_acknowledge_at_once_one_wins_and_each_other_is_told_who(
    server: Server,
    kiosk: Kiosk,
    small_store: SmallStore,
    clock: Clock,
    lanes: list[Lane],
    pool: ThreadPoolExecutor,
) -> None:
    wins: dict[str, int] = {}
    for _ in range(settings().max_examples * 5 // 2):
        help_ = kiosk.event(HelpRequested("till", "ca"))
        server.take(help_)
        request = str(id_of(help_))

        def tap(name: str, conn: sa.Connection, request: str = request) -> str:
            try:
                with conn.begin():
                    acting.acknowledge(conn, STORE, request, small_store.people[name], clock())
            except Refused as error:
                return f"told {error.holder}"
            return "won"

        told = at_once(pool, lanes, tap)
        (winner,) = [name for (name, _), said in zip(lanes, told, strict=True) if said == "won"]
        assert [said for said in told if said != "won"] == [f"told {winner}"] * (len(RACERS) - 1)
        (row,) = server.requests(id=request)
        assert (row["state"], row["owner"]) == ("acknowledged", small_store.people[winner])
        assert len(server.rows(timeline, interaction=request, what="acknowledged")) == 1
        pages = {r["person"]: r["state"] for r in server.rows(page, request=request)}
        assert {who for who, state in pages.items() if state == "answered"} <= {row["owner"]}
        assert set(pages.values()) <= {"answered", "superseded"}
        wins[winner] = wins.get(winner, 0) + 1
        server.do(acting.resolve, request, row["owner"], "helped", "")
        kiosk.wait(1)
    assert len(wins) > 1, "only ever one of them wins: they did not tap at once"


def test_a_tap_a_look_at_the_page_and_a_timer_at_once_all_succeed(
    server: Server,
    kiosk: Kiosk,
    small_store: SmallStore,
    clock: Clock,
    lanes: list[Lane],
    pool: ThreadPoolExecutor,
) -> None:
    """No two of them wait for each other for ever: what each locks, it locks in one order."""
    for _ in range(settings().max_examples // 2):
        help_ = kiosk.event(HelpRequested("till", "ca"))
        server.take(help_)
        request = str(id_of(help_))
        kiosk.wait(15)
        called = {r["person"]: [r["id"]] for r in server.rows(page, request=request)}

        def act(name: str, conn: sa.Connection, request: str = request, called: Any = called) -> str:
            with conn.begin():
                me = small_store.people[name]
                if name == "Ana":
                    acting.acknowledge(conn, STORE, request, me, clock())
                elif name == "Bo":
                    acting.mark_seen(conn, STORE, me, called.get(me, []), clock())
                elif name == "Sofia":
                    acting.mark_sent(conn, STORE, [id_ for ids in called.values() for id_ in ids], clock())
                else:
                    fire(conn, clock())
            return "done"

        assert at_once(pool, lanes, act) == ["done"] * len(lanes)
        server.do(acting.resolve, request, small_store.people["Ana"], "helped", "")
        kiosk.wait(1)


def fire(conn: sa.Connection, now: datetime) -> None:
    """As the worker does."""
    telling, floor = Telling(STORE), escalating.floor_of(conn, STORE, now)
    for request, kind, due_at in timers.due(conn, STORE, now):
        escalating.fire(conn, telling, Policies(), request, kind, due_at, floor, now)
    telling.flush(conn, now)
