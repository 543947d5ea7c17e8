"""[evidence.stamp] in edge.toml, and when the custody log's head is stamped. Pure (DESIGN 6).

Once a day the newest signed head goes to an authority that puts its time to it (RFC 3161). After a failure
it is tried again in a minute, then after pauses that double up to four hours.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

EVERY = timedelta(days=1)
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)


class Authority(Struct, frozen=True, forbid_unknown_fields=True):
    """`url` takes RFC 3161 requests by HTTP; `certificate` is a PEM file beside edge.toml with the CA that
    its stamps are under, root and what is between, from elsewhere than that address."""

    url: Annotated[str, Meta(min_length=1, max_length=500)]
    certificate: Annotated[str, Meta(min_length=1, max_length=500)]

    def fault(self) -> str | None:
        """What is wrong, and what is allowed."""
        try:
            parts = urlsplit(self.url)
            well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            well = False
        if well and self.url.isascii() and self.url.isprintable() and " " not in self.url:
            return None
        return (
            f"evidence.stamp.url is {self.url!r}; an address begins with http:// or https:// and has a host."
        )


@dataclass(frozen=True, slots=True)
class State:
    """How far stamping has come. `head` and `stamped` are the entries under the newest signed and the newest
    stamped head, 0 without one; `failures` how many tries failed since the last stamp."""

    head: int
    stamped: int
    tried_at: datetime | None
    failures: int


def due(state: State, now: datetime) -> bool:
    """Whether to ask the authority now. A log that has not grown since its last stamp needs none."""
    if state.head <= state.stamped:
        return False
    # A try in the future is of a clock that was wrong then: it says nothing.
    if state.tried_at is None or state.tried_at > now:
        return True
    return now >= state.tried_at + pause_after(state.failures)


def pause_after(failures: int) -> timedelta:
    """How long nobody asks after so many failures; a day after a stamp."""
    if failures == 0:
        return EVERY
    return min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)
