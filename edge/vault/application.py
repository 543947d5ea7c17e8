"""The vault's door: a device with its certificate and a ticket brings one clip, in pieces if it must.

    PUT   /clip/{id}/manifest    the manifest's exact bytes; 204
    HEAD  /clip/{id}             Upload-Offset: how many bytes of the video are here
    PATCH /clip/{id}             with Upload-Offset, the video from there on; 204 with the new offset
    GET   /release/{sha256}      a release of the kiosks' program, with Range from where it broke off
    GET   /identity              with Trusts, what the device has; whether its certificate is due, and the
                                 CAs that it is to trust
    POST  /identity/renewal      a request by the key that it wants; its next certificate

Once everything is here and sealed, each answer carries `Upload-Complete: ?1`. Refusals are one sentence.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, Response, jsonify, request, send_file
from werkzeug.exceptions import ClientDisconnected, HTTPException

from broker.manifest import MAX_MANIFEST_BYTES
from broker.signing import load_signer
from edge import headers
from edge.audit.refusals import Refusals
from edge.config import EdgeConfig
from edge.db.engine import connect
from edge.db.writer import Writer
from edge.errors import EdgeError, NotFound, StorageError
from edge.evidence import clips
from edge.evidence.clips import Clip
from edge.evidence.files import VaultFiles
from edge.hint import Hinter
from edge.vault import refusals
from edge.vault.arrivals import Arrivals, NotWhatWasTold, Peer, Revoked, clip_for
from edge.vault.bundles import Bundles
from edge.vault.covering import Covering
from edge.vault.keeping import Keeping
from edge.vault.refusals import TICKETED, VAULT
from edge.vault.releases import NO_RELEASE, release_for
from edge.vault.renewing import MAX_REQUEST_BYTES, Renewing
from edge.vault.stamping import Stamping

CHUNK = 64 * 1024
PeerOf = Callable[[dict[str, Any]], Peer | None]


class Vault:
    """What the program holds; stop() ends it."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], datetime]) -> None:
        self.config, self.clock = config, clock
        self.files = VaultFiles(config.vault_path)
        self.readers = connect(config.database_url, write=False)
        self.writer = Writer(connect(config.database_url, write=True), name="vault-writer")
        self.hinter = Hinter(config.hint_path)
        self.refusals = Refusals(VAULT, config.store, self.writer.run, clock)
        self._keeping: Keeping | None = None
        self._stamping: Stamping | None = None
        self.arrivals = Arrivals(
            config.store, self.files, self.writer, config.retention, clock, self._find, self.hinter.send
        )

        self.renewing = Renewing(
            config.store, config.identity_path, self.writer, self._read, clock, self.hinter.send
        )

    def start(self) -> None:
        """Begin what the vault does by itself. IdentityError without the store's evidence key."""
        store, signer = self.config.store, load_signer(self.config.identity_path / "vault" / "sign.key")
        told, writer = self.hinter.send, self.writer
        bundles = Bundles(store, self.config.title, signer, writer, self._read, self.files, self.clock, told)
        self._keeping = Keeping(
            store,
            signer,
            writer,
            self.files,
            self.config.retention,
            self.clock,
            told,
            bundles,
            Covering(store, writer, self._read, self.files, self.clock),
            self.arrivals.tidy,
        )
        self._keeping.start()
        self.renewing.start()
        self.refusals.start()
        if (wanted := self.config.evidence.stamp) is not None:
            certificate = Path(self.config.directory) / wanted.certificate
            self._stamping = Stamping(store, wanted.url, certificate, writer, self._read, self.clock)
            self._stamping.start()

    def clip(self, clip_id: UUID, peer: Peer, secret: str) -> Clip:
        """NotFound unless this device may bring it with this ticket."""
        with self._read() as conn:
            return clip_for(conn, self.config.store, clip_id, peer, secret, self.clock())

    def release(self, digest: str, peer: Peer, secret: str) -> Path:
        """NotFound unless this device may fetch this release with this ticket."""
        with self._read() as conn:
            return release_for(conn, self.config, digest, peer, secret, self.clock())

    def _find(self, clip_id: str) -> Clip | None:
        with self._read() as conn:
            return clips.find(conn, self.config.store, clip_id)

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        try:
            with self.readers.connect() as conn:
                yield conn
        except sa.exc.DBAPIError as error:
            raise StorageError(f"The database could not be read: {error.orig}.") from None

    def stop(self) -> None:
        if self._stamping is not None:
            self._stamping.stop()
        if self._keeping is not None:
            self._keeping.stop()
        self.renewing.stop()
        self.refusals.stop()
        self.arrivals.close()
        self.writer.close()
        self.hinter.close()
        self.readers.dispose()


def create_vault(
    config: EdgeConfig, peer_of: PeerOf, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Flask:
    """The application. `peer_of` finds the client's certificate in a WSGI environment."""
    app = Flask(__name__, static_folder=None)
    vault = app.extensions["vault"] = Vault(config, clock)

    def clip_here(clip_id: UUID) -> Clip:
        peer = peer_of(request.environ)
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if peer is None or kind.lower() != "bearer":
            raise NotFound("There is no such clip, or the ticket is not for it.")
        return vault.clip(clip_id, peer, secret.strip()[:200])

    def put_manifest(clip_id: UUID) -> Response:
        clip = clip_here(clip_id)
        written = request.stream.read(MAX_MANIFEST_BYTES + 1)
        vault.arrivals.keep_manifest(clip, written)
        return _done(clip, vault.arrivals.offset(clip))

    def head(clip_id: UUID) -> Response:
        clip = clip_here(clip_id)
        return _done(clip, vault.arrivals.offset(clip))

    def patch(clip_id: UUID) -> Response:
        clip = clip_here(clip_id)
        said = request.headers.get("Upload-Offset", "")
        if not (said.isascii() and said.isdigit() and len(said) < 17):
            return _refuse(400, f"Upload-Offset is {said[:20]!r}; it says how many bytes are there already.")
        return _done(clip, vault.arrivals.take(clip, int(said), _chunks()))

    def peer_here() -> Peer:
        if (peer := peer_of(request.environ)) is None:
            raise NotFound("Nobody's certificate was shown.")
        return peer

    def look() -> Response:
        return jsonify(vault.renewing.look(peer_here(), request.headers.get("Trusts", "")))

    def renew() -> Response:
        said = request.stream.read(MAX_REQUEST_BYTES).decode("utf-8", "replace")
        return jsonify(certificate=vault.renewing.renew(peer_here(), said))

    def get_release(digest: str) -> Response:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise NotFound(NO_RELEASE)
        path = vault.release(digest, peer_here(), secret.strip()[:200])
        return send_file(path, "application/octet-stream", conditional=True, etag=False, max_age=0)

    app.add_url_rule("/release/<digest>", "release", get_release, methods=["GET"])
    # HEAD and not GET: no clip is ever read out here.
    app.add_url_rule("/clip/<uuid:clip_id>/manifest", view_func=put_manifest, methods=["PUT"])
    app.add_url_rule("/clip/<uuid:clip_id>", "head", head, methods=["HEAD"])
    app.add_url_rule("/clip/<uuid:clip_id>", "patch", patch, methods=["PATCH"])
    app.add_url_rule("/identity", "look", look, methods=["GET"])
    app.add_url_rule("/identity/renewal", "renew", renew, methods=["POST"])
    _refuse_in_sentences(app)
    _note_refusals(app, vault, peer_of)

    @app.after_request
    def close(response: Response) -> Response:
        response.headers.update(headers.bare())
        return response

    return app


def _chunks() -> Iterator[bytes]:
    while True:
        try:
            chunk = request.stream.read(CHUNK)
        except (ClientDisconnected, OSError):
            # What came counts; the device asks for the offset and goes on.
            return
        if not chunk:
            return
        yield chunk


def _done(clip: Clip, offset: int) -> Response:
    response = Response(status=204)
    response.headers["Upload-Offset"] = str(offset)
    response.headers["Upload-Length"] = str(clip.bytes)
    if offset == clip.bytes:
        response.headers["Upload-Complete"] = "?1"
    return response


def _refuse(status: int, sentence: str) -> Response:
    return Response(f"{sentence}\n", status, mimetype="text/plain")


def _note_refusals(app: Flask, vault: Vault, peer_of: PeerOf) -> None:
    @app.after_request
    def note(response: Response) -> Response:
        endpoint, status, address = request.endpoint or "", response.status_code, request.remote_addr or ""
        if status not in (403, 404, 409) or (peer := peer_of(request.environ)) is None:
            return response
        if status == 403 or (status == 409 and endpoint == "renew"):
            sentence = str(response.get_data(as_text=True)).strip()
            vault.refusals.hear(refusals.of_identity(endpoint, peer.name, sentence, address))
        elif status == 404 and endpoint in TICKETED:
            vault.refusals.hear(refusals.of_ticket(endpoint, peer.name, address))
        return response


def _refuse_in_sentences(app: Flask) -> None:
    @app.errorhandler(NotFound)
    def not_found(error: NotFound) -> Response:
        return _refuse(404, str(error))

    @app.errorhandler(NotWhatWasTold)
    def mismatched(error: NotWhatWasTold) -> Response:
        return _refuse(422, str(error))

    @app.errorhandler(StorageError)
    def full(error: StorageError) -> Response:
        return _refuse(507, str(error))

    @app.errorhandler(Revoked)
    def revoked(error: Revoked) -> Response:
        return _refuse(403, str(error))

    @app.errorhandler(EdgeError)
    def conflict(error: EdgeError) -> Response:
        return _refuse(409, str(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return _refuse(error.code or 500, error.description or error.name)

    @app.errorhandler(Exception)
    def unexpected(_error: Exception) -> Response:
        app.logger.exception("A request to the vault failed.")
        return _refuse(500, "Something went wrong here and was written down.")
