"""Mosquitto's log, read for a person: who connects, what was refused to whom; routine is left out.

Refused publishes stand only among its debug lines (decisions/001), one of which there is for every packet.
"""

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from broker.topics import ROOT

_ROUTINE = (
    b"Received ",
    b"Sending ",
    b"\tfloorbell/",
    b"No will",
    b"Will message",
    b"\t0",
    b"\t1",
    b"Warning: ACL pattern",
)
_CONNECTED = re.compile(
    r"New client connected from \S+ as (?P<client>.+) \(p(?P<protocol>\d), .*u'(?P<user>[^']*)'\)"
)
# "{client} {qos} {filter}", of log_type subscribe
_SUBSCRIBED = re.compile(r"(?P<client>\S+) [012] (?P<filter>\S+)")
_DENIED = re.compile(r"Denied PUBLISH from (?P<client>.+) \(d\d, q\d, ")
_REMEMBERED = 5000
# What Mosquitto says of connections of whoever has not said who they are; a flood of them must fill no disk.
_OF_STRANGERS = (
    b"New connection from ",
    b"OpenSSL Error",
    b"Client <unknown> ",
    b"Client connection from ",
    b"Client (null) ",
)
_SAID_A_MINUTE = 20


class BrokerLog:
    """Reads one broker's lines in order. Subscriptions name only client ids, which anyone may choose, so the
    certificate's name of each is kept from the line of its connection, and told to `connected`; None is told
    where a client id is so long that the line ends before the name."""

    def __init__(
        self,
        store: str,
        connected: Callable[[str, str | None], None] = lambda client, user: None,
        heard: Callable[[str], None] = lambda line: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._told, self._heard, self._monotonic = connected, heard, monotonic
        self._minute_s, self._said = monotonic(), Counter[bytes]()
        self._base = f"{ROOT}/{store}"
        self._users: OrderedDict[str, str] = OrderedDict()

    def worth_saying(self, raw: bytes) -> str | None:
        """The line for a person, or None for the routine ones."""
        text = raw.split(b": ", 1)[-1].rstrip()
        if text.startswith(_ROUTINE) or not text:
            return None
        for kind in _OF_STRANGERS:
            if text.startswith(kind):
                return self._bounded(kind, text.decode(errors="replace"))
        line = text.decode(errors="replace")
        if denied := _DENIED.match(line):
            # A client id is the client's own choice; the name is its certificate's.
            user = self._users.get(denied["client"])
            return f"refused: {line}" + (f" by {user}" if user else "")
        if connected := _CONNECTED.match(line):
            self._heard(line)
            self._users[connected["client"]] = connected["user"]
            self._users.move_to_end(connected["client"])
            if len(self._users) > _REMEMBERED:
                self._users.popitem(last=False)
            self._told(connected["client"], connected["user"])
            # Mosquitto before 2.1 cannot refuse MQTT 3.1.1 (decisions/001); its log names it p1 or p2.
            return f"not MQTT v5: {line}" if connected["protocol"] in "12" else line
        if line.startswith("New client connected "):
            self._told("", None)
        if subscribed := _SUBSCRIBED.fullmatch(line):
            user = self._users.get(subscribed["client"], subscribed["client"])
            if self._may_read(user, subscribed["filter"]):
                return None
            return f"refused: {user} subscribes to {subscribed['filter']}"
        return line

    def _bounded(self, kind: bytes, line: str) -> str | None:
        """Some of a minute's lines of each kind, and with the next one how many more there were of all."""
        now_s, more = self._monotonic(), ""
        if now_s - self._minute_s >= 60:
            held = sum(self._said.values()) - sum(min(n, _SAID_A_MINUTE) for n in self._said.values())
            more = f" ({held} more such lines in the minute before)" if held else ""
            self._minute_s, self._said = now_s, Counter()
        self._said[kind] += 1
        return line + more if self._said[kind] <= _SAID_A_MINUTE else None

    def _may_read(self, user: str, topic: str) -> bool:
        own = {f"{self._base}/{user}/{channel}" for channel in ("receipt", "call", "command", "witness")}
        own |= {f"{self._base}/edge/state", f"{self._base}/edge/heartbeat", f"{self._base}/pager/{user}/page"}
        return user.startswith("edge-") or topic in own
