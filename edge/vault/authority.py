"""Asks a time-stamping authority over HTTP (RFC 3161, 3.4). It has `within_s` seconds for everything."""

import http.client
import socket
import ssl
import threading
from urllib.parse import urlsplit

from edge.errors import EdgeError
from edge.evidence.stamp import MAX_REPLY_BYTES

WITHIN_S = 30.0


class NotStamped(EdgeError):
    """The authority gave no stamp; asking again later may."""


def ask(url: str, request: bytes, within_s: float = WITHIN_S) -> bytes:
    """Its reply, unchecked. NotStamped, in a sentence, if there is none."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    late = threading.Event()
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=within_s, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=within_s)

    lines: list[socket.socket] = []

    def hang_up() -> None:
        late.set()
        for line in lines:
            _shut(line)

    # The time limits of a socket are of single reads: a reply that drips would last for ever.
    watch = threading.Timer(within_s, hang_up)
    watch.daemon = True
    watch.start()
    try:
        connection.connect()
        # Kept here: the connection forgets its socket once it has the headers of a last reply.
        lines.append(connection.sock)
        if late.is_set():
            raise _silent(parts.netloc, within_s)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = _ask(connection, path, request, parts.netloc)
        if late.is_set():
            raise _silent(parts.netloc, within_s)
        return reply
    except TimeoutError:
        raise _silent(parts.netloc, within_s) from None
    except (OSError, http.client.HTTPException) as error:
        if late.is_set():
            raise _silent(parts.netloc, within_s) from None
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotStamped(f"The authority {parts.netloc} cannot be reached: {said}.") from None
    finally:
        watch.cancel()
        connection.close()


def _ask(connection: http.client.HTTPConnection, path: str, request: bytes, where: str) -> bytes:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    connection.request("POST", path or "/", request, headers)
    response = connection.getresponse()
    if response.status != 200:
        said = f"{response.status} {response.reason}".strip()[:100]
        raise NotStamped(f"The authority {where} answered ‘{said}’ instead of stamping.")
    reply = response.read(MAX_REPLY_BYTES + 1)
    if len(reply) > MAX_REPLY_BYTES:
        raise NotStamped(
            f"The authority {where} sent more than {MAX_REPLY_BYTES // 1024} KiB; a stamp is less."
        )
    return reply


def _silent(where: str, within_s: float) -> NotStamped:
    return NotStamped(f"The authority {where} did not answer within {within_s:g} seconds.")


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
