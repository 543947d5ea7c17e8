"""When a delivery is tried, tried again, and given up. Pure: what was tried and the time in, a decision out.

A receiver's word that it took the message is all that can be known: nobody learns whether a person read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from edge.outside.channels import Channel, Happening, takes

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)
# However long a receiver asks for, it is asked again after so long.
LONGEST_ASKED = timedelta(hours=1)
# What the message itself is at fault for, and no later try would mend (RFC 9110, 15.5).
FOR_GOOD = frozenset({400, 405, 410, 411, 413, 414, 415, 422, 431, 501})


class Outcome(Enum):
    """How a try ended. UNKNOWN: it may have arrived, and it may not."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Try:
    """One try that is over. `wait_s`: how long the receiver asked to be left alone."""

    ended_at: datetime
    outcome: Outcome
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """The channel is not told of this."""


@dataclass(frozen=True, slots=True)
class Send:
    """Try it now; this is the try with the number `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """`state` is accepted, refused or given_up."""

    state: str


Decision = Skip | Send | Wait | Over


def give_up_at(channel: Channel, happened_at: datetime) -> datetime:
    return happened_at + timedelta(seconds=channel.give_up_after_s)


def decide(
    channel: Channel, happening: Happening, happened_at: datetime, tries: Sequence[Try], now: datetime
) -> Decision:
    """What to do about a happening on a channel after these tries, the oldest first.

    `happened_at` is when the server wrote it down, not when a kiosk says that it was.
    """
    if not takes(channel, happening):
        return Skip()
    return following(give_up_at(channel, happened_at), tries, now)


def following(until: datetime, tries: Sequence[Try], now: datetime) -> Decision:
    """The same of a delivery that is under way, given up at `until`."""
    if tries and tries[-1].outcome is Outcome.ACCEPTED:
        return Over("accepted")
    if tries and tries[-1].outcome is Outcome.REFUSED:
        return Over("refused")
    next_at = tries[-1].ended_at + pause(len(tries), tries[-1].wait_s) if tries else now
    if max(next_at, now) >= until:
        return Over("given_up")
    return Send(len(tries) + 1) if next_at <= now else Wait(next_at)


def pause(tries: int, wait_s: float | None = None) -> timedelta:
    """How long it rests after so many tries: twice as long each time, and never shorter than was asked."""
    grown = min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE)
    if wait_s is None:
        return grown
    return max(grown, min(timedelta(seconds=min(wait_s, 10.0**6)), LONGEST_ASKED))


def outcome_of(status: int) -> Outcome:
    """What an HTTP status means. A redirect is not followed; whoever set it may mend it."""
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    return Outcome.REFUSED if status in FOR_GOOD else Outcome.FAILED
