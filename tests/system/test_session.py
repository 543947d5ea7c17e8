"""A connection that comes back by itself: at a real broker that is killed, and beside a twin."""

import os
import queue
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.mosquitto import Broker
from broker.session import Connected, Delivery, Disconnected, Session
from broker.tls import Credentials

pytestmark = pytest.mark.system
Make = Callable[[], tuple[Session, "queue.SimpleQueue[Delivery]"]]


@pytest.fixture
def make(device: Callable[[str], Path], broker: Broker) -> Iterator[Make]:
    """Start a session; every one has the same identity."""
    credentials = Credentials.in_directory(device("kiosk-1"))
    sessions: list[Session] = []

    def start() -> tuple[Session, "queue.SimpleQueue[Delivery]"]:
        heard: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        session = Session("kiosk-1", "127.0.0.1", broker.settings.port, credentials, heard.put)
        sessions.append(session)
        session.start()
        return session, heard

    yield start
    for session in sessions:
        session.stop()


def test_two_programs_with_one_identity_say_so_and_take_turns_slowly(make: Make) -> None:
    _, heard = make()
    assert isinstance(heard.get(timeout=10), Connected)
    make()
    ends: list[Disconnected] = []
    while not (ends and ends[-1].taken_over):
        item = heard.get(timeout=20)
        if isinstance(item, Disconnected):
            ends.append(item)
    assert "another program uses the same identity" in ends[-1].reason
    assert len(ends) <= 4


def test_whoever_was_thrown_out_by_a_twin_connects_at_once_for_something_urgent(make: Make) -> None:
    session, heard = make()
    make()
    while not (isinstance(item := heard.get(timeout=20), Disconnected) and item.taken_over):
        pass
    session.hurry()
    # Its pause would be at least 7 s.
    assert isinstance(heard.get(timeout=5), Connected)


def test_a_broker_that_is_killed_now_and_then_is_no_twin(make: Make, broker: Broker) -> None:
    _, heard = make()
    for _ in range(4):
        while not isinstance(item := heard.get(timeout=20), Connected):
            assert isinstance(item, Disconnected) and not item.taken_over
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        for _ in range(2):
            item = heard.get(timeout=20)
            assert isinstance(item, Disconnected) and not item.taken_over
        broker.start()
