"""Who can be reached now."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from edge.supervision import heard
from edge.supervision.reach import Reach, reach, ways
from edge.web.services import services

State = Annotated[str, Meta(description=f"One of {', '.join(Reach)}.")]


class Reachable(Struct):
    """`began_at` is when they signed in or became what they say; `heard_at` when a phone of theirs
    last answered; `pagers` those of their pagers that are heard now; `ways` by which a page would go:
    stream, push, pager. That a push would arrive is not known."""

    person: str
    name: str
    role: str
    presence: str
    reach: State
    began_at: datetime
    signed_in_at: datetime | None
    heard_at: datetime | None
    pagers: list[str]
    ways: list[str]


class WhoIsReachable(Struct):
    people: list[Reachable]


def reach_list() -> WhoIsReachable:
    """Everyone who works here, and whether their phone answers now, or a pager of theirs is heard."""
    room = services()
    now = room.clock()
    with room.read() as conn:
        found = heard.responders(conn, room.store, now)
    return WhoIsReachable(
        [
            Reachable(
                one.id, one.name, one.role, one.presence.value, reach(one, now).value, one.began_at,
                one.signed_in_at, one.heard_at, one.on_pagers(now), list(ways(one, now)),
            )
            for one in found
        ]
    )  # fmt: skip
