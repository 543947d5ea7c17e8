"""A panel that speaks the real protocol over a real socket, and shows a screen what a test tells it to."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kiosk.screen.messages import Key, Touch, View

T = TypeVar("T")
TOPICS = ("find-item", "fitting-room", "till", "collect", "return", "other", "help", "supervisor")
HELP = [*(Key(topic, "help", topic) for topic in TOPICS), Key("looking", "looking")]
OPEN = [Key("cancel", "cancel"), Key("here", "attend")]
PATIENCE_S = 15.0


def until(what: Callable[[], T | None]) -> T:
    """What `what` returns once it is something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def a_view(**more: Any) -> View:
    values: dict[str, Any] = {
        "number": 1,
        "language": "en",
        "languages": ["en", "ca", "sr", "it", "pt"],
        "state": "idle",
        "text": "idle",
        "keys": HELP,
    }
    return View(**(values | more))


class FakePanel:
    """See the module. `touches` holds what the screens sent."""

    def __init__(self, path: Path) -> None:
        self.touches: list[Touch] = []
        self.view: View | None = None
        self.connections: list[socket.socket] = []
        self._number = 0
        path.unlink(missing_ok=True)
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._run, name="fake-panel", daemon=True).start()

    def show(self, **more: Any) -> View:
        """A new View to every screen."""
        self._number += 1
        self.view = a_view(number=self._number, news=self._number, **more)
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sendall(_line(self.view))
        return self.view

    def raw(self, line: bytes) -> None:
        for connection in self.connections:
            connection.sendall(line)

    def touched(self, what: str) -> Touch:
        """The next touch of this kind; earlier ones are forgotten."""

        def look() -> Touch | None:
            while self.touches:
                touch = self.touches.pop(0)
                if touch.what == what:
                    return touch
            return None

        return until(look)

    def close(self) -> None:
        """As if the kiosk was killed."""
        for each in (self._listener, *self.connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self.connections.clear()
        self._path.unlink(missing_ok=True)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.view is not None:
                connection.sendall(_line(self.view))
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as lines:
            for line in lines:
                self.touches.append(msgspec.json.decode(line, type=Touch))


def _line(view: View) -> bytes:
    return msgspec.json.encode(view) + b"\n"
