"""The panel's Unix sockets: one JSON object a line, both ways, in threads that wait for nobody.

The panel's end is LineServer, one thread for all who ask. For one that is slow only the newest line is kept;
one that stands still, sends too much or sends what is not ours is cut off. The other end is LineClient. A
program that is missing, or that lies, costs no press.
"""

import contextlib
import logging
import selectors
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

log = logging.getLogger(__name__)

MAX_ASKING = 8
MAX_LINE_BYTES = 64 * 1024
MAX_WRONG = 20
LINES_PER_S = 20.0  # nobody has more fingers
BURST = 20.0
STUCK_S = 10.0
TURN_S = 1.0
AGAIN_S = 0.5
_SEND_S = 1.0

T = TypeVar("T", bound=msgspec.Struct)


class _Asking:
    """One connection: what came of an unfinished line, what is being sent, and the newest after it."""

    def __init__(self, connection: socket.socket, now_s: float) -> None:
        self.connection = connection
        self.came = b""
        self.sending = b""
        self.newest = b""
        self.moved_s = now_s
        self.wrong = 0
        self._tokens, self._counted_s = BURST, now_s

    def may_speak(self, now_s: float) -> bool:
        self._tokens = min(BURST, self._tokens + (now_s - self._counted_s) * LINES_PER_S)
        self._counted_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class LineServer(Generic[T]):
    """See the module. `came` is called from its thread and must only enqueue; so is `left`, when the last one
    has gone. `what` names who asks, in the log."""

    def __init__(
        self,
        path: Path,
        what: str,
        kind: type[T],
        came: Callable[[T], None],
        max_line_bytes: int = MAX_LINE_BYTES,
        left: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._what = what
        self._kind = kind
        self._came = came
        self._max_line_bytes = max_line_bytes
        self._left = left
        self._now = now
        self._line = b""
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._asking: list[_Asking] = []
        self._thread = threading.Thread(target=self._run, name=f"{what}s", daemon=True)

    def start(self) -> None:
        """Listen. What hinders it is logged: a kiosk without its screen or camera is still a kiosk."""
        try:
            if self._path.exists() and not stat.S_ISSOCK(self._path.stat().st_mode):
                raise FileExistsError(f"{self._path} is not a socket")
            self._path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.setblocking(False)
            listener.bind(str(self._path))
            self._path.chmod(0o600)
            listener.listen(MAX_ASKING)
        except OSError as error:
            log.error("No %s can be served: %s.", self._what, error)
            return
        self._selector.register(listener, selectors.EVENT_READ, None)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._listener = listener
        self._thread.start()

    def show(self, message: msgspec.Struct) -> None:
        """To everyone from now on. From any thread; never waits."""
        self._line = msgspec.json.encode(message) + b"\n"
        self._nudge()

    def close(self, timeout_s: float = 1.0) -> None:
        """May be called twice."""
        self._stop.set()
        self._nudge()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._turn()
        except Exception:
            log.exception("The %ss are no longer served.", self._what)
        finally:
            for one in list(self._asking):
                self._drop(one, "the kiosk ends")
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def _turn(self) -> None:
        for key, events in self._selector.select(TURN_S):
            one = key.data
            if one is None:
                self._accept() if key.fileobj is self._listener else self._woke()
            elif events & selectors.EVENT_READ:
                self._read(one)
        now_s = self._now()
        for one in list(self._asking):
            self._write(one)
            if one.sending and now_s - one.moved_s > STUCK_S:
                self._drop(one, f"it has read nothing for {STUCK_S:.0f} s")

    def _woke(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        for one in self._asking:
            one.newest = self._line

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            log.warning("A %s could not be taken on: %s.", self._what, error)
            self._stop.wait(0.1)  # out of files: not again at once
            return
        if len(self._asking) >= MAX_ASKING:
            log.warning("More than %s %ss; the newest is sent away.", MAX_ASKING, self._what)
            connection.close()
            return
        connection.setblocking(False)
        one = _Asking(connection, self._now())
        one.newest = self._line
        self._asking.append(one)
        self._selector.register(connection, selectors.EVENT_READ, one)

    def _read(self, one: _Asking) -> None:
        try:
            came = one.connection.recv(self._max_line_bytes)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(one, str(error))
            return
        if not came:
            self._drop(one, "")
            return
        self._hear(one, came)
        if len(one.came) > self._max_line_bytes or one.wrong > MAX_WRONG:
            self._drop(one, "it sends what is not ours")

    def _hear(self, one: _Asking, came: bytes) -> None:
        *lines, one.came = (one.came + came).split(b"\n")
        now_s = self._now()
        for line in lines:
            self._take(one, line, now_s)

    def _take(self, one: _Asking, line: bytes, now_s: float) -> None:
        try:
            message = msgspec.json.decode(line[: self._max_line_bytes + 1], type=self._kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            one.wrong += 1
            if one.wrong <= 3:
                log.warning("A line of a %s is dropped: %s.", self._what, error)
            return
        if one.may_speak(now_s):
            self._came(message)

    def _write(self, one: _Asking) -> None:
        while True:
            if not one.sending:
                one.sending, one.newest, one.moved_s = one.newest, b"", self._now()
            if not one.sending:
                break
            try:
                sent = one.connection.send(one.sending)
            except BlockingIOError:
                break
            except OSError as error:
                # What it said before it died has been said.
                with contextlib.suppress(OSError):
                    self._hear(one, one.connection.recv(self._max_line_bytes))
                self._drop(one, str(error))
                return
            one.sending, one.moved_s = one.sending[sent:], self._now()
        if one in self._asking:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.sending else 0)
            self._selector.modify(one.connection, wanted, one)

    def _drop(self, one: _Asking, why: str) -> None:
        if why:
            log.warning("A %s is cut off: %s.", self._what, why)
        if one in self._asking:
            self._asking.remove(one)
            self._selector.unregister(one.connection)
            if not self._asking:
                self._left()
        one.connection.close()


class LineClient(Generic[T]):
    """The other end, in a thread of its own. It connects for ever, and says so with `connected`; `came` is
    called with what comes, and with None whenever nothing is connected or what comes cannot be read."""

    def __init__(
        self,
        path: Path,
        kind: type[T],
        came: Callable[[T | None], None],
        connected: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._kind = kind
        self._came = came
        self._connected = connected
        self._stop = threading.Event()
        self._sending = threading.Lock()
        self._socket: socket.socket | None = None
        self._away = False
        self._thread = threading.Thread(target=self._run, name="panel-link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """May be called twice."""
        self._stop.set()
        self._hang_up()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def send(self, message: msgspec.Struct) -> bool:
        """Whether the panel's socket took it; what it does with it shows in what comes back."""
        with self._sending:
            if self._socket is None:
                return False
            try:
                self._socket.sendall(msgspec.json.encode(message) + b"\n")
            except OSError:
                return False
            return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except (OSError, msgspec.MsgspecError, ValueError) as error:
                self._say_once(f"The panel's socket {self._path} cannot be used: {error}.")
            self._hang_up()
            self._came(None)
            self._stop.wait(AGAIN_S)

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SEND_S)
            connection.connect(str(self._path))
            with self._sending:
                self._socket = connection
            self._connected()
            waiting = b""
            while not self._stop.is_set():
                try:
                    received = connection.recv(MAX_LINE_BYTES)
                except TimeoutError:
                    continue
                if not received:
                    raise ConnectionError("the panel closed it")
                *lines, waiting = (waiting + received).split(b"\n")
                if len(waiting) > MAX_LINE_BYTES:
                    raise ValueError(f"a line is longer than {MAX_LINE_BYTES} bytes")
                for line in lines:
                    self._came(msgspec.json.decode(line, type=self._kind))
                    if self._away:
                        log.info("The panel is back.")
                        self._away = False

    def _hang_up(self) -> None:
        with self._sending:
            connection, self._socket = self._socket, None
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it was closed already

    def _say_once(self, sentence: str) -> None:
        if not self._away and not self._stop.is_set():
            log.warning("%s It is tried again every %s s.", sentence, AGAIN_S)
        self._away = True
