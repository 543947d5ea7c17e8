"""What a program does for a person of the store: answers their pages, closes, hands over, calls a supervisor.

Nothing of it is under a limit of rate: a page must never wait for one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from msgspec import Meta, Struct

from edge.handling import acting, behalf, being, handing_on, raising, safety, summoning
from edge.interactions.request import DECLINE_REASONS, OUTCOMES
from edge.paging import store as paging
from edge.presence import BREAK_MINUTES
from edge.web import bearer
from edge.web.api.discretion import discreetly
from edge.web.api.log import Interaction, story_of
from edge.web.api.shapes import Name, Short, Text, shape
from edge.web.floor.quiet import LONGEST_KEPT_S
from edge.web.services import services

_OUTCOMES = " ".join(f"{key}: {said}." for key, said in OUTCOMES.items())
_REASONS = " ".join(f"{key}: {said}." for key, said in DECLINE_REASONS.items())
Minutes = Annotated[int, Meta(description=f"Of a break: {', '.join(map(str, BREAK_MINUTES))}.")]


class By(Struct, frozen=True, forbid_unknown_fields=True):
    """For whom: the id of a person who works here."""

    person: Short


class Resolved(By, frozen=True, forbid_unknown_fields=True):
    outcome: Annotated[Text, Meta(max_length=32, description=_OUTCOMES)]
    note: Annotated[Text, Meta(max_length=1000)] = ""


class Declined(By, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[Text, Meta(max_length=32, description=_REASONS)]


class HandedOver(By, frozen=True, forbid_unknown_fields=True):
    """`to` is the id of the colleague, `note` what they need to know."""

    to: Short
    note: Annotated[Text, Meta(max_length=handing_on.MAX_NOTE)] = ""


class CalledTo(By, frozen=True, forbid_unknown_fields=True):
    zone: Name


class SecurityCalled(By, frozen=True, forbid_unknown_fields=True):
    """`id` is made by the caller's device for one hold, and is the same at each try; `kept_s` is its age."""

    id: UUID
    kept_s: Annotated[int, Meta(ge=0, le=LONGEST_KEPT_S)] = 0


class Answered(By, frozen=True, forbid_unknown_fields=True):
    safe: bool


class Raised(Struct):
    """The id of the request that it became."""

    interaction: str


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A break has its minutes; whoever is unreachable names the id of who stands in."""

    presence: Literal["available", "busy", "on_break", "unreachable"]
    minutes: Minutes | None = None
    cover: Short | None = None


class OpenPage(Struct):
    """An open request as the person's phone shows it; `page` is null where they have it without a page."""

    page: str | None
    request: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    language: str | None
    device: str
    reference: str
    count: int
    state: str
    reason: str
    mine: bool
    owner_name: str | None
    raised_at: datetime
    age_known: bool
    silent: bool
    drill: bool
    asked: bool
    called: bool
    handover_name: str | None
    caller_name: str | None
    own: bool


class OpenPages(Struct):
    pages: list[OpenPage]


class Reached(Struct, frozen=True, forbid_unknown_fields=True):
    """Ids of pages; others than this person's change nothing."""

    pages: Annotated[list[Short], Meta(max_length=100)]


def interaction_acknowledge(id: str, body: By) -> Interaction:
    """'I am coming'. Of two at once one wins; the other gets 409 with the winner as `holder`."""
    return _act(id, body.person, "acknowledged", acting.acknowledge)


def interaction_attend(id: str, body: By) -> Interaction:
    """'I am here'."""
    return _act(id, body.person, "attended", acting.attend)


def interaction_resolve(id: str, body: Resolved) -> Interaction:
    """Close it with an outcome."""

    def act(conn: sa.Connection, store: str, request: str, person: str, now: datetime, through: str) -> None:
        acting.resolve(conn, store, request, person, body.outcome, body.note, now, through)

    return _act(id, body.person, "resolved", act)


def interaction_decline(id: str, body: Declined) -> Interaction:
    """'I cannot come'. If nobody is left who was called, the next are called at once."""
    file = services().config.policy

    def act(conn: sa.Connection, store: str, request: str, person: str, now: datetime, through: str) -> None:
        handing_on.decline(conn, store, file, request, person, body.reason, now, through)

    return _act(id, body.person, "declined", act)


def interaction_hand_over(id: str, body: HandedOver) -> Interaction:
    """Ask a colleague to take over; the owner stays responsible until they accept."""

    def act(conn: sa.Connection, store: str, request: str, person: str, now: datetime, through: str) -> None:
        handing_on.hand_over(conn, store, request, person, body.to, body.note, now, through)

    return _act(id, body.person, "handed over", act)


def interaction_take_back(id: str, body: By) -> Interaction:
    """The owner keeps it after all."""
    return _act(id, body.person, "taken back", handing_on.take_back)


def interaction_supervisor(id: str, body: By) -> Interaction:
    """Call the supervisors to it; whoever has it keeps it."""
    return _act(id, body.person, "supervisor called", summoning.call_to_request)


def interaction_call_off(id: str, body: By) -> Interaction:
    """Whoever called a supervisor to a place needs none any more."""
    return _act(id, body.person, "called off", summoning.take_back)


def supervisor_call(body: CalledTo) -> Raised:
    """Call a supervisor to a place, without a request. Whoever has called already gets the same one again."""
    room, actor, file = services(), bearer.actor_here(), services().config.policy

    def change(conn: sa.Connection) -> str:
        now, person = room.clock(), body.person

        def act() -> str:
            return summoning.call_to_place(conn, room.store, file, person, body.zone, now, actor.through)

        return behalf.of_person(conn, room.store, actor, person, "supervisor called", act, now)

    return Raised(room.change(change))


def security_call(body: SecurityCalled) -> Raised:
    """Call security for a person, without a sound. The same id again changes nothing; another one while it is
    open makes it more urgent."""
    room, actor = services(), bearer.actor_here()
    made = raising.Call(body.id, body.kept_s)

    def change(conn: sa.Connection) -> str:
        now, policy = room.clock(), room.config.policy
        raised = raising.call(conn, room.store, policy, body.person, made, now, actor.through)
        behalf.security_called(conn, room.store, actor, raised, body.person, now)
        return raised

    return Raised(room.change(change))


def interaction_ask_safe(id: str, body: By) -> Interaction:
    """'Are you safe?', to whoever called security from a phone. It changes nothing of who is paged."""
    return _act(id, body.person, "asked whether safe", safety.ask)


def interaction_answer_safe(id: str, body: Answered) -> Interaction:
    """The caller's own word, once somebody has asked."""

    def act(conn: sa.Connection, store: str, request: str, person: str, now: datetime, through: str) -> None:
        safety.answer(conn, store, request, person, body.safe, now, through)

    return _act(id, body.person, "answered whether safe", act)


def presence_say(id: str, body: Said) -> None:
    """What a person says of themselves on the floor. 409 while a request is theirs."""
    room, actor = services(), bearer.actor_here()

    def change(conn: sa.Connection) -> None:
        now = room.clock()

        def act() -> None:
            being.say(conn, room.store, id, body.presence, now, minutes=body.minutes, cover=body.cover)

        behalf.of_person(conn, room.store, actor, id, "presence said", act, now)

    with discreetly(id):
        room.change(change)


def pages_list(id: str) -> OpenPages:
    """Everything open that concerns a person, as their phone shows it."""
    return OpenPages([shape(one, OpenPage) for one in _pages(id)])


def pages_delivered(id: str, body: Reached) -> None:
    """The person's device has these pages."""
    room, mine = services(), _own(id, body)
    if mine:
        room.change(lambda conn: acting.mark_delivered(conn, room.store, id, mine, room.clock()))


def pages_seen(id: str, body: Reached) -> None:
    """They are in front of the person's eyes; the shopper is told who saw the request first."""
    room, mine, through = services(), _own(id, body), bearer.actor_here().through
    if mine:
        room.change(lambda conn: acting.mark_seen(conn, room.store, id, mine, room.clock(), through))


def _act(id: str, person: str, what: str, act: Callable[..., object]) -> Interaction:
    room, actor, silent = services(), bearer.actor_here(), bearer.sees_silent()

    def change(conn: sa.Connection) -> None:
        now = room.clock()
        behalf.on_request(
            conn,
            room.store,
            actor,
            id,
            person,
            what,
            lambda: act(conn, room.store, id, person, now, actor.through),
            now,
            silent=silent,
        )

    room.change(change)
    with room.read() as conn:
        return shape(story_of(conn, id).row, Interaction)


def _pages(person: str) -> list[paging.OpenPage]:
    room = services()
    with room.read() as conn:
        acting.who_is(conn, room.store, person)
        found = paging.open_pages(conn, room.store, person)
    return [one for one in found if bearer.sees_silent() or not one.silent]


def _own(person: str, body: Reached) -> list[str]:
    known = {one.page for one in _pages(person)}
    return [page for page in body.pages if page in known]
