"""Who is greeted at the door and thanked at the exit, and in which words. Pure.

The same words never come twice in a row: nothing sounds as robotic as a door that repeats itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from broker.events import Greeted
from kiosk.config import Motion
from kiosk.request import Make

GREETINGS = tuple(f"greet.{number}" for number in range(1, 7))
THANKS = tuple(f"thanks.{number}" for number in range(1, 5))
SHOWN_S = 20.0
RECENT_S = 120.0  # as long as the store may still be looking for somebody to greet


@dataclass(frozen=True)
class Sensor:
    """What greets as a motion sensor does, and has no pin: a camera."""

    name: str
    way: Literal["in", "out"]
    cool_down_s: int


class Greeting:
    """See the module. `choose` brings the chance; `key` is what is said now, `recent` who came in last."""

    def __init__(self, choose: Callable[[Sequence[str]], str], new_id: Callable[[], UUID]) -> None:
        self._choose = choose
        self._new_id = new_id
        self._seen_s: dict[str, float] = {}
        self._last: dict[str, str] = {}
        self.key: str | None = None
        self._until_s = 0.0
        self._came: tuple[UUID, float] | None = None

    def moved(self, sensor: Motion | Sensor, now_s: float) -> Make | None:
        """Somebody moved before the sensor. None while it cools down."""
        if now_s - self._seen_s.get(sensor.name, float("-inf")) < sensor.cool_down_s:
            return None
        self._seen_s[sensor.name] = now_s
        words = GREETINGS if sensor.way == "in" else THANKS
        self.key = self._choose([word for word in words if word != self._last.get(sensor.way)])
        self._last[sensor.way] = self.key
        self._until_s = now_s + SHOWN_S
        made = Make(self._new_id(), Greeted(sensor.way, sensor.name))
        if sensor.way == "in":
            self._came = made.id, now_s
        return made

    def take(self, now_s: float) -> UUID | None:
        """The event of who came in a moment ago, once: after this nobody waits to be greeted."""
        came, self._came = self._came, None
        return came[0] if came is not None and now_s - came[1] < RECENT_S else None

    def hide(self) -> None:
        self.key = None

    def tick(self, now_s: float) -> None:
        if self.key is not None and now_s >= self._until_s:
            self.key = None

    def due_at(self) -> float | None:
        return None if self.key is None else self._until_s
