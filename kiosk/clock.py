"""The clocks of this machine, behind one object so that tests can bring their own.

Every decision rests on the monotonic clock. The wall clock is only written down beside it.
"""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from broker.events import Clock

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronized
_STA_UNSYNC = 0x40


@dataclass(frozen=True)
class Stamp:
    """When something happened: seconds of the monotonic clock, and what the wall clock said then."""

    monotonic_s: float
    at: datetime
    clock: Clock


class Clocks:
    """See the module. `boot` names the run of the monotonic clock."""

    def __init__(self, boot: UUID | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.boot = boot or _read_boot()
        self.now = monotonic
        self._synced = False
        self._synced_checked_at = float("-inf")

    def wall(self) -> datetime:
        """Aware, UTC, and possibly wrong."""
        return datetime.now(UTC)

    def monotonic_ms(self) -> int:
        return int(self.now() * 1000)

    def synced(self) -> bool:
        """Whether the wall clock follows a time server; looked up at most every 10 s."""
        if self.now() - self._synced_checked_at > 10:
            self._synced_checked_at = self.now()
            self._synced = _SYNCHRONIZED.exists() or _kernel_says_synced()
        return self._synced

    def stamp(self, monotonic_s: float) -> Stamp:
        """The stamp of something that happened a moment ago, at `monotonic_s`."""
        milliseconds = max(0, int(monotonic_s * 1000))
        return Stamp(monotonic_s, self.wall(), Clock(self.synced(), self.boot, milliseconds))


def _read_boot() -> UUID:
    try:
        return UUID(_BOOT_ID.read_text().strip())
    except (OSError, ValueError):
        return uuid4()


def _kernel_says_synced() -> bool:
    try:
        # struct timex; reading needs modes = 0. 208 bytes on 64-bit, where status is the sixth long.
        buffer = (ctypes.c_long * 64)()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer))
        return bool(0 <= state < _TIME_ERROR and not int(buffer[5]) & _STA_UNSYNC)
    except (OSError, AttributeError):
        return False
