"""How this kiosk is: the heartbeat's contents, the word to systemd, and the watchdog that ends a hung one."""

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from broker.messages import Heartbeat
from kiosk import disk
from kiosk.clock import Clocks
from kiosk.storing import Storing

log = logging.getLogger(__name__)

HUNG_S = 20.0
LOOK_S = 4.0
HUNG_EXIT = 70
_THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")


class Health:
    """Gathers the heartbeat. The panel writes `stuck`; it is replaced, never changed."""

    def __init__(self, clocks: Clocks, storing: Storing, directory: Path) -> None:
        self._clocks = clocks
        self._storing = storing
        self._directory = directory
        self._started_s = clocks.now()
        self.stuck: tuple[str, ...] = ()
        self._taken_over: Callable[[], bool] = lambda: False

    def watch_identity(self, taken_over: Callable[[], bool]) -> None:
        """Ask this whether another program was seen with the same identity."""
        self._taken_over = taken_over

    def heartbeat(self) -> Heartbeat:
        """As of now. All of `outbox` below `oldest_open_seq` has been receipted or refused."""
        counts = self._storing.counts()
        return Heartbeat(
            boot=self._clocks.boot,
            monotonic_ms=self._clocks.monotonic_ms(),
            uptime_s=int(self._clocks.now() - self._started_s),
            outbox=counts.outbox if counts else None,
            depth=(counts.depth if counts else 0) + self._storing.in_memory,
            oldest_open_seq=counts.oldest_open_seq if counts else None,
            clock_synced=self._clocks.synced(),
            temperature_c=_temperature(),
            free_disk_bytes=disk.free_bytes(self._directory),
            stuck=list(self.stuck),
            faults=[fault[:200] for fault in self._faults()],
        )

    def _faults(self) -> list[str]:
        faults = self._storing.faults()
        if self._taken_over():
            faults.append("Another program uses the identity of this kiosk.")
        return faults


def _temperature() -> float | None:
    try:
        return int(_THERMAL.read_text()) / 1000
    except (OSError, ValueError):
        return None


def notify(*lines: str) -> None:
    """Tell systemd, where NOTIFY_SOCKET names its socket (sd_notify(3)). Nothing happens elsewhere."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.sendto("\n".join(lines).encode(), address.replace("@", "\0", 1))


class Watchdog:
    """Ends the process when one of its loops has not ticked for 20 s; systemd starts it again.

    `ticks` gives each loop's last tick (monotonic seconds). A slow disk is given its 20 s. When the watchdog
    itself was asleep (the whole process was stopped) it begins anew instead of blaming the loops.
    """

    def __init__(
        self,
        clocks: Clocks,
        ticks: Mapping[str, Callable[[], float]],
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._clocks = clocks
        self._ticks = ticks
        self._end = end
        self._looked_s = self._awake_s = clocks.now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def look(self) -> str | None:
        """The name of a loop that hangs."""
        now_s = self._clocks.now()
        if now_s - self._looked_s > LOOK_S + 2:
            self._awake_s = now_s
        self._looked_s = now_s
        for name, ticked in self._ticks.items():
            if now_s - max(ticked(), self._awake_s) > HUNG_S:
                return name
        return None

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            hung = self.look()
            if hung is not None:
                log.critical("The %s has not moved for %.0f s; the kiosk ends to begin anew.", hung, HUNG_S)
                notify(f"STATUS=The {hung} hangs.")
                self._end(HUNG_EXIT)
                return
            notify("WATCHDOG=1")
