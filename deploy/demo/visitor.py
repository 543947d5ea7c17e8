"""A browser without a screen: real requests, real cookies, real form tokens, and event streams."""

import contextlib
import html
import http.cookiejar
import json
import queue
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.errors import DeployError

TIMEOUT_S = 15.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Entry:
    """One event of a stream, and when its last byte was here (monotonic)."""

    what: str
    body: dict[str, Any]
    at_s: float


class Browser:
    """One browser with its own cookies. DeployError names the address that did not answer as it should."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def get(self, path: str) -> str:
        return self._open(path, None).decode()

    def read(self, path: str) -> bytes:
        """What is no page."""
        return self._open(path, None)

    def post(self, path: str, page: str, fields: dict[str, str]) -> str:
        """Send a form with the token that `page` carries; the page that follows."""
        found = _TOKEN.search(page)
        if found is None:
            raise DeployError(f"{self.address}{path}: the page before it carries no form.")
        return self._open(path, fields | {"csrf_token": html.unescape(found[1])}).decode()

    def sign_in_on_the_floor(self, person: str, pin: str) -> str:
        """The associate's page."""
        form = self.get(f"/floor/sign-in/{person}")
        return self.post("/floor/sign-in", form, {"person": person, "pin": pin})

    def answer_once(self, page: str) -> None:
        """As a phone whose associate's page is open answers: so its person is known to be reached."""
        request = urllib.request.Request(f"{self.address}/floor/pages", headers={"Accept": "text/html"})
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                nonce = answer.headers.get("Floorbell-Nonce", "")
        except OSError as error:
            raise DeployError(f"{self.address}/floor/pages: {error}.") from None
        self.post("/floor/heard", page, {"nonce": nonce})

    def sign_in_at_the_desk(self, name: str, password: str) -> str:
        """The log."""
        form = self.get("/manage/sign-in")
        return self.post("/manage/sign-in", form, {"name": name, "password": password})

    def stream(self, path: str) -> "Stream":
        request = urllib.request.Request(self.address + path, headers={"Accept": "text/event-stream"})
        try:
            return Stream(self._opener.open(request, timeout=TIMEOUT_S))
        except OSError as error:
            raise DeployError(f"{self.address}{path}: {error}.") from None

    def _open(self, path: str, fields: dict[str, str] | None) -> bytes:
        body = urllib.parse.urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(self.address + path, body, {"Accept": "text/html"})
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise DeployError(f"{self.address}{path} answered {error.code}.") from None
        except OSError as error:
            raise DeployError(f"{self.address}{path}: {error}.") from None


class Stream:
    """An open event stream, read by a thread of its own."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._entries: queue.SimpleQueue[Entry] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="stream", daemon=True)
        self._thread.start()

    def wait(self, wanted: Callable[[Entry], bool], timeout_s: float) -> Entry | None:
        """The next entry that is wanted; what came before it is gone."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                entry = self._entries.get(timeout=left)
            except queue.Empty:
                return None
            if wanted(entry):
                return entry
        return None

    def close(self) -> None:
        # The reader sits in the same buffer's lock: closing the socket under it is what wakes it.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._response.fp.raw._sock.shutdown(2)
        self._thread.join(2)

    def _read(self) -> None:
        what = ""
        with contextlib.suppress(OSError, ValueError):
            for raw in self._response:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    what = line[7:]
                elif line.startswith("data: "):
                    self._entries.put(Entry(what, json.loads(line[6:]), time.monotonic()))
                    what = ""
