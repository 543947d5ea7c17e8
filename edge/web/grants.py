"""What lets a browser or a program fetch the bytes of a clip: a signed word, made once a look is written.
With another one whoever typed their password goes on to their second factor.

It is signed, not remembered, so that any process of the store can tell. It is worth something only to whom it
was given, only for that clip, and only for a while.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

GOOD_FOR = timedelta(minutes=10)


class Grants:
    """Makes and knows grants. `secret` is the web key that all processes of the store share."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(b"evidence grant" + secret.encode()).digest()

    def give(self, who: str, what: str, now: datetime) -> str:
        """A grant for this person or token to fetch this clip, good for GOOD_FOR."""
        until_s = str(int((now + GOOD_FOR).timestamp()))
        return f"{until_s}-{self._sign(who, what, until_s)}"

    def until(self, who: str, what: str, grant: str, now: datetime) -> datetime | None:
        """When the grant ends; None if it is none for these two, or has ended."""
        until_s, _, signature = grant.partition("-")
        if not (until_s.isascii() and until_s.isdigit() and len(until_s) < 13 and signature.isascii()):
            return None
        if not hmac.compare_digest(signature, self._sign(who, what, until_s)):
            return None
        ends = datetime.fromtimestamp(int(until_s), UTC)
        return ends if now < ends else None

    def _sign(self, who: str, what: str, until_s: str) -> str:
        return hmac.new(self._secret, f"{who} {what} {until_s}".encode(), "sha256").hexdigest()
