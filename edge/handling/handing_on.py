"""Declining a call, and handing a request over warm. Each function is one transaction's work.

They raise Refused with one sentence, or NotFound.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from edge import presence
from edge.config import Policies
from edge.errors import Refused
from edge.handling import acting, escalating, finishing
from edge.handling.telling import Telling
from edge.interactions.lifecycle import decide
from edge.interactions.request import DECLINE_REASONS, Change, Decline, HandOver, Refusal, TakeBack
from edge.paging import store as pages
from edge.paging import timers
from edge.paging.timers import Timer
from edge.presence import AWAY

# So long the colleague is asked; then the owner hears that they stay.
ASKED = timedelta(seconds=60)
MAX_NOTE = 140
# What the reason of a page says that asks somebody to take over.
ASKS = "asks you to take over"


def decline(
    conn: sa.Connection,
    store: str,
    file: Policies,
    request_id: str,
    person: str,
    reason: str,
    now: datetime,
    through: str = "phone",
) -> None:
    """'I cannot come', with one of request.DECLINE_REASONS. Saying it twice is saying it once.

    If nobody's page is left, the next people are called at once. `file` are edge.toml's policies.
    """
    who, request = acting.involved(conn, store, request_id, person)
    waits = pages.waits_for(conn, request.id, person)
    decision = decide(request, Decline(person, who.name, reason, beside=waits))
    if isinstance(decision, Refusal):
        raise Refused(decision.sentence, decision.holder)
    assert isinstance(decision, Change)
    if not waits:
        if pages.has_declined(conn, request.id, person):
            return
        raise Refused("You are not called for this request.")
    telling = Telling(store)
    pages.decline(conn, request.id, person, DECLINE_REASONS[reason], now)
    if decision.what == "declined":
        escalating.declined(conn, telling, file, request, decision, now, through)
    else:
        finishing.finish(conn, telling, request, decision, through, now)
    telling.flush(conn, now)


def hand_over(
    conn: sa.Connection,
    store: str,
    request_id: str,
    person: str,
    to: str,
    note: str,
    now: datetime,
    through: str = "phone",
) -> None:
    """Ask a colleague to take over, with up to 140 signs of what they need to know.

    The owner stays responsible until the colleague has accepted; after 60 s without an answer the owner is
    told and keeps it.
    """
    note = " ".join(note.split())
    if len(note) > MAX_NOTE:
        raise Refused(f"What your colleague needs to know has {len(note)} signs; allowed are {MAX_NOTE}.")
    who, request = acting.involved(conn, store, request_id, person)
    colleague = acting.who_is(conn, store, to)
    if request.owner == person and escalating.apart(conn, request):
        raise Refused("This is a drill; nobody else is called for it.")
    there = presence.at(colleague.presence, colleague.presence_until, now)
    if request.owner == person and there in AWAY:
        raise Refused(f"{presence.in_words(colleague.name, there)}; choose somebody who is here.")
    asking = HandOver(person, who.name, to, colleague.name, now, note)
    change = acting.act(conn, store, request, asking, now, through)
    if change is None:
        return
    asked = change.request
    reason = f"{who.name} {ASKS}" + (f": {note}" if note else "")
    telling = Telling(store)
    telling.paged(asked, pages.insert(conn, store, asked.id, [(to, reason)], asked.round, now))
    timers.set_due(conn, store, asked.id, Timer.HANDOVER, now + ASKED)
    telling.flush(conn, now)


def take_back(
    conn: sa.Connection, store: str, request_id: str, person: str, now: datetime, through: str = "phone"
) -> None:
    """The owner keeps it after all; the colleague's page needs no answer any more."""
    who, request = acting.involved(conn, store, request_id, person)
    acting.act(conn, store, request, TakeBack(person, who.name), now, through)
