"""Whose session or token was found valid a while ago: their requests need not wait behind those of strangers.

It lets nobody in: the guard asks the database at each request as ever. Kept in memory, as hashes.
"""

import hashlib
import threading
from collections import OrderedDict

from werkzeug.sansio.http import parse_cookie

from edge.people.sessions import Audience
from edge.serving.head import Head

MOST = 4096
# A browser may hold an associate's phone and a manager's desk side by side: decisions/001.
COOKIES: dict[Audience, str] = {"floor": "floorbell_floor", "manage": "floorbell_manage"}


class Regulars:
    """Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def note(self, secret: str) -> None:
        """This session's or token's secret is valid."""
        key = _key(secret)
        with self._lock:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)

    def forget(self, secret: str) -> None:
        """It is not, or no more."""
        with self._lock:
            self._known.pop(_key(secret), None)

    def knows(self, head: Head) -> bool:
        return any(_key(secret) in self._known for secret in self._secrets(head))

    def _secrets(self, head: Head) -> list[str]:
        kind, _, token = head.fields.get("authorization", "").partition(" ")
        found = [token.strip()] if kind.lower() == "bearer" else []
        if said := head.fields.get("cookie"):
            cookies = parse_cookie(said)
            found += [secret for name in COOKIES.values() if (secret := cookies.get(name))]
        return found


def _key(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
