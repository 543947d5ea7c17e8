"""Hundreds of open event streams read by one thread, each with the moment at which each entry was here."""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field

_ENTRY = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass
class Ear:
    """One browser: what it has received, and where it would go on after a break."""

    request: str
    sock: socket.socket | None = None
    waiting: bytes = b""
    live_s: float = 0.0
    got: dict[int, float] = field(default_factory=dict)
    again_s: float = 0.0


class Ears:
    """All browsers of one server."""

    def __init__(self, port: int, requests: list[str]) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        self.ears = [Ear(request) for request in requests]

    def listen(self, until: float) -> None:
        """Connect whoever is not connected and read what has come, waiting a little, not beyond `until`."""
        for ear in self.ears:
            if ear.sock is None and time.monotonic() >= ear.again_s:
                self._connect(ear)
        for key, _ in self._selector.select(max(0.0, min(0.02, until - time.monotonic()))):
            self._read(key.data)

    def all_live(self) -> bool:
        return all(ear.live_s for ear in self.ears)

    def have(self, number: int) -> bool:
        return all(number in ear.got for ear in self.ears)

    def wait(self, number: int, timeout_s: float) -> list[float]:
        """When each had this entry. AssertionError if one did not get it."""
        until = time.monotonic() + timeout_s
        while not self.have(number):
            assert time.monotonic() < until, f"Entry {number} did not reach every stream."
            self.listen(until)
        return [ear.got[number] for ear in self.ears]

    def wait_live(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not self.all_live():
            living = sum(1 for ear in self.ears if ear.live_s)
            assert time.monotonic() < until, f"Only {living} of {len(self.ears)} streams are live."
            self.listen(until)

    def close(self) -> None:
        for ear in self.ears:
            self._drop(ear)
        self._selector.close()

    def _connect(self, ear: Ear) -> None:
        ear.again_s = time.monotonic() + 0.05
        try:
            sock = socket.create_connection(("127.0.0.1", self._port), 2)
            last = f"Last-Event-ID: {max(ear.got)}\r\n" if ear.got else ""
            sock.sendall(f"{ear.request}{last}\r\n".encode())
        except OSError:
            return
        sock.setblocking(False)
        ear.sock, ear.waiting = sock, b""
        self._selector.register(sock, selectors.EVENT_READ, ear)

    def _read(self, ear: Ear) -> None:
        assert ear.sock is not None
        try:
            chunk = ear.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        now = time.monotonic()
        if not chunk:
            self._drop(ear)
            return
        *whole, ear.waiting = (ear.waiting + chunk).split(b"\n\n")
        for event in whole:
            if b"event: beat" in event and not ear.live_s:
                ear.live_s = now
            for number in _ENTRY.findall(event):
                ear.got.setdefault(int(number), now)

    def _drop(self, ear: Ear) -> None:
        if ear.sock is not None:
            self._selector.unregister(ear.sock)
            ear.sock.close()
        ear.sock, ear.live_s = None, 0.0
        ear.again_s = time.monotonic() + 0.05
