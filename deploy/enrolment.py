"""The window through which one kiosk is let in (decisions/001): open while somebody stands at the server.

    GET  /ca.crt        the CA's certificate, which the kiosk holds against its code
    POST /invitation    {secret}: what the kiosk is to be called
    POST /enrol         {secret, request}: its certificate

Refusals are one sentence. After the first certificate the window is shut.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from broker.errors import BrokerError
from broker.invitation import MAX_BYTES, Door
from deploy.errors import DeployError
from edge.errors import EdgeError

# For one visitor to say what it wants.
PATIENCE_S = 10.0
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Invited:
    """What a kiosk that knows the secret is told."""

    store: str
    device: str
    zone: str
    port: int


class Window:
    """Listens at `host`:`port` with the server's certificate in `identity`. `sign` makes a certificate (PEM)
    of a kiosk's request and writes down that it is let in; its errors are told to the kiosk."""

    def __init__(
        self,
        identity: Path,
        host: str,
        port: int,
        door: Door,
        invited: Invited,
        sign: Callable[[str], str],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ca = (identity / "ca.crt").read_bytes()
        self._door, self._invited, self._sign, self._say, self._clock = door, invited, sign, say, clock
        self._lock = threading.Lock()
        self.shut = threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(identity / "tls.crt", identity / "tls.key")
        window = self

        class Visitor(_Visitor):
            def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
                return window.answer(method, path, body, self.client_address[0])

            def finish(self) -> None:
                super().finish()
                # Only now has the kiosk its certificate.
                if door.used:
                    window.shut.set()

        try:
            self._server = _Server((host, port), Visitor)
        except OSError as error:
            raise DeployError(f"Port {port} cannot be listened at: {error.strerror}.") from None
        self._server.context = context
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def wait(self) -> bool:
        """Serve until a kiosk was let in or nobody can be any more; whether one was."""
        thread = threading.Thread(target=self._server.serve_forever, name="enrolment", daemon=True)
        thread.start()
        try:
            while not self.shut.wait(LOOK_S):
                with self._lock:
                    if not self._door.used and self._door.shut(self._clock()):
                        break
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(PATIENCE_S)
        return self._door.used

    def answer(self, method: str, path: str, body: bytes, peer: str) -> tuple[int, bytes]:
        """Status and body for one visitor."""
        if (method, path) == ("GET", "/ca.crt"):
            return 200, self._ca
        if method != "POST" or path not in ("/invitation", "/enrol"):
            return 404, b"There is nothing here.\n"
        try:
            said = json.loads(body)
            secret, request = str(said["secret"]), str(said.get("request", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return 400, b"This is not what a kiosk says.\n"
        with self._lock:
            if (against := self._door.against(secret, self._clock())) is not None:
                self._say(f"{peer} was refused: {against}")
                return 403, f"{against}\n".encode()
            if path == "/invitation":
                told = self._invited
                words = {"store": told.store, "device": told.device, "zone": told.zone, "port": told.port}
                return 200, json.dumps(words).encode()
            try:
                certificate = self._sign(request)
            except (BrokerError, EdgeError, DeployError) as error:
                self._say(f"{peer} was refused: {error}")
                return 400, f"{error}\n".encode()
            self._door.used = True
            self._say(f"{self._invited.device} was let in from {peer}.")
            return 200, json.dumps({"certificate": certificate}).encode()


class _Server(ThreadingHTTPServer):
    """The handshake is the visitor's thread's: one who only connects holds up nobody."""

    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(PATIENCE_S)
        try:
            with self.context.wrap_socket(request, server_side=True) as line:
                super().finish_request(line, client_address)
        except OSError:
            # Whoever spoke no TLS, or went away, is told nothing.
            return


class _Visitor(BaseHTTPRequestHandler):
    """Reads one request of limited size."""

    timeout = PATIENCE_S

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._reply(*self.answer("GET", self.path, b""))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BYTES:
            self._reply(413, b"This is more than a kiosk says.\n")
            return
        self._reply(*self.answer("POST", self.path, self.rfile.read(int(length))))

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _reply(self, status: int, body: bytes) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
