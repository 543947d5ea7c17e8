"""Which light says what, and the thread that plays it.

The patterns differ in rhythm, so that they are told apart without seeing colours and on a single lamp.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kiosk.display import State

log = logging.getLogger(__name__)

Colour = tuple[float, float, float]
# The hues of the design, one per state as on every page (its tokens.css), as an LED shows them.
WHITE: Colour = (1.0, 1.0, 1.0)
AMBER: Colour = (1.0, 0.45, 0.0)
BLUE: Colour = (0.0, 0.3, 1.0)
VIOLET: Colour = (0.45, 0.0, 1.0)
GREEN: Colour = (0.0, 1.0, 0.35)
RED: Colour = (1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Step:
    """One brightness (0 to 1) and colour for `seconds`; None: until the pattern changes."""

    brightness: float
    colour: Colour
    seconds: float | None


@dataclass(frozen=True)
class Pattern:
    steps: tuple[Step, ...]


def _blinks(count: int, on_s: float, off_s: float, pause_s: float, colour: Colour) -> Pattern:
    steps = [Step(*pair) for _ in range(count) for pair in ((1.0, colour, on_s), (0.0, colour, off_s))]
    return Pattern((*steps, Step(0.0, colour, pause_s)))


def _breath(rise_s: float, colour: Colour) -> Pattern:
    levels = [0.05, 0.15, 0.3, 0.5, 0.75, 1.0]
    seconds = rise_s / len(levels)
    return Pattern(tuple(Step(level, colour, seconds) for level in (*levels, *reversed(levels))))


PATTERNS: dict[State, Pattern] = {
    State.IDLE: Pattern((Step(0.0, WHITE, None),)),
    State.PRESSED: Pattern((Step(1.0, AMBER, None),)),
    State.SAVED: _breath(1.8, AMBER),
    State.SENT: _breath(0.9, AMBER),
    State.SEEN: _blinks(2, 0.15, 0.15, 1.0, AMBER),
    State.ON_THE_WAY: _blinks(1, 0.5, 0.5, 0.0001, BLUE),
    State.HERE: Pattern((Step(1.0, VIOLET, None),)),
    State.RESOLVED: Pattern((Step(0.3, GREEN, None),)),
    State.CANCELLED: _blinks(1, 0.1, 0.1, 1.8, WHITE),
    State.MISSED: _blinks(3, 0.15, 0.15, 0.8, RED),
    State.UNREACHABLE: _blinks(1, 0.08, 0.1, 3.8, RED),
    State.NOT_SAVED: _blinks(1, 0.2, 0.2, 0.0001, AMBER),
}
# Said once whenever there is something new, before the pattern goes on.
NEWS = (Step(0.0, WHITE, 0.08), Step(1.0, WHITE, 0.08), Step(0.0, WHITE, 0.08))
IDENTIFY = Pattern((Step(1.0, WHITE, 0.1), Step(0.0, WHITE, 0.1), Step(1.0, RED, 0.1), Step(0.0, RED, 0.1)))
CHIRP_S = 0.08


class Lights(Protocol):
    """What the player drives: kiosk.pins.Pins, or a fake."""

    def light(self, brightness: float, colour: Colour) -> None: ...

    def sound(self, on: bool) -> None: ...


class Player:
    """Plays one pattern at a time in a thread of its own; it sleeps while the light stands still."""

    def __init__(self, lights: Lights, now: Callable[[], float] = time.monotonic) -> None:
        self._lights = lights
        self._now = now
        self._changed = threading.Condition()
        self._pattern = PATTERNS[State.IDLE]
        self._news = False
        self._chirps = 0
        self._identify_until_s = 0.0
        self._version = 0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="lamps", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def show(self, state: State, *, news: bool = False, chirp: bool = False) -> None:
        """From now on the pattern of `state`; a blip for news, a chirp for what must be heard."""
        with self._changed:
            pattern = PATTERNS[state]
            if pattern is self._pattern and not news and not chirp:
                return
            # A blip would break a light that changes anyway.
            self._news = news and pattern is self._pattern
            self._pattern = pattern
            self._chirps += chirp
            self._wake()

    def identify(self, seconds: float) -> None:
        """Blink everything for a technician, then go on."""
        with self._changed:
            self._identify_until_s = self._now() + seconds
            self._wake()

    def close(self, timeout_s: float = 1.0) -> None:
        """Dark and silent. May be called twice."""
        with self._changed:
            self._stopped = True
            self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _wake(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    break
                version, pattern = self._version, self._pattern
                blip, self._news = self._news, False
                chirp, self._chirps = self._chirps > 0, 0
                identifying = self._identify_until_s > self._now()
            try:
                self._perform(version, IDENTIFY if identifying else pattern, blip, chirp)
            except Exception:
                # A lamp that fails must not take the buttons with it.
                log.exception("The lamp or the buzzer cannot be driven.")
                self._wait(version, 5.0)
        try:
            self._lights.sound(False)
            self._lights.light(0.0, WHITE)
        except Exception:
            log.exception("The lamp cannot be switched off.")

    def _perform(self, version: int, pattern: Pattern, blip: bool, chirp: bool) -> None:
        if chirp:
            first = pattern.steps[0]
            self._lights.light(first.brightness, first.colour)
            self._lights.sound(True)
            try:
                self._wait(None, CHIRP_S)
            finally:
                self._lights.sound(False)
        for step in (*NEWS, *pattern.steps) if blip else pattern.steps:
            self._lights.light(step.brightness, step.colour)
            if self._wait(version, step.seconds):
                return

    def _wait(self, version: int | None, seconds: float | None) -> bool:
        """Whether something else is to be played. `version` None: wait the time out."""
        with self._changed:
            if version is None:
                return self._changed.wait_for(lambda: self._stopped, seconds)
            return self._changed.wait_for(lambda: self._version != version, seconds)
