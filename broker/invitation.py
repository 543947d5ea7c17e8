"""The one-time code that lets a kiosk in: made at the server, typed or scanned at the kiosk.

It says where the server is, how its CA is recognised, and a secret that is good once. Nothing of it is a key.
"""

import hashlib
import hmac
import re
import secrets
import ssl
from dataclasses import dataclass

from broker.errors import IdentityError

# Crockford's: no letter that looks like a digit.
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LIKE = str.maketrans("OILU", "011V", "- ")
# 40 bits, of which a guesser has MISTAKES tries; 80 bits, so that nobody makes another CA that looks alike.
_SECRET, _MARK = 8, 16
PORT = 8445
GOOD_FOR_S = 15 * 60.0
MISTAKES = 5
MAX_BYTES = 16 * 1024
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Code:
    """`mark` is the beginning of the hash of the CA's certificate."""

    secret: str
    mark: str
    host: str
    port: int = PORT

    @property
    def text(self) -> str:
        """As it is shown and scanned."""
        signs = self.secret + self.mark
        groups = "-".join(signs[at : at + 4] for at in range(0, len(signs), 4))
        return f"{groups}@{self.host}" + ("" if self.port == PORT else f":{self.port}")

    def is_of(self, ca_pem: str) -> bool:
        """Whether this is the certificate of the CA that the code was made for."""
        try:
            return hmac.compare_digest(mark_of(ca_pem), self.mark)
        except ValueError:
            return False


def make(ca_pem: str, host: str, port: int = PORT) -> Code:
    """A new code. IdentityError if the kiosk could not reach `host` by that name."""
    if not _HOST.fullmatch(host):
        raise IdentityError(f"The host is {host[:80]!r}; allowed is a name or an IPv4 address.")
    secret = "".join(secrets.choice(_SIGNS) for _ in range(_SECRET))
    return Code(secret, mark_of(ca_pem), host, port)


def read(text: str) -> Code:
    """A code as somebody typed it. IdentityError says what is wrong with it."""
    signs, at, where = text.strip().partition("@")
    signs = signs.upper().translate(_LIKE)
    host, colon, port = where.partition(":")
    if not at or not _HOST.fullmatch(host) or (colon and not (port.isascii() and port.isdigit())):
        raise IdentityError(
            "The code has no server behind an @; allowed is XXXX-…-XXXX@host as it was shown."
        )
    if len(signs) != _SECRET + _MARK or not set(signs) <= set(_SIGNS):
        raise IdentityError(
            f"The code has {len(signs)} signs before the @; allowed are {_SECRET + _MARK} letters and digits."
        )
    number = int(port or PORT)
    if not 1 <= number <= 65535:
        raise IdentityError(f"The code's port is {number}; allowed are 1 to 65535.")
    return Code(signs[:_SECRET], signs[_SECRET:], host, number)


def mark_of(ca_pem: str) -> str:
    """ValueError if this is no certificate."""
    digest = int.from_bytes(hashlib.sha256(ssl.PEM_cert_to_DER_cert(ca_pem)).digest())
    bits = 256 - 5 * _MARK
    top = digest >> bits
    return "".join(_SIGNS[top >> 5 * at & 31] for at in reversed(range(_MARK)))


class Door:
    """Who is let in: the one who says the secret, once, in time, before MISTAKES wrong ones."""

    def __init__(self, secret: str, opened_s: float) -> None:
        self._secret, self._until_s = secret, opened_s + GOOD_FOR_S
        self._mistakes = 0
        self.used = False

    def against(self, secret: str, now_s: float) -> str | None:
        """The sentence against whoever says this, or None. A wrong secret counts."""
        if self.used:
            return "This code was used already; ask for a new one."
        if self.shut(now_s):
            return "This code is not good any more; ask for a new one."
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            self._mistakes += 1
            return "This is not the code that was shown."
        return None

    def shut(self, now_s: float) -> bool:
        """Whether nobody is let in any more."""
        return self.used or now_s >= self._until_s or self._mistakes >= MISTAKES
