"""The vault's door as edge/vault/application.py describes it, with faults on order; a kiosk's identity."""

import ssl
import threading
from collections import defaultdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

from broker import identity
from broker.messages import Upload


def identities(folder: Path, device: str = "kiosk-1") -> tuple[Path, Path]:
    """A new store's folder of identities, and the device's."""
    now = datetime.now(UTC)
    store, mine = folder / "store", folder / device
    identity.make_store(store, "shop", ["127.0.0.1"], now)
    request = identity.make_request(mine, device)
    pem, ca, _ = identity.sign_request(store, request, device, now)
    identity.install_certificate(mine, pem, ca)
    return store, mine


class FakeVault:
    """`asked` is every request; `breaks_at` hangs up once so much of a clip is here; `refuses` answers a clip
    with a status and a sentence; `only` is the one good ticket."""

    def __init__(self, store: Path) -> None:
        self.video: dict[UUID, bytearray] = defaultdict(bytearray)
        self.manifest: dict[UUID, bytes] = {}
        self.told: dict[UUID, int] = {}
        self.sealed: list[UUID] = []
        self.asked: list[tuple[str, UUID, int]] = []
        self.breaks_at: int | None = None
        self.refuses: dict[UUID, tuple[int, str]] = {}
        self.only: str | None = None
        self.after_piece = lambda clip: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._server.daemon_threads = True
        # Whoever hangs up at the handshake is what some tests are about.
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(store / "vault" / "tls.crt", store / "vault" / "tls.key")
        context.load_verify_locations(store / "ca" / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def ticket(self, clip: UUID, secret: str = "a", host: str = "127.0.0.1") -> Upload:
        return Upload(clip, f"https://{host}:{self._server.server_port}/clip/{clip}", secret)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _door(vault: FakeVault) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            clip = self._begin()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self._refused(clip):
                vault.manifest[clip] = body
                self._here(clip)

        def do_HEAD(self) -> None:
            clip = self._begin()
            if not self._refused(clip):
                self._here(clip)

        def do_PATCH(self) -> None:
            clip, here = self._begin(), vault.video[self._clip()]
            left = int(self.headers["Content-Length"])
            assert int(self.headers["Upload-Offset"]) == len(here) and clip in vault.manifest
            while left:
                part = self.rfile.read(min(left, 10_000))
                left -= len(part)
                here += part
                if vault.breaks_at is not None and len(here) >= vault.breaks_at:
                    vault.breaks_at = None
                    self.close_connection = True
                    return
            if len(here) == vault.told[clip]:
                vault.sealed.append(clip)
            vault.after_piece(clip)
            self._here(clip)

        def _clip(self) -> UUID:
            return UUID(self.path.split("/")[2])

        def _begin(self) -> UUID:
            clip = self._clip()
            vault.asked.append((self.command, clip, int(self.headers.get("Upload-Offset", "-1"))))
            return clip

        def _refused(self, clip: UUID) -> bool:
            if vault.only is not None and self.headers["Authorization"] != f"Bearer {vault.only}":
                self._answer(404, b"The ticket is not for it.")
                return True
            if clip not in vault.refuses:
                return False
            status, sentence = vault.refuses[clip]
            self._answer(status, sentence.encode())
            return True

        def _here(self, clip: UUID) -> None:
            more = {"Upload-Offset": str(len(vault.video[clip]))}
            self._answer(204, b"", more | ({"Upload-Complete": "?1"} if clip in vault.sealed else {}))

        def _answer(self, status: int, body: bytes, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (more or {}).items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Door
