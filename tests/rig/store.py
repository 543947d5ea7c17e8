"""One provisioned store in a folder, and its programs as real processes that can be stopped in any way."""

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from broker.mosquitto import Broker, Settings, free_port
from broker.session import Delivery, Session
from broker.tls import Credentials
from deploy.provision import NewStore, add_device, add_person, make_store
from edge.config import EdgeConfig, load_config
from edge.db.engine import connect

ROOT = Path(__file__).resolve().parents[2]
STORE = "trial"
PASSWORD = "correct horse battery"
T = TypeVar("T")


@dataclass(frozen=True)
class Someone:
    """A person of the trial store, as its tests sign them in."""

    name: str
    role: str
    pin: str | None
    id: str


@dataclass
class Rig:
    """The folder, its configuration and its running processes by name."""

    directory: Path
    config: EdgeConfig
    people: dict[str, Someone] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    broker: Broker | None = None
    # Where the programs say that they are ready, as to systemd: NOTIFY_SOCKET for each.
    notified: Callable[[str], str] | None = None

    @classmethod
    def make(
        cls,
        directory: Path,
        devices: tuple[str, ...] = ("kiosk-1",),
        streams: int = 64,
        hosts: tuple[str, ...] = ("127.0.0.1",),
    ) -> "Rig":
        """Provision a store with two zones, four people and these devices. Nothing runs yet."""
        now = dt.datetime.now(dt.UTC)
        wanted = NewStore(
            STORE,
            "The trial store",
            hosts,
            {"shoes": "Shoes", "tills": "Tills"},
            broker_port=free_port(),
            web_port=free_port(),
            vault_host="127.0.0.1",
            vault_port=free_port(),
            secure_cookies=False,
            second_factor="optional",
        )
        path = make_store(directory, wanted, now)
        path.write_text(path.read_text() + f"streams = {streams}\n")
        config = load_config(path)
        rig = cls(directory, config)
        for name in devices:
            add_device(config, name, "shoes", None, now)
        for name, role, pin in (
            ("Ana", "associate", "2411"),
            ("Marc", "associate", "2412"),
            ("Sofia", "supervisor", "2413"),
            ("Igor", "security", "2414"),
        ):
            person = add_person(config, name, role, now, zones=("shoes",), languages=("en", "ca"), pin=pin)
            rig.people[name] = Someone(name, role, pin, person.id)
        boss = add_person(config, "Mira", "manager", now, password=PASSWORD)
        rig.people["Mira"] = Someone("Mira", "manager", None, boss.id)
        return rig

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.config.web.port}"

    @property
    def broker_settings(self) -> Settings:
        user = "root" if os.geteuid() == 0 else None
        return Settings(STORE, self.config.identity_path, port=self.config.broker.port, user=user)

    def start_broker(self, say: Callable[[str], None] = lambda line: None, **settings: Any) -> None:
        """Start Mosquitto; `settings` replace some of broker_settings."""
        self.broker = Broker(replace(self.broker_settings, **settings), say)
        self.broker.start()

    def start_broker_program(self, listen: str = "127.0.0.1") -> None:
        """The broker as the product runs it: its log is read by a process of its own."""
        config = str(self.directory / "edge.toml")
        self.start("mosquitto", "-m", "deploy.cli", "broker", "run", "--listen", listen, "--config", config)
        wait_for(lambda: listens(self.config.broker.port), "The broker's start")

    def start(self, program: str, *command: str, prefix: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start a program (default: `python -m edge PROGRAM`) with its output in PROGRAM.log.

        `prefix` stands before the interpreter: `ip netns exec …`, for one.
        """
        if not command:
            command = ("-m", "edge", program, "--config", str(self.directory / "edge.toml"))
        environment = dict(os.environ)
        if self.notified is not None:
            environment["NOTIFY_SOCKET"] = self.notified(program)
        with open(self.directory / f"{program}.log", "ab") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes[program] = process
        return process

    def log_of(self, program: str) -> str:
        return (self.directory / f"{program}.log").read_text(errors="replace")

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a signal to a program with all its processes, as systemd does, or to the broker."""
        if program == "broker":
            if self.broker is not None and self.broker.pid is not None:
                os.kill(self.broker.pid, number)
        else:
            process = self.processes[program]
            if process.poll() is None:
                os.killpg(process.pid, number)

    def kill(self, program: str) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(program, signal.SIGKILL)
        if program == "broker":
            if self.broker is not None:
                self.broker.stop()
        else:
            self.processes[program].wait()

    def session(self, device: str, deliver: Callable[[Delivery], None], **more: object) -> Session:
        """A connection with a device's identity, not started."""
        credentials = Credentials.in_directory(self.directory / "devices" / device)
        broker = self.config.broker
        name = str(more.pop("name", device))
        return Session(name, broker.host, broker.port, credentials, deliver, **more)  # type: ignore[arg-type]

    def move_database(self, folder: Path) -> Path:
        """Take the database to another folder, before anything runs; its new path."""
        path = folder / "floorbell.db"
        shutil.move(self.directory / self.config.database, path)
        # A copy is in memory only until somebody asks for more.
        os.sync()
        self.configure(lambda text: text.replace('database = "floorbell.db"', f'database = "{path}"'))
        return path

    def configure(self, change: Callable[[str], str]) -> None:
        """Rewrite edge.toml, before anything runs."""
        path = self.directory / "edge.toml"
        path.write_text(change(path.read_text()))
        self.config = load_config(path)

    def read(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Rows of the store's database."""
        engine = connect(self.config.database_url, write=False)
        try:
            with engine.connect() as conn:
                return [tuple(row) for row in conn.execute(sa.text(query), values)]
        finally:
            engine.dispose()

    def stop(self) -> None:
        """End everything: CONT, TERM, then KILL."""
        for name, process in self.processes.items():
            self.signal(name, signal.SIGCONT)
            if process.poll() is None:
                process.terminate()
        for name, process in self.processes.items():
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                self.kill(name)
        if self.broker is not None:
            self.signal("broker", signal.SIGCONT)
            self.broker.stop()


def wait_for(probe: Callable[[], T], what: str, timeout_s: float = 15.0) -> T:
    """The probe's first true answer; AssertionError that names what did not happen."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout_s:.0f} s.")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
