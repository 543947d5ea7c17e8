"""What a button's level means: pressed once, held, stuck. Pure: levels and seconds in, happenings out.

gpiozero's own debounce differs between pin factories (the mock one ignores it, lgpio's does not), so every
factory is asked for raw levels and this module alone decides. The first edge counts at once; whatever
follows within 30 ms is contact bounce, after which the level is read again.
"""

from dataclasses import dataclass
from enum import StrEnum

BOUNCE_S = 0.030
STUCK_S = 30.0
LOST_EDGE_S = 0.2
LATE_S = 0.03


class Happening(StrEnum):
    PRESSED = "pressed"
    RELEASED = "released"
    HELD = "held"
    STUCK = "stuck"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class ButtonEvent:
    """Something that happened to the button `name` at `at_s` of the monotonic clock."""

    name: str
    what: Happening
    at_s: float


class ButtonWatch:
    """One button. `hold_s` only where a hold means something. Give it edges, and look() when due_at says so.

    A button that is pressed when the watch begins has not been pressed for anyone: it acts after a release,
    and is reported as stuck when none comes.
    """

    def __init__(self, name: str, hold_s: float | None = None) -> None:
        self.name = name
        self._hold_s = hold_s
        self._pressed = False
        self._raw = False  # the newest edge, which bounce may have hidden
        self._since_s = 0.0
        self._quiet_until_s: float | None = None
        self._doubt_until_s: float | None = None
        self._held = False
        self._stuck = False

    @property
    def stuck(self) -> bool:
        return self._stuck

    @property
    def pressed(self) -> bool:
        """As far as it was looked at."""
        return self._pressed

    @property
    def may_be_held(self) -> bool:
        """Whether it is pressed, and a hold of it means something and is not decided yet."""
        return self._pressed and self._hold_s is not None and not self._held and not self._stuck

    def begin(self, pressed: bool, now_s: float) -> None:
        """The level at the start."""
        self._pressed = self._raw = self._held = pressed
        self._since_s = now_s

    def edge(self, pressed: bool, now_s: float) -> list[ButtonEvent]:
        """The level changed to `pressed` at `now_s`."""
        self._doubt_until_s = None
        if self._quiet_until_s is not None and now_s < self._quiet_until_s:
            self._raw = pressed
            return []
        happened = self._settle(self._raw)
        self._raw = pressed
        happened += self._timers(now_s)
        if pressed != self._pressed:
            self._quiet_until_s = now_s + BOUNCE_S
            happened += self._change(pressed, now_s)
        return happened

    def due_at(self) -> float | None:
        """When look() has something to find out at the latest; None: only an edge can change anything."""
        times = [at for at in (self._quiet_until_s, self._doubt_until_s) if at is not None]
        if self._pressed:
            if self._hold_s is not None and not self._held:
                times.append(self._since_s + self._hold_s)
            if not self._stuck:
                times.append(self._since_s + STUCK_S)
        return min(times, default=None)

    def look(self, pressed: bool, now_s: float) -> list[ButtonEvent]:
        """The level as read at `now_s`: settles a bounce, and lets holds and stuck buttons come of age."""
        happened: list[ButtonEvent] = []
        if self._quiet_until_s is not None and now_s >= self._quiet_until_s:
            if now_s < self._quiet_until_s + LATE_S:
                self._raw = pressed
            # A late look says nothing about the moment when the bounce ended; the edges do.
            happened += self._settle(self._raw)
        if self._quiet_until_s is None and pressed != self._pressed:
            # An edge is on its way here, with a better time than now; only one that never comes is replaced.
            if self._doubt_until_s is None:
                self._doubt_until_s = now_s + LOST_EDGE_S
            elif now_s >= self._doubt_until_s:
                self._raw = pressed
                happened += self._change(pressed, now_s)
        elif pressed == self._pressed:
            self._doubt_until_s = None
            if pressed:
                happened += self._timers(now_s)
        return happened

    def _settle(self, pressed: bool) -> list[ButtonEvent]:
        """The end of a bounce: `pressed` is the level that it left behind."""
        at_s, self._quiet_until_s = self._quiet_until_s, None
        return self._change(pressed, at_s) if at_s is not None and pressed != self._pressed else []

    def _change(self, pressed: bool, now_s: float) -> list[ButtonEvent]:
        self._pressed, self._since_s, self._held = pressed, now_s, False
        self._doubt_until_s = None
        if pressed:
            return [ButtonEvent(self.name, Happening.PRESSED, now_s)]
        if self._stuck:
            self._stuck = False
            return [ButtonEvent(self.name, Happening.RECOVERED, now_s)]
        return [ButtonEvent(self.name, Happening.RELEASED, now_s)]

    def _timers(self, now_s: float) -> list[ButtonEvent]:
        happened = []
        if self._pressed:
            age_s = now_s - self._since_s
            if self._hold_s is not None and not self._held and age_s >= self._hold_s:
                self._held = True
                happened.append(ButtonEvent(self.name, Happening.HELD, self._since_s + self._hold_s))
            if not self._stuck and age_s >= STUCK_S:
                self._stuck = True
                happened.append(ButtonEvent(self.name, Happening.STUCK, now_s))
        return happened
