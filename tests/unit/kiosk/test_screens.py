import socket
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import UUID

import msgspec
import pytest

from broker.events import SecurityRequested
from broker.messages import Call, CallState
from kiosk.clock import Clocks
from kiosk.config import Button, Config, Screen, load
from kiosk.jobs import Job, Save
from kiosk.panel import Panel
from kiosk.screen.messages import Touch, View
from kiosk.screens import Screens
from tests.rig.panel import a_view

EXAMPLE = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")
TOUCH = msgspec.json.encode(Touch("key", "till")) + b"\n"


@pytest.fixture
def touches() -> "SimpleQueue[Touch]":
    return SimpleQueue()


@pytest.fixture
def screens(tmp_path: Path, touches: "SimpleQueue[Touch]") -> Iterator[Screens]:
    made = Screens(tmp_path / "screen.sock", touches.put)
    made.show(a_view(number=1))
    made.start()
    yield made
    made.close()
    assert not (tmp_path / "screen.sock").exists()


def connect(tmp_path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(tmp_path / "screen.sock"))
    return connection


def a_line(connection: socket.socket) -> View:
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    return msgspec.json.decode(line, type=View)


def test_a_view_comes_at_once_and_at_each_change_to_every_screen(screens: Screens, tmp_path: Path) -> None:
    with connect(tmp_path) as one, connect(tmp_path) as other:
        assert a_line(one).number == a_line(other).number == 1
        screens.show(a_view(number=2))
        assert a_line(one).number == a_line(other).number == 2


def test_a_lying_or_flooding_screen_is_cut_off_and_the_next_one_works(
    screens: Screens, tmp_path: Path, touches: "SimpleQueue[Touch]"
) -> None:
    for junk in (b"{}\n" * 50, b"x" * 100_000, b"\xff\n" * 50):
        with connect(tmp_path) as liar, pytest.raises((ConnectionError, EOFError)):
            liar.sendall(junk)
            while liar.recv(65536):
                pass
            raise EOFError
    with connect(tmp_path) as flood, connect(tmp_path) as honest:
        flood.sendall(TOUCH * 500)
        a_line(honest)
        honest.sendall(b"nonsense\n" + msgspec.json.encode(Touch("dismiss")) + b"\n")
        got = [touches.get(timeout=10)]
        while got[-1].what != "dismiss":
            got.append(touches.get(timeout=10))
    assert len(got) < 200


def test_a_screen_that_reads_nothing_holds_up_nobody(screens: Screens, tmp_path: Path) -> None:
    with connect(tmp_path), connect(tmp_path) as reading:
        for number in range(2, 3000):
            screens.show(a_view(number=number))
        while a_line(reading).number < 2999:
            pass


def test_what_a_screen_sent_before_it_died_is_heard_although_it_read_nothing(
    screens: Screens, tmp_path: Path, touches: "SimpleQueue[Touch]"
) -> None:
    for number in range(2, 302):
        with connect(tmp_path) as dying:
            screens.show(a_view(number=number))
            dying.sendall(TOUCH)
            screens.show(a_view(number=number))
        assert touches.get(timeout=10) == Touch("key", "till")


def test_a_path_that_cannot_be_served_is_no_reason_not_to_start(tmp_path: Path) -> None:
    (tmp_path / "screen.sock").write_text("not a socket")
    screens = Screens(tmp_path / "screen.sock", lambda touch: None)
    screens.start()
    screens.close()
    assert (tmp_path / "screen.sock").read_text() == "not a socket"


class Rehearsal:
    """A panel with a clock of its own, and every byte that its screens would get."""

    def __init__(self, config: Config) -> None:
        self.now_s = 100.0
        self.sent: list[bytes] = []
        self.jobs: list[Job] = []
        ids = count(1)
        unused: Any = threading.local()
        self.panel = Panel(
            config,
            Clocks(UUID(int=9), lambda: self.now_s),
            self.jobs.append,
            unused,
            screens=lambda view: self.sent.append(msgspec.json.encode(view)),
            new_id=lambda: UUID(int=next(ids)),
            choose=lambda words: words[0],
        )
        self.pins = StillPins()
        self.panel.begin(self.pins, StillPlayer())  # type: ignore[arg-type]

    def do(self, *items: Callable[[], None]) -> None:
        for item in items:
            item()
            self.panel.turn(0.001)
            self.now_s += 1.0

    def edge(self, name: str, pressed: bool) -> Callable[[], None]:
        def act() -> None:
            self.pins.down.add(name) if pressed else self.pins.down.discard(name)
            self.panel.edge(name, pressed, self.now_s)

        return act


class StillPins:
    def __init__(self) -> None:
        self.down: set[str] = set()

    def guard(self, name: str, on: bool) -> None: ...

    def watch(self, on: bool) -> None: ...

    def pressed(self, name: str) -> bool:
        return name in self.down

    def smile(self, name: str, on: bool) -> None: ...


class StillPlayer:
    def show(self, *_: object, **__: object) -> None: ...


def test_a_silent_request_changes_not_one_byte_of_what_screens_are_shown() -> None:
    buttons = [*EXAMPLE.button, Button("looking", "looking", touch=True)]
    config = msgspec.structs.replace(EXAMPLE, screen=Screen(), button=buttons)

    def play(secret: bool) -> Rehearsal:
        trial = Rehearsal(config)
        call = Call(UUID(int=77), 1, CallState.ACKNOWLEDGED, "coming", "AAA-AAA", 30, "discreet")

        def nothing() -> None: ...

        silent = [trial.edge("security", True), nothing, nothing, trial.edge("security", False)]
        silent += [lambda: trial.panel.put(call), lambda: trial.panel.put(Touch("key", "security"))]
        trial.do(lambda: trial.panel.put(Touch("language", value="ca")))
        trial.do(lambda: trial.panel.put(Touch("key", "looking")))
        trial.do(*(silent if secret else [nothing] * len(silent)))
        trial.do(trial.edge("till", True), trial.edge("till", False))
        trial.do(*(silent if secret else [nothing] * len(silent)))
        trial.do(*[nothing] * 80)
        return trial

    loud, quiet = play(True), play(False)
    held = [j for j in loud.jobs if isinstance(j, Save) and isinstance(j.event.content, SecurityRequested)]
    assert len(held) == 2
    assert loud.sent == quiet.sent and len(loud.sent) > 5
