"""What is said over a demo kiosk's socket, one JSON line each way, and the hand that presses its buttons."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from deploy.errors import DeployError

TIMEOUT_S = 10.0


class Ask(msgspec.Struct, frozen=True):
    """`press` and `release` drive the button's pin. `look` answers at once, or as soon as a display newer
    than `after` is shown, at the latest after `wait_s`. `follow` answers with each change until hung up."""

    do: Literal["press", "release", "look", "follow"]
    button: str = ""
    after: int = 0
    wait_s: float = 0.0


class Shown(msgspec.Struct, frozen=True):
    """A display of the kiosk and when it was shown, on the monotonic clock that all processes share."""

    number: int
    at_s: float
    state: str
    sentence: str
    name: str | None
    reference: str | None


class Panel(msgspec.Struct, frozen=True):
    """The kiosk as it is now. `lamp` is what the mock PWM pins carry, 0 to 1; `new` what was asked for;
    `pressed_s` the monotonic time at which a pin was last driven low; `films` whether the camera's lamp is
    lit, None without a camera."""

    shown: Shown
    lamp: tuple[float, float, float]
    sound: bool
    down: list[str]
    new: list[Shown] = []
    # the smileys whose own lamps are lit
    lit: list[str] = []
    wrong: str = ""
    pressed_s: float = 0.0
    films: bool | None = None


class Hand:
    """One kiosk's socket. Each call is a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def press(self, button: str) -> Panel:
        return self._ask(Ask("press", button))

    def release(self, button: str) -> Panel:
        return self._ask(Ask("release", button))

    def look(self, after: int = 0, wait_s: float = 0.0) -> Panel:
        return self._ask(Ask("look", after=after, wait_s=wait_s))

    def follow(self) -> Iterator[bytes]:
        """Each change as the JSON of a Panel, and at least one every second."""
        with self._open() as sock, sock.makefile("rwb") as lines:
            lines.write(msgspec.json.encode(Ask("follow")) + b"\n")
            lines.flush()
            for line in lines:
                yield line.rstrip()

    def _ask(self, ask: Ask) -> Panel:
        with self._open(ask.wait_s) as sock, sock.makefile("rwb") as lines:
            lines.write(msgspec.json.encode(ask) + b"\n")
            lines.flush()
            try:
                panel = msgspec.json.decode(lines.readline(), type=Panel)
            except (msgspec.DecodeError, OSError):
                raise DeployError(f"The kiosk at {self._path} did not answer.") from None
        if panel.wrong:
            raise DeployError(panel.wrong)
        return panel

    @contextlib.contextmanager
    def _open(self, wait_s: float = 0.0) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT_S + wait_s)
            try:
                sock.connect(str(self._path))
            except OSError as error:
                raise DeployError(f"The kiosk at {self._path} cannot be reached: {error}.") from None
            yield sock
