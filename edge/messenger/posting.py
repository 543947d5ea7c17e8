"""One POST to somebody else's server, at an address that was checked, within a fixed time."""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from edge.errors import EdgeError
from edge.messenger import addresses
from edge.messenger.addresses import Lookup

MAX_REPLY_BYTES = 64 * 1024
# As many addresses of one name are tried, in the order in which they were found.
MAX_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class Address:
    """Where to, in parts."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `wait_s`: how long the receiver asks to be left alone (Retry-After)."""

    status: int
    said: str
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class NoReply:
    """There was no answer. `sent`: it may have arrived all the same."""

    sent: bool
    words: str


def post(
    address: Address,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    within_s: float,
    private: bool,
    certificate: str | None = None,
    find: Lookup = addresses.lookup,
) -> Reply | NoReply:
    """Ask once. No redirect is followed. `certificate`: a PEM file with the only CAs that count."""
    line = _Line(within_s)
    try:
        found = addresses.choose(address.host, address.port, private=private, find=find)
        connection = line.connect(address, found[:MAX_ADDRESSES], certificate)
    except EdgeError as error:
        line.close()
        return NoReply(False, str(error))
    except ssl.SSLCertVerificationError as error:
        line.close()
        return NoReply(False, f"The receiver's certificate is not valid: {error.verify_message}.")
    except (OSError, ValueError) as error:
        line.close()
        said = getattr(error, "strerror", None) or type(error).__name__
        late = line.late or isinstance(error, TimeoutError)
        why = f"no connection within {within_s:g} seconds" if late else said
        return NoReply(False, f"The receiver cannot be reached: {why}.")
    try:
        connection.request("POST", address.path, body, dict(headers))
        response = connection.getresponse()
        promised = response.length
        body_came = response.read(MAX_REPLY_BYTES)
        if promised is not None and len(body_came) < min(promised, MAX_REPLY_BYTES):
            # An answer that breaks off is none.
            raise http.client.IncompleteRead(body_came)
        if line.late:
            return _silent(within_s)
        said = f"{response.status} {''.join(c for c in response.reason if c.isprintable())[:60]}".strip()
        return Reply(response.status, said, _asked(response, now))
    except http.client.HTTPException as error:
        if line.late:
            return _silent(within_s)
        broken = isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected)
        what = "The receiver hung up before its answer was whole" if broken else "The answer is no HTTP"
        return NoReply(True, f"{what}; whether it took the message is not known.")
    except (OSError, ValueError) as error:
        if line.late or isinstance(error, TimeoutError):
            return _silent(within_s)
        said = getattr(error, "strerror", None) or type(error).__name__
        return NoReply(True, f"The connection broke ({said}); whether the receiver took it is not known.")
    finally:
        line.close()


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


def _silent(within_s: float) -> NoReply:
    return NoReply(
        True,
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
        self._watch.name, self._watch.daemon = "post-cut", True
        self._watch.start()

    @property
    def late(self) -> bool:
        return self._late.is_set()

    def connect(
        self, address: Address, found: list[str], certificate: str | None
    ) -> http.client.HTTPConnection:
        """To the first address that answers. The name is not looked up again."""
        raw = self._reach(address, found)
        self._sockets.append(raw)
        if address.scheme == "https":
            context = ssl.create_default_context(cafile=certificate)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            secured = context.wrap_socket(raw, server_hostname=address.host, do_handshake_on_connect=False)
            self._sockets.append(secured)
            secured.do_handshake()
            raw = secured
        if self.late:
            raise TimeoutError
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.host, address.port, timeout=self._within_s)
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

    def _reach(self, address: Address, found: list[str]) -> socket.socket:
        last: OSError = TimeoutError()
        for one in found:
            if self.late:
                break
            try:
                return socket.create_connection((one, address.port), self._within_s / len(found))
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
