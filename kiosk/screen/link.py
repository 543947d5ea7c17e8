"""The screen's end of the panel's Unix socket: Views come in, Touches go out. It connects for ever."""

import logging
import socket
import threading
from pathlib import Path

import msgspec

from kiosk.screen.board import Board
from kiosk.screen.messages import Touch, View

log = logging.getLogger(__name__)

AGAIN_S = 0.5
_SEND_S = 1.0
_MAX_LINE_BYTES = 64 * 1024


class PanelLink:
    """A thread of its own. While nothing is connected, or what comes cannot be read, the board holds None."""

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
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

    def send(self, touch: Touch) -> bool:
        """Whether the panel's socket took it; what it does with it shows in the next View."""
        with self._sending:
            if self._socket is None:
                return False
            try:
                self._socket.sendall(msgspec.json.encode(touch) + b"\n")
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
            self._board.set(None)
            self._stop.wait(AGAIN_S)

    def _listen(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_SEND_S)
            connection.connect(str(self._path))
            with self._sending:
                self._socket = connection
            waiting = b""
            while not self._stop.is_set():
                try:
                    received = connection.recv(_MAX_LINE_BYTES)
                except TimeoutError:
                    continue
                if not received:
                    raise ConnectionError("the panel closed it")
                *lines, waiting = (waiting + received).split(b"\n")
                if len(waiting) > _MAX_LINE_BYTES:
                    raise ValueError(f"a line is longer than {_MAX_LINE_BYTES} bytes")
                for line in lines:
                    self._board.set(msgspec.json.decode(line, type=View))
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
