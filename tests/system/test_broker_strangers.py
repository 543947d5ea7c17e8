"""Strangers who take every place at the broker and say nothing keep no kiosk out."""

import contextlib
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker import mosquitto, strangers
from broker.session import Credentials, Session
from tests.rig.store import wait_for

pytestmark = pytest.mark.system
PLACES, CROWD = 40, 60
HELLO = b"\x16\x03\x01\x02\x00\x01"


def test_connections_that_come_to_nothing_make_room_and_those_that_were_let_in_stay(
    store: Path, device: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "WITHIN_S", 1.0)
    monkeypatch.setattr(strangers, "FEW", 0)
    user = "root" if os.geteuid() == 0 else None
    settings = mosquitto.Settings(
        "shop", store, port=mosquitto.free_port(), user=user, max_connections=PLACES
    )
    said: list[str] = []
    broker = mosquitto.Broker(settings, said.append)
    broker.start()

    def session(name: str) -> Session:
        own = Credentials.in_directory(device(name))
        made = Session(name, settings.host, settings.port, own, lambda delivery: None)
        made.start()
        return made

    try:
        first = session("kiosk-1")
        wait_for(lambda: first.connected, "The first kiosk's connection", 60)
        with ExitStack() as open_:
            crowd = []
            for _ in range(CROWD):
                with contextlib.suppress(OSError):
                    one = socket.create_connection((settings.host, settings.port), 5, ("127.0.0.2", 0))
                    crowd.append(open_.enter_context(one))
                    one.sendall(HELLO)
            second = session("kiosk-2")
            wait_for(lambda: second.connected, "The second kiosk's connection", 60)
            wait_for(lambda: all(map(_ended, crowd)), "The end of what came to nothing", 60)
        assert first.connected and second.connected
        assert not [line for line in said if "kiosk-1" in str(line) and "disconnected" in str(line)]
        first.stop()
        second.stop()
    finally:
        broker.stop()


def _ended(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
