"""`python -m edge.messenger.shout`: one message to one Apprise address, from a JSON record on stdin.

A process of its own, ended when its time is over: Apprise is heavy, and its plug-ins set limits of their own.
It answers with one JSON record and never with anything that Apprise says, which may hold the address.
"""

import json
import logging
import re
import socket
import sys
from typing import Any

from edge.messenger import addresses
from edge.messenger.addresses import NotAllowed, NotFoundThere

_STATUS = re.compile(r"error=(\d{3})\b")
_NO_LINE = re.compile(r"connection error|could not connect|timed? ?out|name resolution", re.IGNORECASE)


class _Heard(logging.Handler):
    """Keeps only what is no secret: an HTTP status, or that there was no connection."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.status: int | None = None
        self.no_line = False

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if found := _STATUS.search(words):
            self.status = int(found[1])
        self.no_line = self.no_line or bool(_NO_LINE.search(words))


class _Outward:
    """Stands before this process's way to look names up, and before its sockets. Whatever Apprise's plug-ins
    connect to, a redirect too, they ask here first, and connect to what they are told: one that leads inside
    is told nothing. One that asks nobody, as for a datagram, is stopped where it would send (PEP 578)."""

    def __init__(self) -> None:
        self.inside = False
        self._look_up = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *more: Any, **named: Any) -> list[Any]:
        found = self._look_up(host, port, *more, **named)
        self._check([str(one[4][0]) for one in found])
        return found

    def sends(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook. A name or a file's path is no address of numbers and is refused too: it would be
        looked up behind this."""
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and arguments[1] is not None:
            there = arguments[1]
            self._check([str(there[0] if isinstance(there, tuple) else there)])

    def _check(self, found: list[str]) -> None:
        try:
            addresses.choose("", 0, private=False, find=lambda _host, _port: found)
        except (NotAllowed, NotFoundThere):
            self.inside = True
            raise socket.gaierror(socket.EAI_NONAME, "This leads to a private address.") from None


def main() -> int:
    asked = json.loads(sys.stdin.read())
    outward = _Outward()
    if not asked["private"]:
        socket.getaddrinfo = outward.getaddrinfo
        sys.addaudithook(outward.sends)
    import apprise
    from apprise import PersistentStoreMode

    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    # It would keep what it knows of an address on the disk.
    asset = apprise.AppriseAsset(storage_mode=PersistentStoreMode.MEMORY, app_id="Floorbell", app_url="")
    there = apprise.Apprise(asset=asset)
    known = bool(there.add(asked["address"]))
    kind = apprise.NotifyType.WARNING if asked["urgent"] else apprise.NotifyType.INFO
    took = known and bool(there.notify(title=asked["title"], body=asked["text"], notify_type=kind))
    print(
        json.dumps(
            {
                "known": known,
                "took": took,
                "status": heard.status,
                "no_line": heard.no_line,
                "inside": outward.inside and not took,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
