"""Each program of the store says to systemd that it is ready and, from the loop that works, that it lives."""

import datetime as dt
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker import cutting, identity, mosquitto
from broker import pulse as pulses
from broker.pulse import Pulse
from broker.session import Credentials
from kiosk.config import Screen
from kiosk.screen import program as screens
from tests.rig import kiosk as kiosks
from tests.rig.store import Rig
from tests.system.kiosk_rig import settings, until

pytestmark = pytest.mark.system


class Systemd:
    """The datagram sockets that programs write to (sd_notify(3))."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sockets: dict[str, socket.socket] = {}
        self.heard: dict[str, list[str]] = {}

    def listen(self, program: str) -> str:
        path = self._folder / program
        sock = self._sockets[program] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(str(path))
        self.heard[program] = []
        return str(path)

    def lives(self, program: str) -> bool:
        """Whether it said READY=1, and WATCHDOG=1 then or later."""
        try:
            while True:
                self.heard[program] += self._sockets[program].recv(400).decode().split("\n")
        except BlockingIOError:
            said = self.heard[program]
            return "READY=1" in said and "WATCHDOG=1" in said[said.index("READY=1") :]

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()


@pytest.fixture
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systemd]:
    heard = Systemd(tmp_path_factory.mktemp("n"))
    yield heard
    heard.close()


@pytest.fixture
def rig(tmp_path: Path, systemd: Systemd) -> Iterator[Rig]:
    made = Rig.make(tmp_path)
    made.notified = systemd.listen
    yield made
    made.stop()


def test_every_program_says_that_it_is_ready_and_then_that_it_lives(rig: Rig, systemd: Systemd) -> None:
    rig.start_broker_program()
    kiosks.configure(rig, "kiosk-1")
    kiosks.start(rig, "kiosk-1")
    for program in ("worker", "web", "vault", "messenger"):
        rig.start(program)
    programs = ("mosquitto", "kiosk-1", "worker", "web", "vault", "messenger")
    until(lambda: all(systemd.lives(program) for program in programs), 60)
    # gunicorn's own word would come before the pages are there.
    assert not any("arbiter" in line for line in systemd.heard["web"] + systemd.heard["vault"])


def test_a_kiosks_screen_says_so_too(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.listen("screen"))
    config = settings(tmp_path, 1, tmp_path, screen=Screen())
    stop = threading.Event()
    thread = threading.Thread(target=screens.run, args=(config, 0, stop), name="screen-under-test")
    thread.start()
    try:
        until(lambda: systemd.lives("screen"), 30)
    finally:
        stop.set()
        thread.join(10)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker on a busy machine is slow, and lives."""
    monkeypatch.setattr(pulses, "PATIENCE_S", 60.0)


@pytest.fixture
def pulse(store: Path, broker: mosquitto.Broker) -> Iterator[Callable[[str], Pulse]]:
    """A pulse of the running broker, by the certificate of one of the store's programs; not started."""
    made: list[Pulse] = []

    def make(program: str) -> Pulse:
        credentials = Credentials.in_directory(store / program)
        made.append(Pulse("0.0.0.0", broker.settings.port, credentials, lambda: None))
        return made[-1]

    yield make
    for each in made:
        each.hang_up()


def test_a_broker_that_hangs_does_not_answer_though_the_kernel_takes_its_connections(
    pulse: Callable[[str], Pulse], broker: mosquitto.Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = pulse(cutting.AS), pulse(cutting.AS)
    assert known.beat() and known.beat()
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        monkeypatch.setattr(pulses, "PATIENCE_S", 0.3)
        assert not known.beat()
        assert not new.beat()
        assert not new.beat()
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    monkeypatch.setattr(pulses, "PATIENCE_S", 60.0)
    assert until(known.beat) and until(new.beat)


def test_a_refusal_is_an_answer(store: Path, broker: mosquitto.Broker, tmp_path: Path) -> None:
    strangers = tmp_path / "strangers"
    identity.make_store(strangers, "other", ["127.0.0.1"], dt.datetime.now(dt.UTC))
    stranger = Credentials(
        store / cutting.AS / "ca.crt",
        strangers / cutting.AS / "tls.crt",
        strangers / cutting.AS / "tls.key",
    )
    refused = Pulse("127.0.0.1", broker.settings.port, stranger, lambda: None)
    try:
        assert refused.beat() and refused.beat()
    finally:
        refused.hang_up()


def test_no_broker_at_all_gives_no_answer(store: Path) -> None:
    credentials = Credentials.in_directory(store / cutting.AS)
    assert not Pulse("127.0.0.1", mosquitto.free_port(), credentials, lambda: None).beat()
