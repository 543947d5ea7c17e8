"""So fast and no faster: a backup works beside presses that must not wait for it."""

import os
import time
from collections.abc import Callable, Iterable, Iterator


class Pace:
    """Lets `mb_s` megabytes a second through, counted over all that pass."""

    def __init__(
        self,
        mb_s: float,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s_per_byte = 1 / (mb_s * 1e6)
        self._now, self._sleep = now, sleep
        self._next_s = now()

    def passed(self, size: int) -> None:
        """So many bytes went through; wait until the next may."""
        now_s = self._now()
        self._next_s = max(self._next_s, now_s - 0.1) + size * self._s_per_byte
        if self._next_s > now_s:
            self._sleep(self._next_s - now_s)

    def of(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            yield part
            self.passed(len(part))


def make_way() -> None:
    """Whatever else runs on this machine goes first from now on."""
    os.nice(10)
