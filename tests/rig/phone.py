"""A phone or a desk without a screen: real sign-in, real cookies, the real event stream."""

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Told:
    """One server-sent event and the monotonic time at which its first byte was here."""

    at_s: float
    id: str
    event: str
    data: str


class Phone:
    """One browser's cookies on one kept connection. Not thread-safe, but for its stream."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host, self._port = host, port
        self._connection = http.client.HTTPConnection(host, port, timeout=20)
        self._cookies: dict[str, str] = {}
        self.token = ""

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, **form: str) -> tuple[int, str]:
        """A form with the last page's CSRF token. Redirects are not followed."""
        return self._ask("POST", path, {"csrf_token": self.token, **form})

    def sign_in(self, person: str, pin: str) -> None:
        """On the floor, by the person's id."""
        self.get(f"/floor/sign-in/{person}")
        status, text = self.post("/floor/sign-in", person=person, pin=pin)
        assert status in (302, 303), (status, text[:300])
        self.get("/floor/")

    def sign_in_at_desk(self, name: str, password: str) -> None:
        self.get("/manage/sign-in")
        status, text = self.post("/manage/sign-in", name=name, password=password)
        assert status in (302, 303), (status, text[:300])

    def listen(
        self, told: Callable[[Told], None], path: str = "/floor/stream", after: str = ""
    ) -> "Listening":
        """Open the event stream; `told` is called from its thread."""
        return Listening(self._host, self._port, path, self.cookie(), after, told)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, form: dict[str, str] | None) -> tuple[int, str]:
        headers = {"Cookie": self.cookie(), "Referer": f"http://{self._host}:{self._port}/"}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        text = response.read().decode()
        if found := TOKEN.search(text):
            self.token = found[1]
        return response.status, text

    def cookie(self) -> str:
        """The header of all its cookies."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


class Listening:
    """A thread that reads one event stream. `ended` is set when the server ends it."""

    def __init__(
        self, host: str, port: int, path: str, cookie: str, after: str, told: Callable[[Told], None]
    ) -> None:
        self._told = told
        self._socket = socket.create_connection((host, port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        last = f"Last-Event-ID: {after}\r\n" if after else ""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n{last}\r\n".encode()
        )
        self._socket.settimeout(None)
        self.status = 0
        self.ready = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listening", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.close()

    def _run(self) -> None:
        waiting, head = b"", True
        try:
            while chunk := self._socket.recv(65536):
                at_s = time.monotonic()
                waiting += chunk
                if head:
                    first, found, rest = waiting.partition(b"\r\n\r\n")
                    if not found:
                        continue
                    self.status, head, waiting = int(first.split(b" ", 2)[1]), False, rest
                    self.ready.set()
                # Chunk sizes of the transfer coding stand on lines of their own, which no field begins like.
                while b"\n\n" in waiting:
                    event, _, waiting = waiting.partition(b"\n\n")
                    self._tell(at_s, event.decode(errors="replace"))
        except OSError:
            pass
        self.ready.set()
        self.ended.set()

    def _tell(self, at_s: float, text: str) -> None:
        fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        if "event" in fields:
            self._told(Told(at_s, fields.get("id", ""), fields["event"], fields.get("data", "")))
