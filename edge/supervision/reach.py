"""Who can be reached now, and whose shift began with a phone that does not answer. Pure.

A phone counts as reachable only after a round trip in the last 10 s (DESIGN 7), a pager while it is heard.
Locked phones fall silent later, and that is no news; but whoever begins, or becomes available, must be heard
once, or their supervisor is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from edge.hearing import SILENT_AFTER
from edge.presence import AWAY, Presence
from edge.supervision.facts import Found, Key, What

ANSWER = timedelta(seconds=10)
# Answers are written down together, up to so much later.
WRITTEN = timedelta(seconds=3)


class Reach(StrEnum):
    """How far somebody can be reached."""

    ANSWERS = "answers"
    # No phone of theirs answers now, and a pager of theirs is heard.
    ON_PAGER = "on_pager"
    # It has 10 s for its first answer.
    ASKED = "asked"
    # Answered at its beginning and not in the last 10 s: locked, or in a pocket.
    QUIET = "quiet"
    # Has never answered since its beginning.
    SILENT = "silent"
    NOT_SIGNED_IN = "not_signed_in"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Responder:
    """One of the staff. `signed_in_at`: on a phone, the last time, if they still are; `heard_at`: when a
    phone of theirs last answered; `presence_at`: since when they are what they say; `pagers`: those that they
    hold, and when each was last heard, if it does not call itself offline; `pushes`: of each phone that may
    be called by push, when a push last arrived there, by its own word."""

    id: str
    name: str
    role: str
    presence: Presence
    presence_at: datetime
    signed_in_at: datetime | None = None
    heard_at: datetime | None = None
    pagers: tuple[tuple[str, datetime | None], ...] = ()
    pushes: tuple[datetime | None, ...] = ()

    def on_pagers(self, now: datetime) -> list[str]:
        """Their pagers that are heard."""
        return [name for name, at in self.pagers if at is not None and now - at <= SILENT_AFTER]

    @property
    def began_at(self) -> datetime:
        """From when on their phone must answer."""
        return max(self.presence_at, self.signed_in_at or self.presence_at)


def reach(one: Responder, now: datetime) -> Reach:
    """How far they can be reached at this moment."""
    if one.presence in AWAY:
        return Reach.AWAY
    if one.signed_in_at is not None and one.heard_at is not None and now - one.heard_at <= ANSWER:
        return Reach.ANSWERS
    if one.on_pagers(now):
        return Reach.ON_PAGER
    if one.signed_in_at is None:
        return Reach.NOT_SIGNED_IN
    if one.heard_at is not None and one.heard_at >= one.began_at:
        return Reach.QUIET
    return Reach.ASKED if now - one.began_at <= ANSWER else Reach.SILENT


def ways(one: Responder, now: datetime) -> tuple[str, ...]:
    """By which ways a page would go to them now: 'stream' to a page that answers, 'push' to a phone that is
    locked, 'pager' to one that is heard."""
    state, pager = reach(one, now), bool(one.on_pagers(now))
    if state is Reach.AWAY:
        return ()
    there = (("stream", state is Reach.ANSWERS), ("push", bool(one.pushes)), ("pager", pager))
    return tuple(way for way, is_there in there if is_there)


def unreachable(roster: Sequence[Responder], now: datetime) -> list[Found]:
    """Whose phone did not answer when they began, and by which way they were to be reached."""
    found = []
    for one in roster:
        state = reach(one, now)
        at = f"{one.began_at.astimezone():%H:%M}"
        if now - one.began_at <= ANSWER + WRITTEN:
            continue
        if state is Reach.SILENT:
            words = f"{one.name} is here since {at}, and their phone has not answered within 10 s."
        elif state is Reach.NOT_SIGNED_IN:
            words = f"{one.name} is here since {at}, and is signed in on no phone."
        else:
            continue
        if one.pagers:
            names = " and ".join(name for name, _ in one.pagers)
            words = f"{words[:-1]}; {names} {'is' if len(one.pagers) == 1 else 'are'} not heard either."
        if one.pushes:
            # That a push service would take it shows nothing of the phone.
            words += " It is called by push too; whether that arrives is not known."
        found.append(Found(Key("", What.PHONE, one.id), one.began_at, words))
    return found
