"""How much of what is refused is written down: a flood of tries fills no disk."""

import threading
from datetime import datetime, timedelta

AGAIN_AFTER = timedelta(minutes=1)
MOST_PER_HOUR = 200
_KEPT = timedelta(hours=2)


class Bounds:
    """Lets one refusal a minute through for each key, and MOST_PER_HOUR altogether; what it holds back is
    counted and said with the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # When each key was last let through, and how many were held back since.
        self._last: dict[tuple[str, ...], tuple[datetime, int]] = {}
        self._hour: datetime | None = None
        self._passed = self._over = 0

    def take(self, key: tuple[str, ...], now: datetime) -> str | None:
        """What is to be said behind this refusal; None for one that is not written down by itself."""
        with self._lock:
            more = self._new_hour(now)
            last, held = self._last.get(key, (None, 0))
            if last is not None and last <= now < last + AGAIN_AFTER:
                self._last[key] = (last, held + 1)
                return None
            if self._passed >= MOST_PER_HOUR:
                self._over += 1
                return None
            self._passed += 1
            self._last[key] = (now, 0)
            if held:
                more += f" {held} more like it since {last:%H:%M} UTC."
            if self._passed == MOST_PER_HOUR:
                more += " Until the hour is over, refusals are only counted."
            return more

    def _new_hour(self, now: datetime) -> str:
        if self._hour is not None and self._hour <= now < self._hour + timedelta(hours=1):
            return ""
        over, self._hour, self._passed, self._over = self._over, now, 0, 0
        # Older ones have nothing more to hold back, but for those that are told of next time.
        self._last = {key: one for key, one in self._last.items() if one[1] and one[0] > now - _KEPT}
        return f" In the hour before, {over} more refusals were only counted." if over else ""
