"""The built-in test responder: answers a drill's page as a phone does, over the store's own pages.

A thread for each drill, with a session of its own, and the page's way in full: event stream, 'delivered',
'I am coming'. It holds nothing up; what troubles it is kept until the drill is judged.
"""

import http.client
import json
import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlencode

from edge.handling.drilling import Assignment

log = logging.getLogger(__name__)
COOKIE = "floorbell_floor"
AGAIN_S = 1.0
ANSWER_S = 10.0
# Drills whose trouble is remembered.
_REMEMBERED = 20
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
Tls = Callable[[], ssl.SSLContext | None]
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Gone(Exception):
    """The store's pages did not answer as they should; the sentence says how."""


class Responder:
    """See the module. For the worker's loop, but for its own threads."""

    def __init__(self, host: str, port: int, clock: Callable[[], datetime], tls: Tls = lambda: None) -> None:
        """`host` and `port` are those that the web program serves, `tls` what it is to be trusted by; None
        where it speaks plain HTTP."""
        self._host, self._port, self._clock = _ANYWHERE.get(host, host), port, clock
        self._tls = tls
        self._troubles: dict[str, str | None] = {}
        self._stop = threading.Event()

    def busy(self, drill: str) -> bool:
        """Whether somebody has been sent to answer it."""
        return drill in self._troubles

    def trouble(self, drill: str) -> str | None:
        """What stands in the way at this moment, in a sentence."""
        return self._troubles.get(drill)

    def answer(self, one: Assignment) -> None:
        """Begin to wait for the page of a drill. Its session must be committed."""
        if len(self._troubles) >= _REMEMBERED:
            del self._troubles[next(iter(self._troubles))]
        self._troubles[one.drill] = None
        threading.Thread(target=self._run, args=(one,), name="drill-responder", daemon=True).start()

    def close(self) -> None:
        """Those that still wait end at their next look."""
        self._stop.set()

    def _run(self, one: Assignment) -> None:
        while not self._stop.is_set() and self._clock() < one.until:
            try:
                Phone(self._host, self._port, one.token, self._tls()).answer(
                    one.drill, one.cursor, self._left(one)
                )
                self._troubles[one.drill] = None
                return
            except (OSError, http.client.HTTPException, Gone) as error:
                at = f"The web program at {self._host}:{self._port}"
                why = str(error) or type(error).__name__
                said = why if isinstance(error, Gone) else f"{at} does not answer: {why}."
                self._troubles[one.drill] = f"The test responder: {said}"[:200]
                log.warning("The drill %s is not answered yet: %s", one.drill, said)
            self._stop.wait(AGAIN_S)

    def _left(self, one: Assignment) -> float:
        return max(1.0, min(ANSWER_S, (one.until - self._clock()).total_seconds()))


class Phone:
    """One browser of the responder's session."""

    def __init__(self, host: str, port: int, token: str, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._cookies = {COOKIE: token}
        self._csrf = ""

    def answer(self, request: str, cursor: int, timeout_s: float) -> None:
        """Wait for the page of this request and acknowledge it. Gone if the stream ends before.

        Each beat of the stream comes within `timeout_s`, so no read waits longer.
        """
        status, text = self._ask("GET", "/floor/", None, timeout_s)
        found = _TOKEN.search(text)
        if status != 200 or found is None:
            raise Gone(f"the associate's page answered {status}.")
        self._csrf = found[1]
        connection = self._line(timeout_s)
        try:
            headers = {"Cookie": self._cookie(), "Last-Event-ID": str(cursor)}
            connection.request("GET", "/floor/stream", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                raise Gone(f"the event stream answered {response.status}.")
            for event, data in events(response):
                if event == "beat" and data.get("nonce"):
                    self._post("/floor/heard", timeout_s, nonce=str(data["nonce"]))
                if event == "page" and data.get("request") == request:
                    self._post("/floor/pages/delivered", timeout_s, pages=str(data["page"]))
                    self._post(f"/floor/requests/{request}/acknowledge", timeout_s)
                    return
        finally:
            connection.close()
        raise Gone("the event stream ended without the page.")

    def _post(self, path: str, timeout_s: float, **form: str) -> None:
        status, _ = self._ask("POST", path, {"csrf_token": self._csrf, **form}, timeout_s)
        if status >= 400:
            raise Gone(f"{path.rpartition('/')[2]} was answered with {status}.")

    def _ask(self, method: str, path: str, form: dict[str, str] | None, timeout_s: float) -> tuple[int, str]:
        connection = self._line(timeout_s)
        headers = {"Cookie": self._cookie(), "Accept": "text/html"}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            for cookie in response.headers.get_all("Set-Cookie") or ():
                name, _, value = cookie.split(";", 1)[0].partition("=")
                self._cookies[name] = value
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def _line(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._tls)

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


def events(response: http.client.HTTPResponse) -> Iterator[tuple[str, dict[str, object]]]:
    """The (name, data) of each server-sent event; what carries no object is left out."""
    name = data = ""
    while line := response.readline(65536):
        text = line.decode(errors="replace").rstrip("\n")
        if text.startswith("event: "):
            name = text[7:]
        elif text.startswith("data: "):
            data = text[6:]
        elif not text:
            try:
                said = json.loads(data) if data else None
            except ValueError:
                said = None
            if isinstance(said, dict):
                yield name, said
            name = data = ""
