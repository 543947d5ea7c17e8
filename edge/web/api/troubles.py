"""What is wrong with the store's own things: kiosks, cameras, clocks, disks, the server's parts."""

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from edge.handling import behalf, supervising
from edge.supervision import store as supervision
from edge.web import bearer
from edge.web.api.acting import By
from edge.web.services import services


class Trouble(Struct):
    """`device` is '' for the server's own side, `what` a kind, `words` what is wrong, `since` since when;
    `returns` is how often it came back, `well_at` since when it seems well, `told` who heard of it. `id` is
    also that of the interaction in the log that tells its story."""

    id: str
    device: str
    what: str
    about: str
    words: str
    since: datetime
    returns: int
    well_at: datetime | None
    told: list[str]


class Troubles(Struct):
    troubles: list[Trouble]


def troubles_list() -> Troubles:
    """What is wrong now, the newest first. For a token that may not know of silent requests it lacks what
    could tell of one."""
    room = services()
    with room.read() as conn:
        found = supervision.open_now(conn, room.store, silent=bearer.sees_silent())
    return Troubles(
        [
            Trouble(
                one.id,
                one.device,
                one.what,
                one.about,
                one.words,
                one.since,
                one.returns,
                one.well_at,
                list(one.names),
            )
            for one in found
        ]
    )


def trouble_seen(id: str, body: By) -> None:
    """The person, who was told of it, has seen it, or that it is over. 404 for somebody who was not told."""
    room, actor, silent = services(), bearer.actor_here(), bearer.sees_silent()

    def change(conn: sa.Connection) -> None:
        store, person, now = room.store, body.person, room.clock()

        def act() -> None:
            supervising.see(conn, store, id, person, actor.through, now)

        behalf.trouble_seen(conn, store, actor, id, person, act, now, silent=silent)

    room.change(change)
