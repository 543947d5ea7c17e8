"""The Unix socket at which screens ask: Views out, Touches in, in one thread that waits for none of them.

For a slow screen only the newest View is kept; one that stands still, sends too much or sends what is not
ours is cut off. A screen that is missing, or that lies, costs no press.
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

import msgspec

from kiosk.screen.messages import Touch, View

log = logging.getLogger(__name__)

MAX_SCREENS = 8
MAX_LINE_BYTES = 4096
MAX_WRONG = 20
TOUCHES_PER_S = 20.0  # nobody has more fingers
BURST = 20.0
STUCK_S = 10.0
TURN_S = 1.0


class _Screen:
    """One connection: what came of an unfinished line, what is being sent, and the newest after it."""

    def __init__(self, connection: socket.socket, now_s: float) -> None:
        self.connection = connection
        self.came = b""
        self.sending = b""
        self.newest = b""
        self.moved_s = now_s
        self.wrong = 0
        self._tokens, self._counted_s = BURST, now_s

    def may_touch(self, now_s: float) -> bool:
        self._tokens = min(BURST, self._tokens + (now_s - self._counted_s) * TOUCHES_PER_S)
        self._counted_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Screens:
    """See the module. `touched` is called from its thread and must only enqueue."""

    def __init__(
        self, path: Path, touched: Callable[[Touch], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = path
        self._touched = touched
        self._now = now
        self._line = b""
        self._stop = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._screens: list[_Screen] = []
        self._thread = threading.Thread(target=self._run, name="screens", daemon=True)

    def start(self) -> None:
        """Listen. What hinders it is logged: a kiosk without its screen is still a kiosk."""
        try:
            if self._path.exists() and not stat.S_ISSOCK(self._path.stat().st_mode):
                raise FileExistsError(f"{self._path} is not a socket")
            self._path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.setblocking(False)
            listener.bind(str(self._path))
            self._path.chmod(0o600)
            listener.listen(MAX_SCREENS)
        except OSError as error:
            log.error("No screen can be shown: %s.", error)
            return
        self._selector.register(listener, selectors.EVENT_READ, None)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._listener = listener
        self._thread.start()

    def show(self, view: View) -> None:
        """To every screen from now on. From any thread; never waits."""
        self._line = msgspec.json.encode(view) + b"\n"
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
            log.exception("The screens are no longer served.")
        finally:
            for screen in list(self._screens):
                self._drop(screen, "the kiosk ends")
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def _turn(self) -> None:
        for key, events in self._selector.select(TURN_S):
            screen = key.data
            if screen is None:
                self._accept() if key.fileobj is self._listener else self._woke()
            elif events & selectors.EVENT_READ:
                self._read(screen)
        now_s = self._now()
        for screen in list(self._screens):
            self._write(screen)
            if screen.sending and now_s - screen.moved_s > STUCK_S:
                self._drop(screen, f"it has read nothing for {STUCK_S:.0f} s")

    def _woke(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        for screen in self._screens:
            screen.newest = self._line

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            log.warning("A screen could not be taken on: %s.", error)
            self._stop.wait(0.1)  # out of files: not again at once
            return
        if len(self._screens) >= MAX_SCREENS:
            log.warning("More than %s screens; the newest is sent away.", MAX_SCREENS)
            connection.close()
            return
        connection.setblocking(False)
        screen = _Screen(connection, self._now())
        screen.newest = self._line
        self._screens.append(screen)
        self._selector.register(connection, selectors.EVENT_READ, screen)

    def _read(self, screen: _Screen) -> None:
        try:
            came = screen.connection.recv(MAX_LINE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._drop(screen, str(error))
            return
        if not came:
            self._drop(screen, "")
            return
        *lines, screen.came = (screen.came + came).split(b"\n")
        now_s = self._now()
        for line in lines:
            self._take(screen, line, now_s)
        if len(screen.came) > MAX_LINE_BYTES or screen.wrong > MAX_WRONG:
            self._drop(screen, "it sends what is not a touch")

    def _take(self, screen: _Screen, line: bytes, now_s: float) -> None:
        try:
            touch = msgspec.json.decode(line[: MAX_LINE_BYTES + 1], type=Touch)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            screen.wrong += 1
            if screen.wrong <= 3:
                log.warning("A line of a screen is dropped: %s.", error)
            return
        if screen.may_touch(now_s):
            self._touched(touch)

    def _write(self, screen: _Screen) -> None:
        while True:
            if not screen.sending:
                screen.sending, screen.newest, screen.moved_s = screen.newest, b"", self._now()
            if not screen.sending:
                break
            try:
                sent = screen.connection.send(screen.sending)
            except BlockingIOError:
                break
            except OSError as error:
                self._drop(screen, str(error))
                return
            screen.sending, screen.moved_s = screen.sending[sent:], self._now()
        if screen in self._screens:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if screen.sending else 0)
            self._selector.modify(screen.connection, wanted, screen)

    def _drop(self, screen: _Screen, why: str) -> None:
        if why:
            log.warning("A screen is cut off: %s.", why)
        if screen in self._screens:
            self._screens.remove(screen)
            self._selector.unregister(screen.connection)
        screen.connection.close()
