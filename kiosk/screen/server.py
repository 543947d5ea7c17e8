"""A small HTTP server with a thread per connection, on loopback and nowhere else."""

import logging
import socketserver
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

from kiosk.errors import KioskError

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_SLOW_S = 10.0


class _Handler(WSGIRequestHandler):
    timeout = _SLOW_S

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def address_string(self) -> str:
        return str(self.client_address[0])


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """Serves one application; `tick` is called by its loop, every half second or oftener. KioskError says
    which port is taken."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, port: int, app: Flask | None = None, tick: Callable[[], None] = lambda: None) -> None:
        self._tick = tick
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise KioskError(
                f"The screen's port {port} cannot be used: {error.strerror}; "
                "end what uses it, or choose another with --port."
            ) from None
        if app is not None:
            self.set_app(app)

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser on this machine puts into its Host header."""
        return frozenset(f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost"))

    def service_actions(self) -> None:
        self._tick()

    def server_bind(self) -> None:
        """As its parent, but without asking the name service who 127.0.0.1 is."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of its stream is everyday."""
        log.debug("A connection ended early.", exc_info=True)
