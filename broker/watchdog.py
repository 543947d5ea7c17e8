"""Saying to systemd that a program lives, and ending it when one of its loops hangs."""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
HUNG = 70


def notify(words: str) -> None:
    """Send 'READY=1', 'WATCHDOG=1' or 'STATUS=…' to NOTIFY_SOCKET, if there is one (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.send(words.encode())


class Watchdog:
    """Ends the process when a named loop has not ticked for `limit_s`; a service manager starts it again."""

    def __init__(
        self,
        loops: list[str],
        limit_s: float = 20.0,
        end: Callable[[int], None] = os._exit,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._limit_s = limit_s
        self._end = end
        self._ticks = {name: monotonic() for name in loops}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def tick(self, loop: str) -> None:
        """The loop is alive."""
        self._ticks[loop] = self._monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def look(self) -> str | None:
        """The name of a loop that hangs, or None."""
        now = self._monotonic()
        return next((name for name, at in self._ticks.items() if now - at > self._limit_s), None)

    def _run(self) -> None:
        last = self._monotonic()
        while not self._stop.wait(2.0):
            now = self._monotonic()
            if now - last > 6.0:
                # The whole process was stopped (or the machine slept): that is no loop's fault.
                self._ticks = dict.fromkeys(self._ticks, now)
            last = now
            if (hung := self.look()) is not None:
                log.critical("The loop %r has hung for %.0f s; the program ends itself.", hung, self._limit_s)
                self._end(HUNG)
                return
            notify("WATCHDOG=1")
