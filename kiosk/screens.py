"""The socket at which screens ask: Views out, Touches in."""

import time
from collections.abc import Callable
from pathlib import Path

from kiosk.screen.messages import Touch, View
from kiosk.sockets import LineServer

MAX_TOUCH_BYTES = 4096


class Screens:
    """`touched` is called from the socket's thread and must only enqueue. See kiosk.sockets for the rest."""

    def __init__(
        self, path: Path, touched: Callable[[Touch], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._server = LineServer(path, "screen", Touch, touched, MAX_TOUCH_BYTES, now=now)

    def start(self) -> None:
        self._server.start()

    def show(self, view: View) -> None:
        """To every screen from now on. From any thread; never waits."""
        self._server.show(view)

    def close(self) -> None:
        """May be called twice."""
        self._server.close()
