"""Ends connections to a running Mosquitto that come to nothing (decisions/007).

Mosquitto keeps one whose TLS stops in the middle for a minute and a half, and counts it: five hundred of
them kept every kiosk out that came back. The program that runs it may take a copy of each of its sockets
(pidfd_getfd(2)): whoever has not said who they are in time is hung up on, and where many crowd in, the
oldest of the address that has most of them.
"""

import ctypes
import os
import re
import socket
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# For TLS and the first packet, on a Pi behind a poor line.
WITHIN_S = 10.0
# So few take no place that a device needs. And should Mosquitto's log be read wrongly one day, a shop's own
# devices are left alone.
FEW = 50
MOST = 200
LOOK_S = 0.25
REMEMBERED = 5000
_PIDFD_GETFD = 438  # the same number on every architecture (pidfd_getfd(2))
_SOCKET = re.compile(r"socket:\[(\d+)\]")
# "New client connected from 127.0.0.1:41512 as kiosk-1 (…"
_NAMED = re.compile(r"New client connected from (\S+) as ")


@dataclass(frozen=True, slots=True)
class Caller:
    """A connection: where it comes from, as '127.0.0.1:41512', and since when it was seen."""

    peer: str
    since_s: float

    @property
    def address(self) -> str:
        return self.peer.rpartition(":")[0]


def unwelcome(callers: Mapping[int, Caller], named: frozenset[str], now_s: float) -> list[int]:
    """Which of these, by socket, are to be ended. `named` are the peers that Mosquitto let in. Pure."""
    strangers = sorted(
        ((number, one) for number, one in callers.items() if one.peer not in named),
        key=lambda pair: pair[1].since_s,
    )
    if len(strangers) <= FEW:
        return []
    ended = [number for number, one in strangers if now_s - one.since_s >= WITHIN_S]
    left = [(number, one) for number, one in strangers if now_s - one.since_s < WITHIN_S]
    crowd = Counter(one.address for _, one in left)
    while len(left) > MOST:
        most = max(crowd.values())
        place = next(n for n, (_, one) in enumerate(left) if crowd[one.address] == most)
        number, one = left.pop(place)
        crowd[one.address] -= 1
        ended.append(number)
    return ended


class Strangers:
    """One thread. `pid` gives Mosquitto's process, None while there is none; `port` is where it listens."""

    def __init__(
        self,
        pid: Callable[[], int | None],
        port: int,
        say: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._pid, self._port, self._say, self._monotonic = pid, port, say, monotonic
        self._lock = threading.Lock()
        self._named: OrderedDict[str, None] = OrderedDict()
        self._callers: dict[int, Caller] = {}
        self._looked_at: int | None = None
        self._unable = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="broker-strangers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(5)

    def heard(self, line: str) -> None:
        """A line of Mosquitto's log. Any thread; only takes a note."""
        if found := _NAMED.search(line):
            with self._lock:
                self._named[found[1]] = None
                self._named.move_to_end(found[1])
                if len(self._named) > REMEMBERED:
                    self._named.popitem(last=False)

    def look(self) -> int:
        """End who is not welcome; how many those were."""
        pid = self._pid()
        if pid is None or self._unable:
            return 0
        if pid != self._looked_at:
            self._looked_at, self._callers = pid, {}
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return 0
        try:
            sockets = _sockets(pid)
            gone = self._callers.keys() - sockets.keys()
            with self._lock:
                for number in gone:
                    # Its port may be another one's next.
                    self._named.pop(self._callers.pop(number).peer, None)
            now_s = self._monotonic()
            for number in sockets.keys() - self._callers.keys():
                if (peer := self._peer(handle, sockets[number])) is not None:
                    self._callers[number] = Caller(peer, now_s)
            with self._lock:
                named = frozenset(self._named)
            ended = unwelcome(self._callers, named, now_s)
            for number in ended:
                _hang_up(_copy(handle, sockets[number]))
            return len(ended)
        except PermissionError as error:
            self._unable = True
            self._say(f"Connections that come to nothing cannot be ended here: {error.strerror}.")
            return 0
        except OSError:
            # It ended meanwhile, or one of its sockets did.
            return 0
        finally:
            os.close(handle)

    def _peer(self, handle: int, number: int) -> str | None:
        """None for what is no connection to the listener."""
        try:
            copy = _copy(handle, number)
        except PermissionError:
            raise
        except OSError:
            return None
        with copy:
            try:
                here, there = copy.getsockname(), copy.getpeername()
            except OSError:
                return None
        if len(here) < 2 or here[1] != self._port:
            return None
        # Mosquitto writes no interface behind an address of one link, as in fe80::1%eth0.
        return f"{there[0].partition('%')[0]}:{there[1]}"

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look()


def _sockets(pid: int) -> dict[int, int]:
    """Each socket of a process by its inode, and the number that the process knows it by."""
    found = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            told = _SOCKET.fullmatch(str(link.readlink()))
        except OSError:
            continue
        if told:
            found[int(told[1])] = int(link.name)
    return found


def _copy(handle: int, number: int) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    copied = libc.syscall(_PIDFD_GETFD, handle, number, 0)
    if copied < 0:
        wrong = ctypes.get_errno()
        raise OSError(wrong, os.strerror(wrong))
    return socket.socket(fileno=copied)


def _hang_up(copy: socket.socket) -> None:
    with copy:
        try:
            copy.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
