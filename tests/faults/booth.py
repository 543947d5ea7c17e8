"""A kiosk process before which somebody stands: presses its pins, reads its display, kills it."""

import contextlib
import random
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from broker.events import Envelope, reference_of
from deploy.demo.control import Ask, Panel
from tests.rig.kiosk import BUTTONS, configure
from tests.rig.store import Rig, wait_for

HELPS = [name for name, (_, action) in BUTTONS.items() if action == "help"]
HOLD_S = 0.5
# Longer than any SIGSTOP here: an answer that does not come means that the process is gone.
PATIENCE_S = 60.0
_DATA = msgspec.json.Decoder(dict[str, Any])
_ENVELOPE = msgspec.json.Decoder(Envelope)


class Gone(Exception):
    """The kiosk ended before it answered: whether this press was noticed nobody can say."""


@dataclass(frozen=True)
class Kept:
    """One event of a kiosk's outbox; `presses` is what it stands for."""

    id: str
    kind: str
    presses: int
    payload: bytes
    seq: int | None
    closed: bool
    refused: str | None

    @property
    def reference(self) -> str:
        return reference_of(UUID(self.id))


@dataclass
class Life:
    """One run of the kiosk program, and the references that it showed as saved, and as sent."""

    began_s: float
    killed_s: float | None = None
    saved: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    not_saved: int = 0
    states: list[tuple[float, str]] = field(default_factory=list)


class Touch:
    """One finger: a connection to the kiosk's pins. Gone when the kiosk is."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            raise Gone(str(error)) from None
        self._lines = self._socket.makefile("rwb")

    def ask(self, ask: Ask) -> Panel:
        try:
            self._lines.write(msgspec.json.encode(ask) + b"\n")
            self._lines.flush()
            return msgspec.json.decode(self._lines.readline(), type=Panel)
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise Gone(str(error)) from None

    def press(self, button: str, seconds: float = 0.05) -> None:
        self.ask(Ask("press", button))
        time.sleep(seconds)
        self.ask(Ask("release", button))

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._lines.close()
        self._socket.close()


class Booth:
    """See the module. Another folder (`called`) makes a second kiosk with the same identity."""

    def __init__(self, rig: Rig, device: str, *, called: str | None = None, **settings: Any) -> None:
        self.rig, self.device, self.name = rig, device, called or device
        outbox = settings.get("outbox")
        path = configure(rig, device, hold_s=HOLD_S, called=called, **settings)
        self.folder = path.parent
        self.outbox: Path = outbox or self.folder / "outbox"
        self.lives: list[Life] = []
        # How far its monotonic clock is before ours, in a time namespace.
        self.ahead_s = 0.0
        self.ready = threading.Event()

    def start(self, prefix: Sequence[str] = ()) -> None:
        """Start the program and wait until its buttons are looked at."""
        socket_path = self.folder / "hand"
        log = self.rig.directory / f"{self.name}.log"
        begin = log.stat().st_size if log.exists() else 0
        life = Life(time.monotonic())
        self.lives.append(life)
        process = self.rig.start(
            self.name,
            *("-m", "deploy.demo.kiosk", "--config", str(self.folder / "kiosk.toml")),
            *("--socket", str(socket_path)),
            prefix=prefix,
        )

        def is_ready() -> bool:
            said = log.read_bytes()[begin:]
            if process.poll() is not None and life.killed_s is None:
                raise AssertionError(f"The kiosk {self.name} ended: {said.decode(errors='replace')[-300:]}")
            return b" is ready." in said

        wait_for(is_ready, f"The start of the kiosk {self.name}", 60)
        threading.Thread(target=self._watch, args=(life,), name=f"watch-{self.name}", daemon=True).start()
        self.ready.set()

    def touch(self) -> Touch:
        return Touch(self.folder / "hand")

    def kill(self, since_s: float | None = None) -> None:
        """kill -9; `since_s` when it has not run since then already."""
        self.ready.clear()
        self.lives[-1].killed_s = since_s or time.monotonic()
        self.rig.kill(self.name)

    def stop(self) -> None:
        """SIGSTOP."""
        self.rig.signal(self.name, signal.SIGSTOP)

    def cont(self) -> None:
        self.rig.signal(self.name, signal.SIGCONT)

    @property
    def shown(self) -> str:
        """The state on the display, as far as it was seen."""
        states = self.lives[-1].states
        return states[-1][1] if states else "starting"

    def kept(self) -> list[Kept]:
        """Every event in the outbox's files, those set aside as damaged included."""
        found = {}
        for path in sorted(self.outbox.glob("*.db")):
            for event in _read(path):
                found[event.id] = event
        return list(found.values())

    def waiting(self) -> int:
        """Presses and events that have no receipt yet."""
        with _opened(self.outbox / "outbox.db") as db:
            events = db.execute("SELECT count(*) FROM event WHERE closed_ran_s IS NULL").fetchone()[0]
            return int(events + db.execute("SELECT count(*) FROM repeats").fetchone()[0])

    def counted(self) -> int:
        """Presses of open requests that are on disk and not yet an event."""
        with _opened(self.outbox / "outbox.db") as db:
            return int(db.execute("SELECT coalesce(sum(count), 0) FROM repeats").fetchone()[0])

    def receipted(self) -> int:
        """How many events have their receipt; 0 while the outbox cannot be read."""
        try:
            with _opened(self.outbox / "outbox.db") as db:
                return int(
                    db.execute("SELECT count(*) FROM event WHERE closed_ran_s IS NOT NULL").fetchone()[0]
                )
        except sqlite3.Error:
            return 0

    def _watch(self, life: Life) -> None:
        touch, after = None, 0
        try:
            touch = self.touch()
            while True:
                panel = touch.ask(Ask("look", after=after, wait_s=5.0))
                for shown in panel.new:
                    after = shown.number
                    life.states.append((shown.at_s, shown.state))
                    if shown.reference is not None and shown.state == "saved":
                        life.saved.add(shown.reference)
                    elif shown.reference is not None and shown.state == "sent":
                        life.sent.add(shown.reference)
                    elif shown.state == "not_saved":
                        life.not_saved += 1
        except Gone:
            pass
        finally:
            if touch is not None:
                touch.close()


def outboxes_empty(booths: Sequence[Booth], timeout_s: float = 180.0) -> float:
    """Wait until every press is receipted; how many seconds it took."""
    begin = time.monotonic()

    def empty() -> bool:
        try:
            return all(booth.waiting() == 0 for booth in booths)
        except sqlite3.Error:
            return False

    wait_for(empty, "The last receipt", timeout_s)
    return time.monotonic() - begin


def pause(chance: random.Random, low: float, high: float, stop: threading.Event) -> bool:
    """A random while; whether `stop` was set meanwhile."""
    return stop.wait(chance.uniform(low, high))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        yield db
    finally:
        db.close()


def _read(path: Path) -> list[Kept]:
    with _opened(path) as db:
        rows = db.execute("SELECT id, kind, payload, seq, closed_ran_s, refused FROM event").fetchall()
    kept = []
    for raw, kind, payload, seq, closed, refused in rows:
        data = _DATA.decode(_ENVELOPE.decode(payload).data)
        presses = int(data.get("count", 1))
        kept.append(Kept(str(UUID(bytes=raw)), kind, presses, payload, seq, closed is not None, refused))
    return kept
