"""From the commit of a feed entry to 300 phones, and all of them back after a restart of the web program.

The floor is bare_streams under the same server settings, read by the same thread in the same run.
"""

import datetime as dt
import http.client
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from broker import codec, topics
from broker.messages import FeedCursor
from broker.mosquitto import free_port
from broker.session import Session
from broker.tls import Credentials
from edge.db.engine import connect
from edge.paging import feed
from edge.paging.feed import News
from edge.people import sessions
from edge.people import store as people
from edge.web.access import COOKIES
from edge.web.stream import PER_SESSION
from tests.bench.many_streams import Ears
from tests.rig.store import STORE, Rig, listens, wait_for

PHONES = 300
MISSED = 5


class Ours:
    """The web program, entries committed as the worker commits them, and its word that there are some."""

    def __init__(self, rig: Rig, phones: int) -> None:
        self._rig = rig
        self._engine = connect(rig.config.database_url, write=True)
        broker = rig.config.broker
        credentials = Credentials.in_directory(rig.config.identity_path / "edge-worker")
        self._session = Session("bench-worker", broker.host, broker.port, credentials, lambda delivery: None)
        self._session.start()
        wait_for(lambda: self._session.connected, "The waking connection")
        self.start()
        self.ears = Ears(rig.config.web.port, self._requests(phones))

    def start(self) -> None:
        self._rig.start("web")

    def commit(self) -> tuple[int, float]:
        """The entry's cursor, and when its commit was done."""
        news = News(feed.STAFF, "request", "018f0000-0000-7000-8000-000000000001", {"state": "raised"})
        with self._engine.begin() as conn:
            cursor = feed.append(conn, STORE, [news], dt.datetime.now(dt.UTC))
        committed_s = time.monotonic()
        assert cursor is not None
        self._session.publish(topics.feed(STORE), codec.encode(FeedCursor(cursor)))
        return cursor, committed_s

    def kill(self) -> None:
        self._rig.signal("web", signal.SIGTERM)
        self._rig.processes["web"].wait(10)

    def close(self) -> None:
        self.ears.close()
        self._session.stop()
        self._engine.dispose()

    def _requests(self, phones: int) -> list[str]:
        """As many sign-ins as that many phones need, written straight to the table."""
        tokens: list[str] = []
        now = dt.datetime.now(dt.UTC)
        staff = [someone for someone in self._rig.people.values() if someone.pin]
        with self._engine.begin() as conn:
            for number in range(-(-phones // PER_SESSION)):
                person = people.by_id(conn, STORE, staff[number % len(staff)].id)
                assert person is not None
                tokens.append(sessions.start(conn, person, "floor", now, 10))
        head = f"GET /floor/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIES['floor']}="
        return [f"{head}{tokens[number // PER_SESSION]}\r\n" for number in range(phones)]


class Bare:
    """The floor."""

    def __init__(self, rig: Rig, phones: int) -> None:
        self._rig, self._port = rig, free_port()
        self.start()
        self.ears = Ears(self._port, ["GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"] * phones)

    def start(self) -> None:
        streams, kept = str(self._rig.config.web.streams), str(self._rig.directory / "bare-numbers")
        self._rig.start("bare-streams", "-m", "tests.bench.bare_streams", str(self._port), streams, kept)

    def commit(self) -> tuple[int, float]:
        begin = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.request("POST", "/")
        number = int(connection.getresponse().read())
        connection.close()
        return number, begin

    def kill(self) -> None:
        self._rig.signal("bare-streams", signal.SIGTERM)
        self._rig.processes["bare-streams"].wait(10)
        # What is committed while ours is down is kept by the floor too.
        kept = self._rig.directory / "bare-numbers"
        last = int(kept.read_text().split()[-1])
        kept.write_text(kept.read_text() + "".join(f"{last + n}\n" for n in range(1, MISSED + 1)))

    def close(self) -> None:
        self.ears.close()


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _spread(side: Ours | Bare) -> list[float]:
    """Seconds until each stream had one entry."""
    number, begin = side.commit()
    return [at_s - begin for at_s in side.ears.wait(number, 20)]


def _restart(side: Ours | Bare, missed: Callable[[], int]) -> tuple[float, float]:
    """Seconds from the start of the new process, and from its first accept, until all are live and whole."""
    side.kill()
    last = missed()
    for ear in side.ears.ears:
        while ear.sock is not None:
            side.ears.listen(time.monotonic() + 0.01)
    begin = time.monotonic()
    side.start()
    first_s = 0.0
    while not (side.ears.all_live() and side.ears.have(last)):
        assert time.monotonic() - begin < 60, "Not every stream came back with what it missed."
        side.ears.listen(time.monotonic() + 0.02)
        if not first_s and any(ear.live_s for ear in side.ears.ears):
            first_s = time.monotonic()
    done = time.monotonic()
    return done - begin, done - first_s


def run(directory: Path, entries: int = 60, phones: int = PHONES) -> dict[str, float]:
    """The figures by name; prints them."""
    rig = Rig.make(directory, streams=phones + 20)
    sides: list[Ours | Bare] = []
    try:
        rig.start_broker_program()
        ours, bare = Ours(rig, phones), Bare(rig, phones)
        sides = [ours, bare]
        wait_for(lambda: listens(rig.config.web.port), "The web's start")
        for side in sides:
            side.ears.wait_live(60)
        time.sleep(1)
        each: dict[str, list[float]] = {"ours": [], "bare": []}
        last: dict[str, list[float]] = {"ours": [], "bare": []}
        for _ in range(entries):
            for name, side in zip(each, sides, strict=True):
                spread = _spread(side)
                each[name] += spread
                last[name].append(max(spread))
                time.sleep(0.05)
        back = _restart(ours, lambda: [ours.commit()[0] for _ in range(MISSED)][-1])
        bare_back = _restart(bare, lambda: int((directory / "bare-numbers").read_text().split()[-1]))
        with sa.create_engine(rig.config.database_url).connect() as conn:
            head = feed.head(conn, STORE)
        cursors = range(head - entries - MISSED + 1, head + 1)
        whole = sum(1 for ear in ours.ears.ears if all(n in ear.got for n in cursors))
    finally:
        for side in sides:
            side.close()
        rig.stop()
    found = {"phones": float(phones), "whole": float(whole)}
    for what, values in (("each", each), ("last", last)):
        for share in (50, 99):
            for name in values:
                found[f"{name}_{what}_p{share}_ms"] = 1000 * _quantile(values[name], share / 100)
    found |= {"ratio_last_p50": statistics.median(last["ours"]) / statistics.median(last["bare"])}
    found |= {"reconnect_s": back[0], "reconnect_served_s": back[1]}
    found |= {"bare_reconnect_s": bare_back[0], "bare_reconnect_served_s": bare_back[1]}
    for what, title in (("each", "each stream"), ("last", "the last one")):
        mine = [found[f"ours_{what}_p{share}_ms"] for share in (50, 99)]
        floor = [found[f"bare_{what}_p{share}_ms"] for share in (50, 99)]
        print(
            f"fan-out to {phones}, {title:12}  p50 {mine[0]:6.1f} ms  p99 {mine[1]:6.1f} ms   "
            f"bare {floor[0]:6.1f} / {floor[1]:6.1f}   "
            f"{mine[0] / floor[0]:.2f} / {mine[1] / floor[1]:.2f} of it"
        )
    print(
        f"all {phones} back after a restart  {back[0]:.2f} s ({back[1]:.2f} s from the first to the last)   "
        f"bare {bare_back[0]:.2f} s ({bare_back[1]:.2f} s)   {whole} of {phones} missed nothing"
    )
    return found
