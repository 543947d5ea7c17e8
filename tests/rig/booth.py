"""A kiosk's panel on gpiozero's mock pins with a real outbox, without threads, in a test's own time."""

from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec

from broker.events import CONTENT, Content
from kiosk.clock import Clocks
from kiosk.config import Config
from kiosk.display import State
from kiosk.jobs import Job, Save, Saved
from kiosk.outbox import Outbox
from kiosk.panel import Panel
from kiosk.pins import Pins, mock_factory
from kiosk.screen.messages import View


class Booth:
    """See the module. `press` and `move` drive the pins, and `lit` reads the lamps there."""

    def __init__(self, config: Config, folder: Path, before: "Booth | None" = None) -> None:
        """`before` is the kiosk that was here until a moment ago."""
        self.now_s = 1000.0 if before is None else before.now_s
        self.factory = mock_factory() if before is None else before.factory
        self.views: list[View] = []
        self._config = config
        self._jobs: list[Job] = []
        clocks = Clocks(UUID(int=9), lambda: self.now_s)
        folder.mkdir(exist_ok=True)
        self.outbox = Outbox(folder, clocks.boot, self.now_s)
        ids, turn = count(1 if before is None else 1001), count()
        unused: Any = SimpleNamespace()
        self.panel = Panel(
            config,
            clocks,
            self._jobs.append,
            unused,
            screens=self.views.append,
            new_id=lambda: UUID(int=next(ids)),
            choose=lambda words: words[next(turn) % len(words)],
        )
        self._pins = Pins(config, self.factory, self.panel.edge, lambda: self.now_s)
        left = None if before is None else before.left
        self._pressed: set[str] = set()
        for name in () if before is None else before._pressed:
            # A mock pin forgets its finger when somebody else takes it.
            self.level(name, pressed=True)
        self.panel.begin(self._pins, StillPlayer(), left)  # type: ignore[arg-type]
        self.turn()

    @property
    def view(self) -> View:
        return self.views[-1]

    def stored(self, kind: str) -> list[Content]:
        """What the outbox holds of this kind, oldest first."""
        events, more = self.outbox.open_events()
        assert not more
        events.sort(key=lambda event: event.seq or 0)
        found = [msgspec.json.decode(event.payload)["data"] for event in events if event.kind == kind]
        return [msgspec.convert(data, CONTENT[kind]) for data in found]

    @property
    def lit(self) -> set[int]:
        """The scores of the smileys whose lamps are lit, as read at their pins."""
        lamps = [(b.score, b.lamp) for b in self._config.button if b.lamp is not None]
        return {score or 0 for score, lamp in lamps if self.factory.pin(lamp).state}

    def press(self, name: str) -> None:
        self.level(name, pressed=True)
        self.wait(0.1)
        self.level(name, pressed=False)
        self.wait(0.1)

    def level(self, name: str, *, pressed: bool) -> None:
        """Somebody's finger; nobody looks at it yet."""
        pin = self.factory.pin(next(button.pin for button in self._config.button if button.name == name))
        self._pressed = self._pressed | {name} if pressed else self._pressed - {name}
        pin.drive_low() if pressed else pin.drive_high()

    def move(self, name: str) -> None:
        """Somebody moves before the sensor for a moment."""
        pin = next(motion.pin for motion in self._config.motion if motion.name == name)
        self.factory.pin(pin).drive_high()
        self.wait(0.5)
        self.factory.pin(pin).drive_low()
        self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """Time passes: the panel turns before, every quarter of a second, and after."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.turn()
            self.now_s = min(until_s, self.now_s + 0.25)
        self.turn()

    def turn(self) -> None:
        """The panel deals with what there is, and what it wants stored is."""
        self.panel.turn(0.0001)
        while self._jobs:
            job = self._jobs.pop(0)
            if isinstance(job, Save):
                with self.outbox.transaction():
                    event = self.outbox.save(job.event)
                self.panel.put(Saved(event))
            self.panel.turn(0.0001)

    def leave(self) -> None:
        """The kiosk ends, and its pins are nobody's until another Booth takes them."""
        self.left = self.panel.leave()
        self._pins.close()
        self.outbox.close()

    def close(self) -> None:
        self._pins.close()
        self.factory.close()
        self.outbox.close()


class StillPlayer:
    """No lamp of the request's; the smileys' lamps are the pins' own."""

    def __init__(self) -> None:
        self.states: list[State] = []

    def show(self, state: State, **_: bool) -> None:
        self.states.append(state)
