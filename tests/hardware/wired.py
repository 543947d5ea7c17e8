"""A whole kiosk on the simulated chip: gpiozero, lgpio and the kernel are real, only the wires are not."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk.config import Config
from tests.hardware.chip import Chip
from tests.system.kiosk_rig import RunningKiosk


class WiredKiosk(RunningKiosk):
    """Pressed at the chip's lines; the rest as on mock pins."""

    def __init__(self, config: Config, chip: Chip, factory: Any) -> None:
        self._chip = chip
        self._outbox = config.outbox_directory
        super().__init__(config, factory)

    def press(self, pin: int, seconds: float = 0.1) -> float:
        at_s = time.monotonic()
        self._chip.press(pin)
        time.sleep(seconds)
        self._chip.release(pin)
        return at_s

    def stored(self) -> list[str]:
        """The kinds of the events in the outbox, the first one first."""
        (database,) = Path(self._outbox).glob("*.db")
        with closing(sqlite3.connect(database)) as conn:
            return [kind for (kind,) in conn.execute("SELECT kind FROM event ORDER BY seq")]
