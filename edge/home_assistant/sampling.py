"""What of a kiosk is told only as it was at the last quarter of an hour. Pure.

A clip that is kept warms a kiosk and fills its disk, and a card that is slow to write it holds the camera up;
a clip is kept of each call of security: told at once, any of them would say when there was one.
"""

from dataclasses import replace
from datetime import datetime

from edge.home_assistant.kiosks import Kiosk

EVERY_MINUTES = 15
# A temperature is told in steps of this many degrees.
STEP_C = 5


class Samples:
    """Remembers, for each kiosk, what it said at the first look of this quarter."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[datetime, float | None, bool | None, str | None]] = {}

    def steady(self, kiosk: Kiosk, now: datetime) -> Kiosk:
        """The kiosk with what is told of its temperature, its disk and its camera; one that starts is
        looked at until it has."""
        quarter = now.replace(minute=now.minute - now.minute % EVERY_MINUTES, second=0, microsecond=0)
        taken = self._taken.get(kiosk.name)
        if taken is None or taken[0] != quarter or taken[3] == "starting":
            rounded = None if kiosk.temperature_c is None else STEP_C * round(kiosk.temperature_c / STEP_C)
            taken = (quarter, rounded, kiosk.disk_low, kiosk.camera)
            if kiosk.here:
                self._taken[kiosk.name] = taken
        return replace(kiosk, temperature_c=taken[1], disk_low=taken[2], camera=taken[3])
