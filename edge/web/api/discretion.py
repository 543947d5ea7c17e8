"""What would tell of a silent request, kept from a token that may not know of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from edge.db.tables import interaction, is_open
from edge.errors import Refused
from edge.reports.tallies import LOUD
from edge.web import bearer
from edge.web.services import services


def shows(topic: str) -> bool:
    """Whether this token may see a message of this topic; a cancel may be a silent request's."""
    return bearer.sees_silent() or topic.rpartition("/")[2] in LOUD


@contextmanager
def discreetly(person: str) -> Iterator[None]:
    """A refusal names the person's open requests that stand against it; a silent one not to everybody."""
    try:
        yield
    except Refused:
        room, i = services(), interaction.c
        if bearer.sees_silent():
            raise
        theirs = sa.or_(i.owner == person, i.handover_to == person)
        query = sa.select(i.id).where(i.store == room.store, is_open, theirs, i.silent).limit(1)
        with room.read() as conn:
            if conn.execute(query).first() is None:
                raise
        raise Refused("This cannot be done at this moment; try again later.") from None
