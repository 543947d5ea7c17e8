"""Who makes room in the anteroom, and what is said there. The rest: tests/system/test_slow_clients.py."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from selectors import DefaultSelector
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from edge import headers
from edge.serving.worker import PatientWorker, Waiting, answer, crowding

ASK = b"GET /floor/sign-in HTTP/1.1\r\nHost: shop\r\n\r\n"
TOO_LARGE = b"POST /floor/sign-in HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999\r\n\r\n"


class Threads:
    """Counts who is given one, and answers nobody."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def submit(self, _handle: object, conn: Any) -> "Future[bool]":
        self.taken.append(conn)
        return Future()


class Door:
    """A worker without its process: one line to it, and a round of its main loop when it is told to."""

    def __init__(self, ours: socket.socket) -> None:
        cfg = Config()
        self.worker = PatientWorker(1, 0, [], None, 30, cfg, logging.getLogger(__name__))
        self.threads = self.worker.tpool = Threads()
        self.worker.poller = DefaultSelector()
        self.worker.nr_conns = 1
        self.worker._receive(TConn(cfg, ours, ("10.0.0.9", 1), ("10.0.0.1", 80)))

    def round(self) -> None:
        for key, _ in self.worker.poller.select(10):
            key.data(key.fileobj)


@pytest.fixture
def line() -> Iterator[tuple[Door, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        door = Door(ours)
        yield door, theirs
        door.worker.poller.close()
        door.worker.tmp.close()


def waiting(address: str) -> Waiting:
    return Waiting(None, address, 0.0)


def test_the_oldest_of_whoever_takes_most_places_makes_room() -> None:
    one, crowd = waiting("10.0.0.9"), [waiting("10.0.0.66") for _ in range(5)]
    assert crowding([one, *crowd]) is crowd[0]
    assert crowding([*crowd, one]) is crowd[0]
    assert crowding([one, waiting("10.0.0.8")]) is one


def test_a_refusal_at_the_door_is_a_sentence_with_the_headers_of_every_answer() -> None:
    head, _, body = answer(431, "Too long.").decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    assert (first, body) == ("HTTP/1.1 431 Request Header Fields Too Large", "Too long.\n")
    assert dict(field.split(": ", 1) for field in fields).items() >= headers.bare().items()
    assert "Retry-After: 2" in answer(503, "Busy.").decode()


def test_whoever_was_answered_gets_no_thread_for_what_comes_then(line: tuple[Door, socket.socket]) -> None:
    door, theirs = line
    theirs.sendall(TOO_LARGE)
    door.round()
    (conn,) = door.threads.taken
    answered: Future[bool] = Future()
    answered.set_result(False)
    door.worker.finish_request(conn, answered)
    assert theirs.recv(1) == b""
    for more in (ASK, b"x", ASK):
        theirs.sendall(more)
        door.round()
    assert door.threads.taken == [conn]
