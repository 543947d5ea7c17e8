"""What is driven beside the request's lamp and buzzer: the lamps of camera and smileys, relay and pulse.

Each is set when it changes. One that fails must not take the buttons with it; the log says which.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial

from kiosk.guard import Output
from kiosk.pins import Pins

log = logging.getLogger(__name__)


class Outputs:
    """All are off at first, as the pins are."""

    def __init__(self, pins: Pins) -> None:
        self._pins = pins
        self._on: dict[str, bool] = {}

    def camera(self, watches: bool) -> None:
        """The lamp that says that the camera watches."""
        self._drive("camera.lamp", watches, self._pins.watch)

    def guard(self, driven: Mapping[Output, bool]) -> None:
        """The siren's relay, and what only the caller notices."""
        for name, on in driven.items():
            self._drive(f"security.{name}", on, partial(self._pins.guard, name))

    def smileys(self, lit: Mapping[str, bool]) -> None:
        """The lamps of these smileys, by the names of their buttons."""
        for name, on in lit.items():
            self._drive(name, on, partial(self._pins.smile, name))

    def _drive(self, name: str, on: bool, act: Callable[[bool], None]) -> None:
        if self._on.get(name, False) == on:
            return
        self._on[name] = on
        try:
            act(on)
        except Exception:
            log.exception("The output %s cannot be driven.", name)
