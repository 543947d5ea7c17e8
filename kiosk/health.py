"""How this kiosk is: the contents of its heartbeat."""

from collections.abc import Callable
from pathlib import Path

from broker.messages import Heartbeat
from kiosk import disk
from kiosk.cameras import Watch
from kiosk.clock import Clocks
from kiosk.storing import Storing

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
        self._camera: Watch | None = None

    def watch_identity(self, taken_over: Callable[[], bool]) -> None:
        """Ask this whether another program was seen with the same identity."""
        self._taken_over = taken_over

    def watch_camera(self, camera: Watch | None) -> None:
        """Say how the camera is, if there is one."""
        self._camera = camera

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
            camera=None if self._camera is None else self._camera.state(self._clocks.now())[:32],
            free_disk_bytes=disk.free_bytes(self._directory),
            at=self._clocks.wall(),
            stuck=list(self.stuck),
            faults=[fault[:200] for fault in self._faults()],
        )

    def _faults(self) -> list[str]:
        faults = self._storing.faults()
        if self._taken_over():
            faults.append("Another program uses the identity of this kiosk.")
        if self._camera is not None:
            faults += self._camera.faults(self._clocks.now())
        return faults


def _temperature() -> float | None:
    try:
        return int(_THERMAL.read_text()) / 1000
    except (OSError, ValueError):
        return None
