"""What a clip was recorded for, as the log knows it: that says who may see it and how long it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from edge.db.tables import event, interaction
from edge.evidence import captures, causes
from edge.evidence.clips import Clip
from edge.retention import Class, class_of


@dataclass(frozen=True, slots=True)
class Cause:
    """The interaction that a clip was recorded for; `kind` None while the store does not know it."""

    kind: str | None = None
    silent: bool = True
    drill: bool = False
    interaction: str | None = None


@dataclass(frozen=True, slots=True)
class Causes:
    """All that a clip was recorded for."""

    each: tuple[Cause, ...]

    @property
    def silent(self) -> bool:
        """One that is silent hides the clip, whatever else is on it."""
        return any(cause.silent for cause in self.each)

    @property
    def drill(self) -> bool:
        return all(cause.drill for cause in self.each)

    @property
    def interactions(self) -> list[str]:
        return list(dict.fromkeys(c.interaction for c in self.each if c.interaction is not None))

    def kept_as(self, *, drill: bool) -> Class:
        """The longest class among them; `drill` if the clip itself says that it is one."""
        classes = {class_of(cause.kind, drill=cause.drill or drill) for cause in self.each}
        return "security" if "security" in classes else "routine"


def cause_of(conn: sa.Connection, store: str, device_name: str, cause: str) -> Cause:
    """By the id of the interaction, or of a press of this device that joined one, or of one that this device
    was asked for. Of an unknown one nobody knows that it is not silent."""
    i, e = interaction.c, event.c
    query = sa.select(e.interaction).where(e.store == store, e.device == device_name, e.id == cause)
    joined = conn.execute(query).scalar() or captures.request_of(conn, store, device_name, cause)
    row = conn.execute(
        sa.select(i.kind, i.silent, i.drill, i.id).where(i.store == store, i.id.in_([cause, joined or cause]))
    ).first()
    return Cause() if row is None else Cause(*row)


def together(conn: sa.Connection, store: str, device_name: str, ids: Sequence[str]) -> Causes:
    return Causes(tuple(cause_of(conn, store, device_name, one) for one in ids))


def of_clip(conn: sa.Connection, store: str, clip: Clip) -> Causes:
    ids = causes.of_clip(conn, store, clip.id)
    return together(conn, store, clip.device, [clip.cause, *(one for one in ids if one != clip.cause)])
