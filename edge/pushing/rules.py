"""What a push says, how long it is worth sending, and what an answer of a push service means. Pure."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

# A page is worth a push for so long: later others are called anyway, and security again. The same for
# all: it stands in a header that the push service reads.
WORTH = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=10)
MAX_ADDRESS = 1000
# Longer than anything that is said; everything is filled up to it, so that the length tells nothing.
PLAIN_BYTES = 512
MAX_PLACE = 80
TRIAL = "trial"
# What is called for beside somebody who may threaten, or who is watched: decisions/001.
DISCREET = frozenset({"security", "watch", "drawer"})
OPEN = "open"


class Outcome(StrEnum):
    """How a try ended. UNKNOWN: the service may have it, and may not. GONE: no such phone."""

    SENT = "sent"
    GONE = "gone"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a try went. `wait_s`: how long the service asked to be left alone."""

    outcome: Outcome
    words: str
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """What a page is about. `kind` is a request's, or TRIAL."""

    kind: str
    request: str
    place: str = ""
    drill: bool = False


def said(push: str, matter: Matter, at: datetime) -> bytes:
    """The payload: JSON of PLAIN_BYTES. Of what is DISCREET neither kind nor place nor request is in it."""
    content: Mapping[str, object] = {
        "push": push,
        "tag": topic(matter),
        "at": int(at.timestamp() * 1000),
        "what": OPEN,
    }
    if matter.kind not in DISCREET:
        place = matter.place[:MAX_PLACE]
        more = {"what": matter.kind, "place": place, "drill": matter.drill, "request": matter.request}
        content = {**content, **(more if matter.kind != TRIAL else {"what": TRIAL})}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode().ljust(PLAIN_BYTES)


def topic(matter: Matter) -> str:
    """For the header that lets a later push take an earlier one's place (RFC 8030, 5.4): 32 signs of which
    nobody learns the request."""
    return urlsafe_b64encode(hashlib.sha256(f"{matter.request}{matter.kind}".encode()).digest()[:24]).decode()


def headers(matter: Matter, until: datetime, now: datetime) -> dict[str, str]:
    """What the push service is told; nothing here differs between kinds."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(max(1, int((until - now).total_seconds()))),
        "Urgency": "high",
        "Topic": topic(matter),
        "User-Agent": "Floorbell",
        "Connection": "close",
    }


def ended(status: int, said: str, wait_s: float | None) -> Ended:
    """What an answer means (RFC 8030, 5 and 7.3; RFC 8292, 4.2). Only 201 says that the service has it."""
    if status == 201:
        return Ended(Outcome.SENT, f"Sent to the phone's push service ({said}).")
    if status in (404, 410):
        return Ended(Outcome.GONE, f"The push service knows this phone no longer ({said}).")
    if status in (401, 403):
        return Ended(Outcome.REFUSED, f"The push service does not take this store's key or clock ({said}).")
    if status == 429 or status >= 500:
        return Ended(Outcome.FAILED, f"The push service did not take it ({said}).", wait_s)
    if 200 <= status < 300:
        return Ended(
            Outcome.UNKNOWN, f"The push service answered {said}, not 201; whether it has it is unknown."
        )
    if 300 <= status < 400:
        return Ended(Outcome.REFUSED, f"The push service answered {said}, a redirect; none is followed.")
    return Ended(Outcome.REFUSED, f"The push service refuses this push ({said}).")


def next_at(until: datetime, tries: int, wait_s: float | None, now: datetime) -> datetime | None:
    """When to try again after so many tries; None if that would be too late for the page."""
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
    if wait_s is not None:
        pause = max(pause, timedelta(seconds=min(wait_s, 10.0**6)))
    again = now + pause
    return again if again < until else None


def parts(endpoint: str) -> SplitResult | None:
    """A subscription's address, if it is one that may be sent to: https, no name and password in it."""
    try:
        found = urlsplit(endpoint)
        well = found.scheme == "https" and bool(found.hostname) and found.port != 0
    except ValueError:
        return None
    printable = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
    return found if well and printable and len(endpoint) <= MAX_ADDRESS and "@" not in found.netloc else None
