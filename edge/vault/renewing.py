"""Devices' next certificates, at the vault's door, and the list of those that count no more.

The vault holds the renewals' key because devices come here over mutual TLS anyway, and because no page and no
press waits for it.
"""

import logging
import re
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from broker import anchors, renewals, revocation
from broker.authority import Authority, fingerprint
from broker.errors import BrokerError
from broker.identity import Certificate, Request, issue, read_request, shown
from edge.db.writer import Writer
from edge.devices import certificates
from edge.errors import EdgeError, NotFound
from edge.handling import renewing
from edge.handling.renewing import Refusal
from edge.vault.arrivals import Peer, Revoked

log = logging.getLogger(__name__)
EVERY_S = 2.0
MAX_REQUEST_BYTES = 16 * 1024
_TRUSTS = re.compile(r"(?:[0-9a-f]{64},?){0,4}")


class Renewing:
    """See the module. Its thread keeps the lists; the rest is for the door's threads."""

    def __init__(
        self,
        store: str,
        identity: Path,
        writer: Writer,
        read: Callable[[], AbstractContextManager[sa.Connection]],
        clock: Callable[[], datetime],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._identity, self._writer, self._read = store, identity, writer, read
        self._clock, self._told = clock, told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vault-renewing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def look(self, peer: Peer, trusts: str) -> dict[str, object]:
        """What a device is told that says which CAs it trusts. Revoked, with a sentence, for who is not let
        in."""
        key, now = self._key(), self._clock()
        issuer = fingerprint(key.certificate)
        said = trusts if _TRUSTS.fullmatch(trusts) else ""
        self._adopt(peer, now)
        asked = (self._store, peer.name, peer.serial, said, issuer, now)
        # An hourly question is mostly no more than that: it takes no turn of those who write.
        with self._read() as conn:
            looked = renewing.look(conn, *asked, writing=False)
        if looked is None:
            looked = self._writer.run(lambda conn: renewing.look(conn, *asked))
            self._told()
        assert looked is not None
        if isinstance(looked, Refusal):
            raise Revoked(looked.sentence)
        return {"due": looked.due, "trust": anchors.for_devices(self._identity)}

    def _adopt(self, peer: Peer, now: datetime) -> None:
        with self._read() as conn:
            known = certificates.find(conn, self._store, peer.serial) is not None
        der = peer.der
        if known or der is None:
            return

        def register(signing_key: str | None) -> Certificate | None:
            for folder in (renewals.FOLDER, renewals.BEFORE):
                if (key := renewals.opened(self._identity, folder)) is None:
                    continue
                found = shown(der, key, signing_key)
                # A backup may be older than a revocation; the list is not.
                if found is not None and found.name == peer.name:
                    revoked = found.serial in revocation.revoked_serials(self._identity, folder)
                    return None if revoked else found
            return None

        self._writer.run(lambda conn: renewing.adopt(conn, self._store, peer.name, register, now))

    def renew(self, peer: Peer, request: str) -> str:
        """The next certificate (PEM). Revoked with a sentence for who may not have one."""
        key, now = self._key(), self._clock()
        issuer = fingerprint(key.certificate)
        try:
            wanted = read_request(request, peer.name)
        except BrokerError as error:
            raise EdgeError(str(error)) from None

        def sign(wanted: Request, now: datetime) -> tuple[str, Certificate]:
            return issue(key, wanted, now, now + renewals.LASTING)

        answer = self._writer.run(
            lambda conn: renewing.renew(conn, self._store, peer.name, peer.serial, wanted, issuer, sign, now)
        )
        self._told()
        if isinstance(answer, Refusal):
            log.warning("%s", answer.sentence)
            raise Revoked(answer.sentence)
        return answer

    def keep_lists(self) -> None:
        """Put what is revoked on the lists of the renewals' keys: the broker refuses it from then on."""
        with self._read() as conn:
            serials = certificates.revoked_serials(conn, self._store)
        renewals.keep_lists(self._identity, serials, self._clock())

    def _key(self) -> Authority:
        if (key := renewals.opened(self._identity)) is None:
            raise NotFound("This store renews no certificates yet; 'floorbell ca sign-list' lets it begin.")
        return key

    def _run(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                self.keep_lists()
                said = ""
            except (BrokerError, EdgeError, OSError, sa.exc.SQLAlchemyError) as error:
                if str(error) != said:
                    log.warning("The list of revoked certificates could not be kept: %s", error)
                said = str(error)
            self._stop.wait(EVERY_S)
