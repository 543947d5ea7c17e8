"""One clip's way to the vault: its manifest, then its video from where the last attempt broke off.

What the vault answers stands in edge/vault/application.py. Only TLS 1.3, only to a vault with a certificate
of the store's CA for the name in the ticket's address, with the device's own certificate.
"""

import http.client
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import urlsplit

from broker.messages import Upload
from kiosk.camera.clips import Clip

T = TypeVar("T")

# The first piece is small enough for the line's buffers, so that a refusal is heard and not a broken line.
FIRST_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
CHUNK_BYTES = 16 * 1024
ANSWER_S = 60.0
CONNECT_S = 10.0
# Little waits in the line itself: what does would stand before a press. CS1 is Wi-Fi's background class.
_SEND_BUFFER_BYTES = 64 * 1024
_BACKGROUND = 0x20


class End(StrEnum):
    """How an attempt ended."""

    SEALED = "sealed"  # the store has it
    YIELDED = "yielded"  # something more urgent waits, or the program ends; go on later
    OVER = "over"  # the ticket is worth nothing; wait for another
    REFUSED = "refused"  # what came is not what was told of; the store will ask again
    DAMAGED = "damaged"  # the card no longer holds what was signed
    GONE = "gone"  # the store waits for a clip that this card does not hold
    FULL = "full"  # no room there; later
    AWAY = "away"  # nobody is there, or one who is not this store's vault; later
    BROKE = "broke"  # later


@dataclass(frozen=True)
class Attempt:
    """`said` is a sentence, `moved_bytes` how much video the vault took."""

    end: End
    said: str = ""
    moved_bytes: int = 0


class Yielded(Exception):
    """Raised by `pace` when the program ends."""


def context_of(identity: Path) -> ssl.SSLContext:
    """OSError if the identity cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(identity / "ca.crt")
    context.load_cert_chain(identity / "tls.crt", identity / "tls.key")
    return context


def deliver(
    upload: Upload,
    clip: Clip | None,
    context: ssl.SSLContext,
    pace: Callable[[int], None],
    more_urgent: Callable[[], bool],
) -> Attempt:
    """Bring the clip, or ask whether one that is not on the card is there. `pace` waits before so many bytes
    are sent; `more_urgent` is asked after each piece."""
    return _Delivery(upload, context, pace, more_urgent).run(clip)


class _Line(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        if self.sock.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _BACKGROUND)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _BACKGROUND)
        self.sock.settimeout(ANSWER_S)


class _Ended(Exception):
    def __init__(self, end: End, said: str = "") -> None:
        self.end, self.said = end, said


class _Unreadable(Exception):
    """The card, not the line, failed."""


class _Delivery:
    def __init__(
        self,
        upload: Upload,
        context: ssl.SSLContext,
        pace: Callable[[int], None],
        more_urgent: Callable[[], bool],
    ) -> None:
        self._upload, self._context, self._pace, self._more_urgent = upload, context, pace, more_urgent
        self._moved = 0

    def run(self, clip: Clip | None) -> Attempt:
        try:
            self._run(clip)
            return Attempt(End.SEALED, "", self._moved)
        except _Ended as ended:
            return Attempt(ended.end, ended.said, self._moved)
        except Yielded:
            return Attempt(End.YIELDED, "", self._moved)
        except _Unreadable as error:
            return Attempt(End.DAMAGED, f"It cannot be read: {error}.", self._moved)
        except (OSError, http.client.HTTPException) as error:
            return Attempt(End.BROKE, f"The line broke: {error or type(error).__name__}.", self._moved)
        except ValueError as error:
            return Attempt(End.OVER, f"The ticket cannot be used: {error}.", self._moved)

    def _run(self, clip: Clip | None) -> None:
        address = urlsplit(self._upload.url)
        if address.scheme != "https" or not address.hostname:
            raise _Ended(End.OVER, "The ticket's address does not begin with https://.")
        self._path = address.path
        where = f"{address.hostname}:{address.port or 443}"
        self._line = _Line(address.hostname, address.port or 443, timeout=CONNECT_S, context=self._context)
        try:
            self._connect(where)
            if clip is None:
                if not self._ask("HEAD", self._path)[1]:
                    raise _Ended(End.GONE)
                return
            self._bring(clip)
        finally:
            self._line.close()

    def _connect(self, where: str) -> None:
        try:
            self._line.connect()
        except ssl.SSLCertVerificationError as error:
            said = f"What answers at {where} is not this store's vault: {error.verify_message}."
            raise _Ended(End.AWAY, said) from None
        except OSError as error:
            raise _Ended(End.AWAY, f"The vault at {where} cannot be reached: {error}.") from None

    def _bring(self, clip: Clip) -> None:
        told = clip.about.content.bytes
        with _opened(clip) as video:
            if os.fstat(video.fileno()).st_size < told:
                raise _Ended(End.DAMAGED, "Its end is missing.")
            written = _read(clip.manifest.read_bytes)
            offset, sealed = self._ask("PUT", f"{self._path}/manifest", _parts(written), len(written))
            piece = FIRST_BYTES
            while not sealed:
                if offset >= told:
                    raise _Ended(End.BROKE, "The vault has everything and does not seal it.")
                length = min(piece, told - offset)
                begun, piece = offset, PIECE_BYTES
                offset, sealed = self._ask("PATCH", self._path, _piece(video, begun, length), length, begun)
                self._moved += max(0, offset - begun)
                if offset <= begun:
                    raise _Ended(End.BROKE, "The vault took nothing.")
                if not sealed and self._more_urgent():
                    raise _Ended(End.YIELDED)

    def _ask(
        self, method: str, path: str, body: Iterable[bytes] = (), length: int = 0, offset: int | None = None
    ) -> tuple[int, bool]:
        """How much of the video is there, and whether it is sealed."""
        line = self._line
        line.putrequest(method, path, skip_accept_encoding=True)
        line.putheader("Authorization", f"Bearer {self._upload.ticket}")
        line.putheader("Content-Length", str(length))
        if offset is not None:
            line.putheader("Upload-Offset", str(offset))
        line.endheaders()
        try:
            for chunk in body:
                self._pace(len(chunk))
                line.send(chunk)
        except OSError:
            pass  # a refusal may have come before the end
        answer = line.getresponse()
        said = answer.read(400).decode(errors="replace").strip()
        answer.read()
        if answer.status != 204:
            raise _Ended(_END_OF.get(answer.status, End.BROKE), said or f"The vault says {answer.status}.")
        here = answer.headers.get("Upload-Offset", "")
        return int(here) if here.isascii() and here.isdigit() else 0, "Upload-Complete" in answer.headers


_END_OF = {404: End.OVER, 422: End.REFUSED, 507: End.FULL}


def _read(act: Callable[[], T]) -> T:
    try:
        return act()
    except OSError as error:
        raise _Unreadable(error.strerror or str(error)) from None


def _opened(clip: Clip) -> IO[bytes]:
    return _read(lambda: open(clip.video, "rb", buffering=0))


def _parts(written: bytes) -> Iterator[bytes]:
    for begin in range(0, len(written), CHUNK_BYTES):
        yield written[begin : begin + CHUNK_BYTES]


def _piece(video: IO[bytes], begin: int, length: int) -> Iterator[bytes]:
    end, number = begin + length, video.fileno()
    while begin < end:
        chunk = _read(partial(os.pread, number, min(CHUNK_BYTES, end - begin), begin))
        if not chunk:
            raise _Unreadable("its end is missing")
        yield chunk
        begin += len(chunk)
