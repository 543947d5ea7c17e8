"""The web program: the application under gunicorn, one worker process with a thread for every open stream."""

import ctypes
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from edge.config import EdgeConfig
from edge.errors import EdgeError

log = logging.getLogger(__name__)
# Threads for everything of people and programs that are known which is not a stream: with as many threads as
# streams, every page would wait. Whoever is not known has others (edge/serving).
SPARE_THREADS = 32
# Connections beyond those that have a thread: in the anteroom, behind it, or kept for the next request.
_SPARE_CONNECTIONS = 512
STOP_S = 3
# How long the kernel keeps a connection whose other end no longer answers: a phone that left the building.
_SILENT_PEER_MS = 15_000
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h


def run_web(config: EdgeConfig, dress: Callable[[Any], None] | None = None, open_room: str = "") -> int:
    """Serve until SIGTERM. 1 with one sentence if the port is taken or the database cannot be used.

    `dress` gets the application in the process that serves it: the demo puts its own page in front. What is
    asked for below `open_room` takes threads of those that are known, whoever asks.
    """
    try:
        listener = _listen(config.web.host, config.web.port)
    except OSError as error:
        print(
            f"The address {config.web.host}:{config.web.port} cannot be used: {error.strerror}. "
            "Stop what uses it, or set another web.port in edge.toml.",
            file=sys.stderr,
        )
        return 1
    if not _checked(config):
        return 1
    return _serve(config, listener, dress, open_room)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit these two (tcp(7)).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_PEER_MS)
        listener.bind((host, port))
        listener.listen(256)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def _checked(config: EdgeConfig) -> bool:
    """Whether the database and the identity are fit, tried in a process of its own.

    The process that stays only watches the worker; it need not carry what the check imports.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    status = 1
    try:
        _check(config)
        status = 0
    except Exception as error:
        # An EdgeError's sentence is enough; whatever else it is must not leave the child by another way.
        print(error if _is_ours(error) else f"The web program cannot start: {error!r}.", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def _check(config: EdgeConfig) -> None:
    from pathlib import Path

    from edge.db.engine import check_version, connect
    from edge.people.factors import KEY_NAME
    from edge.web.secret import secret_key
    from edge.web.wake import BrokerWake

    engine = connect(config.database_url, write=False)
    check_version(engine)
    engine.dispose()
    secret_key(Path(config.directory))
    secret_key(Path(config.directory), KEY_NAME)
    BrokerWake(config, lambda: None)
    if config.web.tls != "proxy":
        from edge.tls import Listening

        Listening(config)
    if config.web.trust_port is not None:
        from edge.web.trust import pieces

        pieces(config)


def _is_ours(error: Exception) -> bool:
    from broker.errors import BrokerError

    return isinstance(error, EdgeError | BrokerError)


def _serve(
    config: EdgeConfig, listener: socket.socket, dress: Callable[[Any], None] | None, open_room: str
) -> int:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    from edge.living import take_notify_socket
    from edge.serving.head import Head
    from edge.serving.worker import PatientWorker
    from edge.serving_log import ServingLog

    class StreamingWorker(PatientWorker):
        """Streams never end by themselves, so a stop ends them first."""

        proxies = config.web.proxies

        def knows(self, head: Head) -> bool:
            known: bool = self.wsgi.extensions["floorbell"].regulars.knows(head)
            return known or bool(open_room and head.target.startswith(open_room))

        def tell(self, refused: dict[str, int]) -> None:
            from edge.web.denials import turned_away

            super().tell(refused)
            turned_away(self.wsgi.extensions["floorbell"], refused)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            services = self.wsgi.extensions["floorbell"]
            services.hub.end_streams()
            super().handle_exit(sig, frame)

    class Web(BaseApplication):
        def load_config(self) -> None:
            streams = config.web.streams
            for name, value in _tls(config).items():
                self.cfg.set(name, value)
            for name, value in {
                "bind": f"fd://{listener.fileno()}",
                "worker_class": StreamingWorker,
                "workers": 1,
                "threads": streams + SPARE_THREADS,
                "worker_connections": streams + SPARE_THREADS + _SPARE_CONNECTIONS,
                "keepalive": 15,
                "timeout": 30,
                "graceful_timeout": STOP_S,
                "limit_request_line": 4094,
                "limit_request_fields": 50,
                "proc_name": "floorbell-web",
                "loglevel": "warning",
                "logger_class": ServingLog,
                "control_socket_disable": True,
                "post_fork": take_notify_socket(),
                "worker_exit": _stop,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            app = _application(config)
            if dress is not None:
                dress(app)
            return app

    try:
        Web().run()
    except SystemExit as end:
        return int(end.code or 0) if not isinstance(end.code, str) else 1
    return 0


def _tls(config: EdgeConfig) -> dict[str, Any]:
    """What gunicorn is told where no proxy speaks TLS for it."""
    if config.web.tls == "proxy":
        return {}
    from edge.tls import Listening

    listening = Listening(config)
    names = {"certfile": str(listening.certificate), "keyfile": str(listening.key)}
    return {**names, "ssl_context": listening.context}


def _return_memory() -> None:
    """Make glibc give back what each PIN check takes (19 MiB), instead of keeping that much per thread.

    Without it the process stood at 228 MB after 24 sign-ins, with it at 70 MB. See mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)
        mallopt(_M_ARENA_MAX, 2)


def _application(config: EdgeConfig) -> Any:
    """Made in the worker process: threads do not survive a fork."""
    _return_memory()
    # As in the worker's loop: a tap must not wait 5 ms for each of its statements beside other threads.
    sys.setswitchinterval(0.0002)
    from edge import create_app
    from edge.web.wake import BrokerWake

    app = create_app(config)
    services = app.extensions["floorbell"]
    services.start(BrokerWake(config, services.hub.notify))
    app.extensions["trust"] = trust_door(config)
    return app


def trust_door(config: EdgeConfig) -> Any:
    """The page by which phones come to trust the others, which go on without it; None where there is none."""
    if config.web.trust_port is None:
        return None
    from broker.errors import BrokerError
    from edge.web.trust import TrustDoor

    try:
        door = TrustDoor(config)
    except (EdgeError, BrokerError) as error:
        log.warning("The pages go on without the one for new phones: %s", error)
        return None
    door.start()
    return door


def _stop(_server: Any, worker: Any) -> None:
    """Bounded: an errand that hangs must not hold up the stop."""
    if (door := worker.wsgi.extensions.get("trust")) is not None:
        door.stop()
    stopping = threading.Thread(target=worker.wsgi.extensions["floorbell"].stop, daemon=True)
    stopping.start()
    stopping.join(STOP_S)
