"""Codes of six digits from a secret and the time: RFC 6238 with HMAC-SHA-1 and steps of 30 s. Pure.

Why without a library: decisions/001.
"""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
# A phone's clock may be a step behind or ahead (RFC 6238, 5.2).
WINDOW = 1
# RFC 4226, 4, R6 recommends 160 bits.
SECRET_BYTES = 20


def fresh() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def step_at(now: datetime) -> int:
    return int(now.timestamp()) // STEP_S


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of this step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def step_of(secret: bytes, typed: str, now: datetime) -> int | None:
    """The step that this code is of, if it is of one near `now`; the newest where it is of two."""
    found = None
    for step in range(step_at(now) - WINDOW, step_at(now) + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step), typed):
            found = step
    return found


def to_type(secret: bytes) -> str:
    """The secret as a person types it into a phone that cannot scan: base32 in groups of four."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(secret: bytes, store_title: str, name: str) -> str:
    """What the QR code holds, as authenticator apps read it (github.com/google/google-authenticator/wiki)."""
    label = quote(f"{store_title}: {name}".replace(":", "", store_title.count(":")), safe=":")
    asked = {"secret": b32encode(secret).decode().rstrip("="), "issuer": store_title.replace(":", "")}
    return f"otpauth://totp/{label}?{urlencode(asked, quote_via=quote)}"
