"""The last packets, in memory. Whole groups of pictures leave at the front, so that it begins at a key frame.

One thread adds and others read; nothing here waits. Packets are numbered from 0 in the order they came.
"""

import threading
from collections import deque

from kiosk.camera.source import Packet


class Ring:
    """At least `seconds` of packets where `limit_bytes` allows it; with 0 the group that is under way."""

    def __init__(self, seconds: float, limit_bytes: int) -> None:
        self._seconds = seconds
        self._limit_bytes = limit_bytes
        self._packets: deque[Packet] = deque()
        self._keys: deque[int] = deque()  # the numbers of the key frames that are held
        self._first = 0
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return self._bytes

    @property
    def seconds(self) -> float:
        """How long the packets that are held took to come."""
        with self._lock:
            return self._packets[-1].came_s - self._packets[0].came_s if self._packets else 0.0

    def add(self, packet: Packet) -> None:
        """A packet that cannot be shown, because no key frame stands before it, is not kept."""
        with self._lock:
            number = self._first + len(self._packets)
            if packet.key:
                self._keys.append(number)
            elif not self._keys:
                self._first = number + 1
                return
            self._packets.append(packet)
            self._bytes += len(packet.data)
            self._shorten(packet.came_s)

    def begin_at(self, wanted_s: float) -> int | None:
        """The number of the newest key frame that came at or before `wanted_s`, else of the oldest there
        is."""
        with self._lock:
            found = self._keys[0] if self._keys else None
            for number in self._keys:
                if self._packets[number - self._first].came_s > wanted_s:
                    break
                found = number
            return found

    def since(self, number: int) -> tuple[int, list[Packet]]:
        """The packets from `number` on that are still held, and the number of the first of them."""
        with self._lock:
            after = self._first + len(self._packets)
            begin = max(number, self._first)
            found: list[Packet] = []
            for packet in reversed(self._packets):
                if after <= begin:
                    break
                after -= 1
                found.append(packet)
            found.reverse()
            return begin, found

    def _shorten(self, now_s: float) -> None:
        while self._keys:
            second = self._keys[1] if len(self._keys) > 1 else None
            late = second is not None and self._came(second) <= now_s - self._seconds
            if not late and self._bytes <= self._limit_bytes:
                return
            until = self._first + len(self._packets) if second is None else second
            while self._first < until:
                self._bytes -= len(self._packets.popleft().data)
                self._first += 1
            self._keys.popleft()

    def _came(self, number: int) -> float:
        return self._packets[number - self._first].came_s
