"""Who makes room in the anteroom, and what is said there. The rest: tests/system/test_slow_clients.py."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from edge import headers
from edge.serving.worker import PatientWorker, answer, crowding

ASK = b"GET /floor/sign-in HTTP/1.1\r\nHost: shop\r\n\r\n"
TOO_LARGE = b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999\r\n\r\n"


class Threads:
    """Counts who is given one, and answers nobody."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def submit(self, _handle: object, conn: Any) -> "Future[bool]":
        self.taken.append(conn)
        return Future()


class Door(PatientWorker):
    """Without a process and its main loop: a round is made when it is told to."""

    def __init__(self) -> None:
        super().__init__(1, 0, [], None, 30, Config(), logging.getLogger(__name__))
        self.threads = self.tpool = Threads()
        self.poller = DefaultSelector()
        self._lines: list[socket.socket] = []

    def line(self, address: str) -> tuple[Any, socket.socket]:
        """A connection of this address, and its other end."""
        ours, theirs = socket.socketpair()
        self._lines += [ours, theirs]
        theirs.settimeout(10)
        self.nr_conns += 1
        return TConn(self.cfg, ours, (address, 1), ("10.0.0.1", 80)), theirs

    def round(self) -> None:
        for key, _ in self.poller.select(10):
            key.data(key.fileobj)

    def close(self) -> None:
        for one in self._lines:
            one.close()
        self.poller.close()
        self.tmp.close()


@pytest.fixture
def door() -> Iterator[Door]:
    with closing(Door()) as door:
        yield door


def test_the_oldest_of_whoever_takes_most_places_makes_room() -> None:
    one, crowd = ("10.0.0.9", "one"), [("10.0.0.66", f"crowd {turn}") for turn in range(5)]
    assert crowding([one, *crowd]) == "crowd 0"
    assert crowding([*crowd, one]) == "crowd 0"
    assert crowding([one, ("10.0.0.8", "another")]) == "one"


def test_where_connections_are_too_many_those_that_were_kept_make_room_too(door: Door) -> None:
    kept = [door.line("10.0.0.66")[0] for _ in range(3)]
    for conn in kept:
        door.keepalived_conns.append(conn)
        door.poller.register(conn.sock, EVENT_READ)
    for _ in range(2):
        door._receive(door.line("10.0.0.9")[0])
    door._make_room()
    assert (list(door.keepalived_conns), len(door._anteroom)) == (kept, 1)
    door._make_room(of_all=True)
    assert list(door.keepalived_conns) == kept[1:] and kept[0].sock.fileno() < 0
    for _ in range(5):
        door._make_room(of_all=True)
    assert (door.nr_conns, len(door.keepalived_conns), len(door._anteroom)) == (0, 0, 0)


def test_and_those_whose_turn_has_yet_to_come(door: Door) -> None:
    """Else as many addresses as it takes hold every connection, and nobody is let in."""
    lines = [door.line(f"10.0.0.{last}") for last in range(door.strangers + 2)]
    lines.append(door.line("10.0.0.9"))
    for conn, _ in lines:
        assert door._look(door._receive(conn, ASK))
    answered, waiting = lines[: door.strangers], lines[door.strangers :]
    door._make_room()
    assert door.nr_conns == len(lines)
    for count in (2, 1, 0):
        door._make_room(of_all=True)
        assert door.nr_conns == door.strangers + count
    door._make_room(of_all=True)
    assert door.threads.taken == [conn for conn, _ in answered] and door.nr_conns == door.strangers
    for conn, theirs in waiting:
        assert theirs.recv(12) == b"HTTP/1.1 503" and conn.sock.fileno() < 0
    assert door._refused == {"who made room for others": 3} and door._busy.total() == door.strangers


@pytest.mark.parametrize(("proxies", "shares"), [(0, 1), (1, 2)])
def test_behind_a_proxy_each_browser_has_a_share_and_without_one_nobody_says_who_asks(
    door: Door, proxies: int, shares: int
) -> None:
    door.proxies, door.of_one = proxies, 1
    for last in (5, 6, 6):
        conn = door.line("10.0.0.2")[0]
        said = b"X-Forwarded-For: 203.0.113.%d" % last
        one = door._receive(conn, ASK.replace(b"\r\n\r\n", b"\r\n" + said + b"\r\n\r\n"))
        assert door._look(one)
    assert door._refused["who asked too much at once"] == 3 - shares == 3 - len(door.threads.taken)


def test_a_refusal_at_the_door_is_a_sentence_with_the_headers_of_every_answer() -> None:
    head, _, body = answer(431, "Too long.").decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    assert (first, body) == ("HTTP/1.1 431 Request Header Fields Too Large", "Too long.\n")
    assert dict(field.split(": ", 1) for field in fields).items() >= headers.bare().items()
    assert "Retry-After: 2" in answer(503, "Busy.").decode()


def test_whoever_was_answered_gets_no_thread_for_what_comes_then(door: Door) -> None:
    conn, theirs = door.line("10.0.0.9")
    door._receive(conn, TOO_LARGE)
    theirs.sendall(b"x")
    door.round()
    assert door.threads.taken == [conn]
    answered: Future[bool] = Future()
    answered.set_result(False)
    door.finish_request(conn, answered)
    assert theirs.recv(1) == b""
    for more in (ASK, b"x", ASK):
        theirs.sendall(more)
        door.round()
    assert door.threads.taken == [conn]
