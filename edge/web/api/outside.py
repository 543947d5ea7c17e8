"""What was told outside the store, try by try; the channels, and a test of one. No address and no key of a
channel is here, nor in the database at all."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.handling import outside as deeds
from edge.outside import log
from edge.outside.channels import Channel
from edge.outside.log import Attempt, Delivery
from edge.web import bearer
from edge.web.api.shapes import Short, shape
from edge.web.manage import asking
from edge.web.manage import outside as desk
from edge.web.services import services


class OutsideChannel(Struct):
    """A channel of edge.toml, and what it takes. `opened` and `closed` are classes of incidents."""

    name: str
    kind: str
    security: bool
    silent: bool
    opened: list[str]
    closed: list[str]
    missed: bool
    drills: bool
    names: bool


class OutsideChannels(Struct):
    channels: list[OutsideChannel]


class OutsideAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """What the messages are narrowed to; '' where they are not."""

    channel: Short = ""
    state: Literal["", "waiting", "accepted", "refused", "given_up"] = ""
    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=log.MAX_LIMIT)] = 50


class OutsideMessage(Struct, rename={"classed_as": "class"}):
    """One message for one address of a channel. `accepted`: a provider or a receiver took it; whether anybody
    has read it is not known. `next_at` is null once it is over; `part` counts the addresses of a channel.
    `class`, `number` and `reference` are empty where there is none; `number` also for a token that may not
    see silent requests: the missing ones would tell of them."""

    id: str
    channel: str
    part: int
    what: str
    words: str
    zone: str
    classed_as: str
    number: str
    reference: str
    drill: bool
    silent: bool
    state: str
    tries: int
    under_way: bool
    created_at: datetime
    give_up_at: datetime
    next_at: datetime | None
    ended_at: datetime | None


class OutsideMessages(Struct):
    """The newest first. `next` goes on, null at the end."""

    messages: list[OutsideMessage]
    next: str | None


class OutsideTry(Struct):
    """`outcome` is accepted, refused (for good), failed or unknown (it may have arrived); null as long as it
    is under way, or if it was cut off and nobody has looked since."""

    number: int
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    words: str


class OutsideWhole(Struct):
    message: OutsideMessage
    tries: list[OutsideTry]


def outside_channels() -> OutsideChannels:
    """The channels."""
    return OutsideChannels([_channel(one) for one in services().config.outside.channel])


def outside_list(query: OutsideAsked) -> OutsideMessages:
    """Search the messages."""
    room = services()
    filters = desk.filters_here(with_silent=bearer.sees_silent())
    before = asking.before_here("among the messages")
    with room.read() as conn:
        found = log.search(conn, room.store, filters, before, query.limit)
    following = str(found[-1].cursor) if len(found) == query.limit else None
    return OutsideMessages([_message(one) for one in found], following)


def outside_read(id: str) -> OutsideWhole:
    """One message with its tries, the oldest first."""
    room = services()
    with room.read() as conn:
        found, tries = log.one(conn, room.store, id, silent=bearer.sees_silent())
    return OutsideWhole(_message(found), [_try(one) for one in tries])


def outside_test(name: str) -> None:
    """Send a test. It appears among the messages once the messenger has found it."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: deeds.test(conn, room.store, actor, room.config.outside, name, room.clock()))


def _channel(one: Channel) -> OutsideChannel:
    return shape(one, OutsideChannel)


def _try(one: Attempt) -> OutsideTry:
    return shape(one, OutsideTry)


def _message(one: Delivery) -> OutsideMessage:
    facts = one.facts
    return OutsideMessage(
        one.id,
        one.channel,
        one.part,
        one.what,
        one.headline,
        facts.zone,
        facts.classed_as,
        facts.number if bearer.sees_silent() else "",
        facts.reference,
        facts.drill,
        one.silent,
        one.state,
        one.tries,
        one.under_way,
        one.created_at,
        one.give_up_at,
        one.next_at,
        one.ended_at,
    )
