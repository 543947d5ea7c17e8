"""Sends one signed message to a webhook, once, within a time that nothing can stretch (webhook.md)."""

import base64
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from edge.errors import EdgeError
from edge.messenger import addresses
from edge.messenger.addresses import Lookup
from edge.messenger.files import Endpoint
from edge.outside.rules import Outcome, outcome_of
from edge.outside.store import Ended

MAX_REPLY_BYTES = 64 * 1024
# As many addresses of one name are tried, in the order in which they were found.
MAX_ADDRESSES = 4


def signature(key: bytes, id_: str, at_s: int, body: bytes) -> str:
    """As the Standard Webhooks specification has it: HMAC-SHA256 over id, time and body."""
    signed = f"{id_}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_for(key: bytes, id_: str, at_s: int, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Floorbell",
        "Connection": "close",
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(key, id_, at_s, body),
    }


def send(
    endpoint: Endpoint,
    id_: str,
    body: bytes,
    now: datetime,
    *,
    within_s: float,
    private: bool,
    certificate: str | None = None,
    find: Lookup = addresses.lookup,
) -> Ended:
    """One try, and how it went. `certificate`: a PEM file with the only CAs that count."""
    line = _Line(within_s)
    try:
        found = addresses.choose(endpoint.host, endpoint.port, private=private, find=find)
        connection = line.connect(endpoint, found[:MAX_ADDRESSES], certificate)
    except EdgeError as error:
        line.close()
        return Ended(Outcome.FAILED, str(error))
    except ssl.SSLCertVerificationError as error:
        line.close()
        return Ended(Outcome.FAILED, f"The receiver's certificate is not valid: {error.verify_message}.")
    except (OSError, ValueError) as error:
        line.close()
        said = getattr(error, "strerror", None) or type(error).__name__
        late = line.late or isinstance(error, TimeoutError)
        why = f"no connection within {within_s:g} seconds" if late else said
        return Ended(Outcome.FAILED, f"The receiver cannot be reached: {why}.")
    try:
        heads = headers_for(endpoint.key, id_, int(now.timestamp()), body)
        connection.request("POST", endpoint.path, body, heads)
        response = connection.getresponse()
        promised = response.length
        body_came = response.read(MAX_REPLY_BYTES)
        if promised is not None and len(body_came) < min(promised, MAX_REPLY_BYTES):
            # An answer that breaks off is none.
            raise http.client.IncompleteRead(body_came)
        if line.late:
            return _silent(within_s)
        return _answered(response, now)
    except http.client.HTTPException as error:
        if line.late:
            return _silent(within_s)
        broken = isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected)
        what = "The receiver hung up before its answer was whole" if broken else "The answer is no HTTP"
        return Ended(Outcome.UNKNOWN, f"{what}; whether it took the message is not known.")
    except (OSError, ValueError) as error:
        if line.late or isinstance(error, TimeoutError):
            return _silent(within_s)
        said = getattr(error, "strerror", None) or type(error).__name__
        return Ended(
            Outcome.UNKNOWN, f"The connection broke ({said}); whether the receiver took it is not known."
        )
    finally:
        line.close()


def _answered(response: http.client.HTTPResponse, now: datetime) -> Ended:
    status = response.status
    outcome = outcome_of(status)
    said = f"{status} {''.join(c for c in response.reason if c.isprintable())[:60]}".strip()
    if outcome is Outcome.ACCEPTED:
        return Ended(outcome, f"The receiver took it ({said}).")
    if 300 <= status < 400:
        return Ended(outcome, f"The receiver answered {said}, a redirect; none is followed.")
    if outcome is Outcome.REFUSED:
        return Ended(outcome, f"The receiver refuses this message for good ({said}).")
    return Ended(outcome, f"The receiver did not take it ({said}).", _asked(response, now))


def _asked(response: http.client.HTTPResponse, now: datetime) -> float | None:
    """Retry-After, in seconds or as a date (RFC 9110, 10.2.3)."""
    text = (response.getheader("Retry-After") or "").strip()[:40]
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def _silent(within_s: float) -> Ended:
    return Ended(
        Outcome.UNKNOWN,
        f"The receiver did not answer within {within_s:g} seconds; whether it took the message is not known.",
    )


class _Line:
    """A connection that is cut once its time is over: a socket's own limits are of single reads, and an
    answer that drips would last for ever."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._late = threading.Event()
        self._sockets: list[socket.socket] = []
        self._connection: http.client.HTTPConnection | None = None
        self._watch = threading.Timer(within_s, self._cut)
        self._watch.name, self._watch.daemon = "outside-cut", True
        self._watch.start()

    @property
    def late(self) -> bool:
        return self._late.is_set()

    def connect(
        self, endpoint: Endpoint, found: list[str], certificate: str | None
    ) -> http.client.HTTPConnection:
        """To the first address that answers. The name is not looked up again."""
        raw = self._reach(endpoint, found)
        self._sockets.append(raw)
        if endpoint.scheme == "https":
            context = ssl.create_default_context(cafile=certificate)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            secured = context.wrap_socket(raw, server_hostname=endpoint.host, do_handshake_on_connect=False)
            self._sockets.append(secured)
            secured.do_handshake()
            raw = secured
        if self.late:
            raise TimeoutError
        kind = http.client.HTTPSConnection if endpoint.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(endpoint.host, endpoint.port, timeout=self._within_s)
        self._connection.sock = raw
        # It would connect by itself, by name, if the socket were lost.
        self._connection.auto_open = 0
        return self._connection

    def close(self) -> None:
        self._watch.cancel()
        if self._connection is not None:
            self._connection.close()
        for one in self._sockets:
            one.close()

    def _reach(self, endpoint: Endpoint, found: list[str]) -> socket.socket:
        last: OSError = TimeoutError()
        for address in found:
            if self.late:
                break
            try:
                return socket.create_connection((address, endpoint.port), self._within_s / len(found))
            except OSError as error:
                last = error
        raise last

    def _cut(self) -> None:
        self._late.set()
        for one in list(self._sockets):
            try:
                # Not TLS's own, which would take the connection from under the thread that reads.
                socket.socket.shutdown(one, socket.SHUT_RDWR)
            except OSError:
                continue
