"""A person calls security without a sound: by holding the bar of their phone, or by their second PIN.

It is paged as a kiosk's, at once and in the same transaction; nothing is asked before. Each function is one
transaction's work.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from broker.events import SecurityRequested, new_id
from edge.config import Policies
from edge.db.store_tables import person as people_table
from edge.handling import acting, capturing, escalating, placing, safety, tampering
from edge.handling.safety import WATCHED, Check
from edge.handling.telling import Telling
from edge.interactions import holds
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import Cancel, Change, Join, Refusal, Request, State
from edge.interactions.store import Entry
from edge.lengths import in_words
from edge.people.store import Person
from edge.routing import inforce

log = logging.getLogger(__name__)

# A shorter delay is the way itself, and is not written down.
NOTED_FROM_S = 5


@dataclass(frozen=True, slots=True)
class Call:
    """`id` is the phone's own, the same at each try; `kept_s` is how long the phone has had it.

    `sender`: whose sign-in the phone held when it came, where that is another's by now.
    """

    id: UUID
    kept_s: int = 0
    trigger: Literal["hold", "duress"] = "hold"
    sender: str | None = None


def call(
    conn: sa.Connection,
    store: str,
    file: Policies,
    person: str,
    made: Call,
    now: datetime,
    through: str = "phone",
) -> str:
    """Raise a silent security request, or the urgency of the one that this person has open; its id.

    The same call again changes nothing, also when its request is over. `file` are edge.toml's policies.
    """
    who = acting.who_is(conn, store, person)
    if not holds.claim(conn, store, made.id, SecurityRequested(made.trigger), now):
        return holds.request_of(conn, store, made.id)
    # Of two different calls of one person at once the second waits here for the first, and joins it.
    conn.execute(sa.select(people_table.c.id).where(people_table.c.id == person).with_for_update())
    telling = Telling(store)
    policies = inforce.read(conn, store, file)
    current = holds.open_of(conn, store, person)
    if current is None:
        request = _raise(conn, telling, policies, who, made, now, through)
    else:
        request = _again(conn, telling, policies, who, current, made, now, through)
    holds.belongs(conn, store, made.id, request.id)
    said = [Entry(request.id, now, "kept", through, words, person) for words in _late(conn, store, who, made)]
    requests.append(conn, said)
    telling.flush(conn, now)
    return request.id


def rehearse(conn: sa.Connection, store: str, file: Policies, person: str, made: Call, now: datetime) -> None:
    """All the work of a call, of which nothing stays: what needs none takes as long then (decisions/006 of
    edge.web). A fault of ours in it stops nobody; one of the database is raised."""
    rehearsal = conn.begin_nested()
    try:
        call(conn, store, file, person, made, now)
    except sa.exc.DBAPIError:
        raise
    except Exception:
        log.exception("A call for security failed when it was rehearsed.")
    finally:
        rehearsal.rollback()


def take_back(
    conn: sa.Connection, store: str, person: str, now: datetime, through: str = "phone"
) -> Request | None:
    """The caller, who has just proved it with their own PIN, needs nobody; it stays in the log.

    None if nothing of theirs is open; Refused once somebody is with them.
    """
    who, request = acting.who_is(conn, store, person), holds.open_of(conn, store, person)
    if request is None:
        return None
    acting.act(conn, store, request, Cancel(person, who.name, proven=True), now, through)
    return request


def pretend_to_take_back(
    conn: sa.Connection, store: str, file: Policies, person: str, made: Call, now: datetime
) -> str | None:
    """The second PIN was typed to take it back: everyone is paged again, and the phone shows nothing of it.

    Where nothing was open, something is now. What take_back would have been refused with, if it would.
    """
    name, before = acting.who_is(conn, store, person).name, holds.open_of(conn, store, person)
    answer = decide(before, Cancel(person, name, proven=True)) if before is not None else None
    request = call(conn, store, file, person, made, now)
    words = f"{name} typed the second PIN to take it back: somebody watches them. It goes on."
    requests.append(conn, [Entry(request, now, WATCHED, "phone", words, person)])
    return answer.sentence if isinstance(answer, Refusal) else None


@dataclass(frozen=True, slots=True)
class OwnCall:
    """What the caller's own phone may show of their open request. `coming` is who said so, or is there.

    `asks` is who wants to know whether they are safe and has no answer yet.
    """

    request: str
    zone: str
    state: State
    coming: str | None
    asks: str | None


def told(conn: sa.Connection, store: str, person: str) -> OwnCall | None:
    """None also where somebody may be watching that phone: after the second PIN it looks as always."""
    request = holds.open_of(conn, store, person, lock=False)
    if request is None or safety.watched(conn, request):
        return None
    asked = safety.of(conn, request.id)
    asks = asked.by if asked is not None and asked.safe is None else None
    return OwnCall(request.id, request.zone, request.state, request.owner_name, asks)


@dataclass(frozen=True, slots=True)
class Facts:
    """What those who are called read of a security request besides its place. Sentences of its timeline.

    `place`: where its caller was last; `watched`: that somebody watches their phone, so that nobody can ask
    them; `tampering`: what a kiosk there reported; `check`: whether they are safe.
    """

    place: str = ""
    watched: str = ""
    tampering: str = ""
    check: Check | None = None


def facts(conn: sa.Connection, request: str, topic: str | None) -> Facts:
    said = requests.said(conn, request, ("called", "placed", WATCHED, tampering.REPORTED))
    watched = said.get(WATCHED) or (said.get("called", "") if topic == "duress" else "")
    check = safety.of(conn, request)
    return Facts(said.get("placed", ""), watched, said.get(tampering.REPORTED, ""), check)


def _raise(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    who: Person,
    made: Call,
    now: datetime,
    through: str,
) -> Request:
    floor = escalating.floor_of(conn, telling.store, now)
    place = placing.last_known(conn, telling.store, who, floor().title, now)
    request = Request(
        id=str(new_id(int(now.timestamp() * 1000))), store=telling.store, device=holds.DEVICE,
        zone=place.zone, kind="security", topic=made.trigger, language=None, state=State.RAISED, count=1,
        revision=0, step=0, round=0, silent=True, drill=False,
        raised_at=now - timedelta(seconds=made.kept_s), age_known=True, raised_by=who.id,
    )  # fmt: skip

    def insert(raised: Request) -> None:
        requests.insert(
            conn, raised.store, raised.id, now, device=raised.device, zone=raised.zone, kind=raised.kind,
            topic=raised.topic, state=raised.state.value, revision=raised.revision, step=raised.step,
            silent=True, raised_at=raised.raised_at, raised_by=who.id,
        )  # fmt: skip
        requests.append(
            conn,
            [
                Entry(raised.id, now, "called", through, _how(who, made.trigger), who.id),
                Entry(raised.id, now, "placed", "policy", place.words),
            ],
        )

    started = escalating.start(conn, telling, policies, request, insert, floor, now)
    tampering.look(conn, telling, place.zone, now)
    return started


def _again(
    conn: sa.Connection,
    telling: Telling,
    policies: Policies,
    who: Person,
    current: Request,
    made: Call,
    now: datetime,
    through: str,
) -> Request:
    change = decide(current, Join(1, None, silent=True))
    assert isinstance(change, Change)
    requests.update(conn, current, change.request)
    what, words = change.what, f"{_how(who, made.trigger)[:-1]} again: more urgent."
    if made.trigger == "duress":
        what, words = WATCHED, _how(who, made.trigger)
    requests.append(conn, [Entry(current.id, now, what, through, words, who.id)])
    floor = escalating.floor_of(conn, telling.store, now)
    after = escalating.page_again(conn, telling, policies, change.request, floor, now)
    at = now - timedelta(seconds=made.kept_s)
    capturing.ask(conn, telling, after, str(made.id), at, now)
    return after


def _how(who: Person, trigger: str) -> str:
    if trigger == "duress":
        return f"{who.name} signed in with the second PIN: somebody watches them."
    return f"{who.name} called security from a phone."


def _late(conn: sa.Connection, store: str, who: Person, made: Call) -> list[str]:
    found = []
    if made.kept_s >= NOTED_FROM_S:
        ago = in_words(timedelta(seconds=made.kept_s))
        found.append(f"{who.name} did this {ago} earlier; their phone had no connection.")
    if made.sender is not None and made.sender != who.id:
        sender = acting.who_is(conn, store, made.sender)
        found.append(f"It came from a phone on which {sender.name} is signed in by now.")
    return found
