"""Mosquitto: the configuration that we render, and a private broker run from it without root.

Access is by suffix (decisions/001): a device's name is its certificate's, which Mosquitto puts for %u.
"""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from broker import anchors, revocation, secrecy
from broker.brokerlog import BrokerLog
from broker.cutting import Cutter, take_over
from broker.errors import BrokerStartError
from broker.strangers import Strangers
from broker.topics import ROOT, check_name

# Above the contract's 8 KiB, so that an oversize event reaches the server and is refused there with a reason.
MAX_PACKET_BYTES = 64 * 1024


@dataclass(frozen=True)
class Settings:
    """What a rendered broker listens on and how much it carries. `directory` holds ca/ and broker/."""

    store: str
    directory: Path
    host: str = "127.0.0.1"
    port: int = 8883
    user: str | None = None
    max_connections: int = 500
    max_inflight: int = 1000
    max_queued: int = 20_000
    max_queued_bytes: int = 64 * 1024 * 1024


def render(settings: Settings, revoked: Collection[str] = (), *, with_list: bool = False) -> tuple[str, str]:
    """(mosquitto.conf, the access list it names). The one listener speaks MQTT over mutual TLS.

    `revoked` names may do nothing; `with_list` the CAs' lists of revoked certificates count.
    """
    check_name(settings.store, "The store's name")
    directory = settings.directory.resolve()
    lines = [
        "# Written by 'floorbell broker render'; changes here are lost.",
        "per_listener_settings false",
        *([f"user {settings.user}"] if settings.user else []),
        "persistence false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "log_type information",
        "log_type subscribe",
        "log_type debug",
        "connection_messages true",
        f"acl_file {directory}/broker/access.acl",
        "allow_anonymous false",
        "allow_zero_length_clientid false",
        "set_tcp_nodelay true",
        f"max_inflight_messages {settings.max_inflight}",
        f"max_queued_messages {settings.max_queued}",
        f"max_queued_bytes {settings.max_queued_bytes}",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_keepalive 60",
        "queue_qos0_messages false",
        f"listener {settings.port} {settings.host}",
        "protocol mqtt",
        f"max_connections {settings.max_connections}",
        f"cafile {directory}/broker/clients.crt",
        f"certfile {directory}/broker/tls.crt",
        f"keyfile {directory}/broker/tls.key",
        *([f"crlfile {directory}/broker/clients.crl"] if with_list else []),
        "require_certificate true",
        "use_identity_as_username true",
        "tls_version tlsv1.2",
    ]
    return "\n".join(lines) + "\n", _access(settings.store, revoked)


def _access(store: str, revoked: Collection[str]) -> str:
    base = f"{ROOT}/{store}"
    device_writes = ("event/+", "state", "heartbeat", "witness")
    device_reads = ("receipt", "call", "command", "witness")
    worker_reads = [f"{base}/+/{suffix}" for suffix in device_writes] + [f"{base}/edge/state"]
    worker_writes = [f"{base}/+/{suffix}" for suffix in device_reads]
    worker_writes += [f"{base}/edge/state", f"{base}/edge/heartbeat", f"{base}/feed", f"{base}/pager/+/page"]
    lines = [
        *(f"pattern write {base}/%u/{suffix}" for suffix in device_writes),
        *(f"pattern read {base}/%u/{suffix}" for suffix in device_reads),
        f"pattern read {base}/edge/state",
        f"pattern read {base}/edge/heartbeat",
        f"pattern read {base}/pager/%u/page",
        "",
        "user edge-worker",
        *(f"topic read {topic}" for topic in worker_reads),
        *(f"topic write {topic}" for topic in worker_writes),
        "",
        "user edge-web",
        f"topic read {base}/feed",
        f"topic read {base}/edge/heartbeat",
        # What a name is denied counts before what every name may do.
        *(line for name in sorted(revoked) for line in ("", f"user {name}", "topic deny #")),
    ]
    return "\n".join(lines) + "\n"


def write(settings: Settings) -> Path:
    """Render into settings.directory/broker and return the configuration's path."""
    secrecy.check(settings.directory / "broker" / "tls.key")
    revoked = revocation.turned_away(settings.directory)
    _, lists = anchors.write_for_broker(settings.directory)
    configuration, access = render(settings, revoked, with_list=lists is not None)
    folder = settings.directory / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "access.acl").write_text(access)
    (folder / "access.acl").chmod(0o600)
    path = folder / "mosquitto.conf"
    path.write_text(configuration)
    return path


def free_port() -> int:
    """A TCP port that is free on loopback now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Broker:
    """A private Mosquitto as a child process, and what keeps revoked devices off it. `say` gets each line
    worth a person's reading."""

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda line: None) -> None:
        self.settings = settings
        self._say = say
        self._recent: deque[str] = deque(maxlen=20)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._cutter: Cutter | None = None
        self._strangers: Strangers | None = None
        self._changing = threading.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, timeout_s: float = 10.0) -> None:
        """Start and wait until it listens. BrokerStartError says what is missing."""
        self._let_stand()
        settings = self.settings
        self._strangers = Strangers(lambda: self.pid, settings.port, self._say, time.monotonic)
        self._cutter = Cutter(
            settings.directory,
            self._reload,
            self._restart,
            lambda client: take_over(settings.directory, settings.host, settings.port, client),
            self._say,
        )
        self._launch(timeout_s)
        self._cutter.start()
        self._strangers.start()

    def wait(self) -> int:
        """Block until it ends; its exit status."""
        while (process := self._process) is not None:
            status = process.wait()
            with self._changing:
                if self._process is process:
                    return status
        return 0

    def stop(self, timeout_s: float = 5.0) -> None:
        """End it: TERM, then KILL. May be called twice."""
        self._let_stand()
        with self._changing:
            self._end(timeout_s)

    def _let_stand(self) -> None:
        """Nobody is cut any more."""
        if self._cutter:
            self._cutter.stop()
        if self._strangers:
            self._strangers.stop()

    def _launch(self, timeout_s: float) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise BrokerStartError("Mosquitto is not installed; on Debian: apt-get install mosquitto.")
        path = write(self.settings)
        self._process = subprocess.Popen(
            [program, "-c", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), name="broker-log", daemon=True
        )
        self._reader.start()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._reader.join(1)
                raise BrokerStartError(f"Mosquitto ended at once: {' | '.join(self._recent) or 'no output'}.")
            try:
                socket.create_connection((self.settings.host, self.settings.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self._end()
        raise BrokerStartError(f"Mosquitto does not listen on {self.settings.host}:{self.settings.port}.")

    def _end(self, timeout_s: float = 5.0) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._reader:
            self._reader.join(1)

    def _reload(self, revoked: frozenset[str]) -> None:
        # In place: the file keeps its owner, whom Mosquitto may have changed to.
        (self.settings.directory / "broker" / "access.acl").write_text(render(self.settings, revoked)[1])
        anchors.write_for_broker(self.settings.directory)
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGHUP)

    def _restart(self) -> None:
        with self._changing:
            self._end()
            try:
                self._launch(10.0)
            except BrokerStartError as error:
                # Whoever waits for it hears that it ended.
                self._say(str(error))

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None and self._cutter is not None
        assert self._strangers is not None
        log = BrokerLog(self.settings.store, self._cutter.connected, self._strangers.heard)
        for raw in process.stderr:
            if (line := log.worth_saying(raw)) is not None:
                self._recent.append(line)
                self._say(line)
