"""What a phone opens before it trusts the store: over plain HTTP, on a port of its own, a page that says how,
and the CA's certificate in the forms that phones take. Nothing here knows anybody or changes anything.

Whoever stands between phone and server could put another certificate in its place: so the page tells to hold
the fingerprint against the one that `floorbell ca qr` prints.
"""

import logging
import plistlib
import ssl
import threading
import uuid
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from edge import headers
from edge.config import EdgeConfig
from edge.errors import EdgeError

log = logging.getLogger(__name__)
PATIENCE_S = 10.0
# Visitors at a time; one more is hung up on.
AT_ONCE = 16
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_CSS = ("tokens.css", "base.css", "trust.css")
_HERE = Path(__file__).parent
CA, PROFILE, PAGE = "/floorbell-ca.crt", "/floorbell.mobileconfig", "/trust"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to fetch; with a `name`, to be saved as that."""

    kind: str
    body: bytes
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where phones find the pages, and what they need to trust them; the fingerprint to compare."""

    pages: str
    trust: str | None
    names: tuple[str, ...]
    fingerprint: str


def fingerprint(pem: str) -> str:
    """The SHA-256 of a certificate as phones write it: AB:CD:…"""
    digest = sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def addresses(config: EdgeConfig) -> Addresses:
    """EdgeError or IdentityError if this store has no CA for phones."""
    # Only here: the library costs memory.
    from broker import phones

    path = phones.ca_path(config.identity_path)
    names = tuple(phones.names(config.identity_path))
    if not names:
        raise EdgeError("This store has no CA for phones; make one with 'floorbell ca phones'.")
    web, host = config.web, f"[{names[0]}]" if ":" in names[0] else names[0]
    pages = f"https://{host}" + ("" if web.port == 443 else f":{web.port}")
    port = "" if web.trust_port == 80 else f":{web.trust_port}"
    trust = None if web.trust_port is None else f"http://{host}{port}{PAGE}"
    return Addresses(f"{pages}/", trust, names, fingerprint(path.read_text()))


def pieces(config: EdgeConfig) -> dict[str, Piece]:
    """Everything that is served, by its path. Errors as addresses()."""
    from broker import phones

    told = addresses(config)
    der = ssl.PEM_cert_to_DER_cert(phones.ca_path(config.identity_path).read_text())
    jinja = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    digits = told.fingerprint.split(":")
    page = jinja.get_template("trust/page.html").render(
        title=config.title,
        told=told,
        groups=[":".join(digits[at : at + 8]) for at in range(0, len(digits), 8)],
        ca=CA,
        profile=PROFILE,
    )
    found = {
        PAGE: Piece("text/html; charset=utf-8", page.encode()),
        CA: Piece("application/x-x509-ca-cert", der, "floorbell-ca.crt"),
        PROFILE: Piece("application/x-apple-aspen-config", _profile(config, der), "floorbell.mobileconfig"),
    }
    for name in _CSS:
        found[f"/{name}"] = Piece("text/css; charset=utf-8", (_HERE / "static/css" / name).read_bytes())
    return found


def _profile(config: EdgeConfig, der: bytes) -> bytes:
    """A configuration profile for iPhone, iPad and Mac with this CA in it (Apple, Device Management)."""
    digest = sha256(der).hexdigest()
    own, inner = (str(uuid.uuid5(uuid.NAMESPACE_OID, f"floorbell {what} {digest}")) for what in ("a", "b"))
    name = f"Floorbell {config.title}"
    return plistlib.dumps(
        {
            "PayloadContent": [
                {
                    "PayloadCertificateFileName": "floorbell-ca.crt",
                    "PayloadContent": der,
                    "PayloadDisplayName": name,
                    "PayloadIdentifier": f"floorbell.{config.store}.ca",
                    "PayloadType": "com.apple.security.root",
                    "PayloadUUID": inner,
                    "PayloadVersion": 1,
                }
            ],
            "PayloadDescription": "Lets this phone open the pages of this store, and of no other place.",
            "PayloadDisplayName": name,
            "PayloadIdentifier": f"floorbell.{config.store}",
            "PayloadType": "Configuration",
            "PayloadUUID": own,
            "PayloadVersion": 1,
        }
    )


class TrustDoor:
    """Serves the pieces until stop(). EdgeError if the port is taken or there is nothing to serve."""

    def __init__(self, config: EdgeConfig, port: int | None = None) -> None:
        port = config.web.trust_port if port is None else port
        assert port is not None
        served = pieces(config)

        class Visitor(_Visitor):
            def found(self, path: str) -> Piece | None:
                return served.get(PAGE if path in ("/", "") else path)

        try:
            self._server = _Server((config.web.host, port), Visitor)
        except OSError as error:
            raise EdgeError(
                f"Port {port} (web.trust_port) cannot be listened at: {error.strerror}."
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="trust", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """May be called twice."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, at: tuple[str, int], visitor: type[BaseHTTPRequestHandler]) -> None:
        self._room = threading.BoundedSemaphore(AT_ONCE)
        super().__init__(at, visitor)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        # From its thread: it ends also when the visitor goes away.
        timer = threading.Timer(PATIENCE_S, self.shutdown_request, (request,))
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("A visitor at web.trust_port went away.")


class _Visitor(BaseHTTPRequestHandler):
    timeout = PATIENCE_S

    def found(self, path: str) -> Piece | None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def version_string(self) -> str:
        return "Floorbell"

    def log_message(self, format: str, *args: Any) -> None:
        return

    def _answer(self, *, with_body: bool) -> None:
        self.close_connection = True
        piece = self.found(self.path.partition("?")[0])
        self.send_response(200 if piece is not None else 404)
        piece = piece or Piece("text/plain; charset=utf-8", f"There is nothing here; open {PAGE}.\n".encode())
        self.send_header("Content-Type", piece.kind)
        self.send_header("Content-Length", str(len(piece.body)))
        if piece.name is not None:
            self.send_header("Content-Disposition", f'attachment; filename="{piece.name}"')
        for name, value in {**headers.bare(), "Content-Security-Policy": _POLICY}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(piece.body)
