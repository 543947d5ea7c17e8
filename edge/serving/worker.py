"""gunicorn's threads, with an anteroom: a connection gets one only once its request is whole (decisions/001).

What runs in the main thread never waits: it receives, closes and refuses. Requests of whoever is known here
have threads of their own, which no stranger can take.
"""

import errno
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, TypeVar

from gunicorn import http, sock  # type: ignore[import-untyped]
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from edge import headers
from edge.living import LivingWorker
from edge.serving import head as heads
from edge.serving.head import Head, Limits, Refusal
from edge.serving.turns import Turns, answering

log = logging.getLogger(__name__)
T = TypeVar("T")
# Connections whose request has yet to come, or that are being closed.
MOST_WAITING = 256
# This machine's own requests may be a proxy's, which asks for everybody.
OF_THIS_MACHINE = 64
# One reading or writing of a thread that has a request.
SLOW_S = 10.0
LINGER_S, LINGER_BYTES = 2.0, 64 * 1024
# Small answers leave at once, however slowly they are read.
SEND_BUFFER_BYTES = 256 * 1024
TELL_EVERY_S = 60.0
_ACCEPTS, _PIECE_BYTES, _LOOK_EVERY_S, _TLS_FOR_S = 32, 16 * 1024, 0.25, 5.0
_BUSY = "Too many requests at once come from this address; try again in a moment."
_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


@dataclass(eq=False, slots=True)
class Waiting:
    """A connection in the anteroom. `until` is of the monotonic clock; `leaving`: it was answered, and what
    still comes is not read."""

    conn: Any
    address: str
    until: float
    received: bytearray = field(default_factory=bytearray)
    head: Head | None = None
    secured: bool = True
    leaving: bool = False


def crowding(there: Iterable[tuple[str, T]]) -> T:
    """Who has to make room where all places are taken: the first one of the address that has most of them.
    `there` has address and connection, in the order in which they may go, and is not empty."""
    all_ = list(there)
    crowd = Counter(address for address, _ in all_)
    most = max(crowd.values())
    return next(one for address, one in all_ if crowd[address] == most)


def answer(status: int, sentence: str) -> bytes:
    """A whole answer, after which the connection is closed."""
    body = f"{sentence}\n".encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
    lines += ["Content-Type: text/plain; charset=utf-8", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.bare().items()]
    if status == 503:
        lines.append("Retry-After: 2")
    return "\r\n".join([*lines, "", ""]).encode() + body


class PatientWorker(LivingWorker):
    """See the module. Of a subclass: `limits`, `strangers` (threads for whoever is not known), `of_one` (how
    many requests of one of them wait or run at once), `proxies` (how many of them say for whom they ask), and
    who is known."""

    limits = Limits()
    strangers = 8
    of_one = 16
    proxies = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._anteroom: dict[int, Waiting] = {}
        self._busy: Counter[Hashable] = Counter()
        self._refused: Counter[str] = Counter()
        self._looked_s = self._told_s = 0.0
        self._tls: tuple[float, ssl.SSLContext] | None = None
        self._turns = Turns(self.strangers, self._answer)

    def knows(self, head: Head) -> bool:
        """Whether this request says truly who it is, by what is in memory. Any mistake is a refusal later."""
        return False

    def one_of(self, conn: Any, head: Head) -> Hashable:
        """Whose share of the strangers' threads a request counts against."""
        return heads.forwarded(head, self.proxies) or _address(conn)

    def tell(self, refused: dict[str, int]) -> None:
        """What was turned away in the last minute, by why."""
        log.warning("%s", heads.turned_away(refused))

    # The main thread: everything from here to the next remark.

    def get_thread_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cfg.threads + self.strangers, "answering")

    def accept(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPTS):
            try:
                client, address = listener.accept()
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE):
                    self._make_room(of_all=True)
                return
            self.nr_conns += 1
            if self.nr_conns >= self.worker_connections - _ACCEPTS:
                self._make_room(of_all=True)
            try:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
                conn = TConn(self.cfg, client, address, listener.getsockname())
                if self.cfg.is_ssl:
                    conn.sock = self._context().wrap_socket(
                        client, server_side=True, do_handshake_on_connect=False
                    )
            except (OSError, ValueError):
                self.nr_conns -= 1
                client.close()
                continue
            self._receive(conn, secured=not self.cfg.is_ssl)

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """The next request on a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._readable(self._receive(conn), client)

    def finish_request(self, conn: Any, fs: "Future[bool]") -> None:
        self._free(conn)
        try:
            again = fs.result()
        except BaseException:
            again = False
        try:
            if not again:
                self._let_go(conn)
                return
            left = conn.parser.unreader.take_buffered()
            conn.sock.setblocking(False)
            if left or (self.cfg.is_ssl and conn.sock.pending()):
                self._readable(self._receive(conn, left), conn.sock)
                return
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, time.monotonic() + LINGER_S)
            self.keepalived_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))
        except (OSError, ValueError, KeyError):
            self.nr_conns -= 1
            conn.close()

    def murder_pending(self) -> None:
        """Called once in each round of the main loop: whose time is over leaves."""
        now = time.monotonic()
        if now - self._looked_s < _LOOK_EVERY_S and self.alive:
            return
        self._looked_s = now
        for one in list(self._anteroom.values()):
            idle = not one.received or one.leaving
            if one.until <= now or (not self.alive and idle):
                if not one.leaving and one.until <= now:
                    self._refused["whose request did not come in time"] += 1
                self._drop(one)
        if self._refused and now - self._told_s >= TELL_EVERY_S:
            self._told_s, refused = now, dict(self._refused)
            self._refused.clear()
            self.tell(refused)

    def _receive(self, conn: Any, received: bytes = b"", secured: bool = True) -> Waiting:
        """Put a connection into the anteroom."""
        while len(self._anteroom) >= MOST_WAITING:
            self._make_room()
        conn.sock.setblocking(False)
        until = time.monotonic() + self.limits.head_s
        one = Waiting(conn, _address(conn), until, bytearray(received), secured=secured)
        self._anteroom[id(conn)] = one
        self.poller.register(conn.sock, EVENT_READ, partial(self._readable, one))
        return one

    def _readable(self, one: Waiting, _sock: Any) -> None:
        """Take what has come, and go on with it as far as that leads."""
        try:
            if not one.secured:
                one.conn.sock.do_handshake()
                one.secured = True
            if one.received and not one.leaving and self._look(one):
                return
            while piece := one.conn.sock.recv(_PIECE_BYTES):
                one.received += piece
                if one.leaving:
                    if len(one.received) > LINGER_BYTES:
                        break
                elif self._look(one):
                    return
        except (BlockingIOError, ssl.SSLWantReadError):
            self.poller.modify(one.conn.sock, EVENT_READ, partial(self._readable, one))
            return
        except ssl.SSLWantWriteError:
            self.poller.modify(one.conn.sock, EVENT_READ | EVENT_WRITE, partial(self._readable, one))
            return
        except (OSError, ValueError):
            if not one.secured:
                self._refused["whose TLS was none of ours"] += 1
        self._drop(one)

    def _look(self, one: Waiting) -> bool:
        """Whether it has left the anteroom, or is on its way out."""
        if one.head is None:
            found = heads.read(one.received, self.limits)
            if found is None:
                return False
            if isinstance(found, Refusal):
                return self._refuse(one, found, "whose request was none that is taken")
            one.head = found
            one.until = time.monotonic() + self.limits.body_s
            if found.expects and found.bytes is not None and len(one.received) < found.bytes:
                one.conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if one.head.bytes is not None and len(one.received) < one.head.bytes:
            return False
        return self._hand_over(one, one.head)

    def _hand_over(self, one: Waiting, head: Head) -> bool:
        conn = one.conn
        known = self.knows(head)
        conn.share = None if known else self.one_of(conn, head)
        if conn.share is not None:
            most = OF_THIS_MACHINE if conn.share in _THIS_MACHINE else self.of_one
            if self._busy[conn.share] >= most:
                conn.share = None
                return self._refuse(one, Refusal(503, _BUSY), "who asked too much at once")
            self._busy[conn.share] += 1
        self._leave(one)
        conn.sock.settimeout(SLOW_S)
        conn.initialized, conn.cut = True, head.cut
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
        conn.parser.unreader.unread(bytes(one.received))
        if known:
            self._answer(conn)
        else:
            self._turns.take(conn)
        return True

    def _answer(self, conn: Any) -> None:
        done: Future[bool] = self.tpool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def _refuse(self, one: Waiting, refusal: Refusal, why: str) -> bool:
        self._refused[why] += 1
        try:
            one.conn.sock.send(answer(refusal.status, refusal.sentence))
        except (OSError, ValueError):
            self._drop(one)
            return True
        self._leave(one)
        self._let_go(one.conn)
        return True

    def _let_go(self, conn: Any) -> None:
        """Close it once the other end has: what was sent last would not arrive otherwise (RFC 9112, 9.6)."""
        try:
            conn.sock.setblocking(False)
            socket.socket.shutdown(conn.sock, socket.SHUT_WR)
            one = self._receive(conn)
        except (OSError, ValueError, KeyError):
            self.nr_conns -= 1
            conn.close()
            return
        one.leaving, one.until = True, time.monotonic() + LINGER_S

    def _make_room(self, *, of_all: bool = False) -> None:
        """`of_all`: it is connections that are too many, so those that were kept count too, and go first, and
        those whose turn has yet to come."""
        kept = self.keepalived_conns if of_all else ()
        there: list[tuple[str, Any]] = [(_address(conn), conn) for conn in kept]
        there += [(one.address, one) for one in self._anteroom.values()]
        there += [(_address(conn), conn) for conn in self._turns.waiting] if of_all else []
        if not there:
            return
        found = crowding(there)
        if isinstance(found, Waiting):
            if not found.leaving:
                self._refused["who made room for others"] += 1
            self._drop(found)
            return
        if self._turns.give_up(found):
            self._refused["who made room for others"] += 1
            self._free(found)
            with suppress(OSError, ValueError):
                found.sock.setblocking(False)
                found.sock.send(answer(503, _BUSY))
        else:
            self.keepalived_conns.remove(found)
            self.poller.unregister(found.sock)
        self.nr_conns -= 1
        found.close()

    def _leave(self, one: Waiting) -> None:
        if self._anteroom.pop(id(one.conn), None) is not None:
            self.poller.unregister(one.conn.sock)

    def _drop(self, one: Waiting) -> None:
        if id(one.conn) in self._anteroom:
            self._leave(one)
            self.nr_conns -= 1
            one.conn.close()

    def _free(self, conn: Any) -> None:
        """It takes no stranger's place, and nothing of its address's share, any more."""
        self._turns.end(conn)
        if conn.share is not None:
            self._busy[conn.share] -= 1
            if self._busy[conn.share] <= 0:
                del self._busy[conn.share]
            conn.share = None

    def _context(self) -> ssl.SSLContext:
        """Read anew every few seconds: certificates are renewed in place."""
        now = time.monotonic()
        if self._tls is None or now - self._tls[0] > _TLS_FOR_S:
            self._tls = now, sock.ssl_context(self.cfg)
        return self._tls[1]

    # A thread of its own: one request that is whole.

    def handle(self, conn: Any) -> bool:
        """Whether the connection may bring another request."""
        request = None
        answering(partial(self.method_queue.defer, self._free, conn))
        try:
            request = next(conn.parser)
            if not request or not self.handle_request(request, conn) or conn.cut:
                return False
            return bool(conn.parser.finish_body(deadline=time.monotonic() + SLOW_S))
        except (http.errors.NoMoreData, StopIteration, OSError):
            # Whoever asked has gone, or reads too slowly.
            return False
        except Exception as error:
            self.handle_error(request, conn.sock, conn.client, error)
            return False

    def handle_error(self, request: Any, client: Any, address: Any, error: BaseException) -> None:
        """A sentence with our headers, never the parser's page."""
        status, sentence = 400, "This is no request that can be read."
        if isinstance(error, LimitRequestLine):
            status, sentence = 414, "The address is longer than is taken."
        elif isinstance(error, LimitRequestHeaders):
            status, sentence = 431, "The request has more or longer header fields than are taken."
        elif not isinstance(error, ParseException) or request is not None:
            log.error("A request could not be answered.", exc_info=error)
            status, sentence = 500, "Something went wrong here and was written down."
        try:
            client.sendall(answer(status, sentence))
        except (OSError, ValueError):
            return


def _address(conn: Any) -> str:
    return str(conn.client[0]) if conn.client else ""
