"""Whether a phone answers what it was sent: each beat carries a nonce that says for whom and when it is.

It is signed, not remembered, so that any process of the store can tell; DESIGN 7 says how old it may be.
"""

import hashlib
import hmac
from datetime import datetime

from edge.reports.floor import FRESH


class RoundTrips:
    """Makes and knows nonces. `secret` is the web key that all processes of the store share."""

    def __init__(self, secret: str) -> None:
        self._secret = hashlib.sha256(b"round trip" + secret.encode()).digest()

    def ask(self, session: str, now: datetime) -> str:
        """A nonce for the phone with this session's key."""
        at_ms = str(int(now.timestamp() * 1000))
        return f"{at_ms}-{self._sign(session, at_ms)}"

    def answers(self, session: str, nonce: str, now: datetime) -> bool:
        """Whether this nonce was made for this session, and not longer ago than counts."""
        at_ms, _, signature = nonce.partition("-")
        if not (at_ms.isascii() and at_ms.isdigit() and len(at_ms) < 16 and signature.isascii()):
            return False
        if not hmac.compare_digest(signature, self._sign(session, at_ms)):
            return False
        return 0 <= now.timestamp() * 1000 - int(at_ms) <= FRESH.total_seconds() * 1000

    def _sign(self, session: str, at_ms: str) -> str:
        return hmac.new(self._secret, f"{session} {at_ms}".encode(), "sha256").hexdigest()[:32]
