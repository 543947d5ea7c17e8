"""Which cameras were asked for pictures, and what became of it.

State: asked -> filmed (a clip was told of) or lost (there are none; `why` is the contract's word).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.columns import moved
from edge.db.evidence_tables import capture
from edge.db.inserts import if_new
from edge.db.store_tables import device, neighbour

ASKED, FILMED, LOST = "asked", "filmed", "lost"
# Why there are no pictures, by the contract's word (broker.events.ClipLost).
NO_PICTURES = {
    "late": "it was asked after they had left the camera's memory",
    "blind": "the camera gave none",
    "full": "the card is full of clips that must be kept",
    "unwritten": "the card did not take them",
    "damaged": "the card did not keep them",
    "missing": "the card did not keep them",
}
# A command to a camera ends after so long: soon it says something of another time only.
GOOD_FOR = timedelta(seconds=60)
# A device that was not heard for so long has no camera that could be asked; nor is it asked again later.
HEARD = timedelta(hours=24)
# Of one device that comes back.
AT_ONCE = 64
_NEAR = sa.select(
    device.c.name, device.c.boot, device.c.monotonic_ms, device.c.clock_at, device.c.heartbeat
).where(
    device.c.store == sa.bindparam("in_store"),
    device.c.heartbeat_at > sa.bindparam("in_since"),
    device.c.name != sa.bindparam("in_but"),
    device.c.revoked_at.is_(None),
    sa.or_(
        device.c.zone == sa.bindparam("in_zone"),
        device.c.zone.in_(
            sa.select(neighbour.c.beside).where(
                neighbour.c.store == sa.bindparam("in_store"), neighbour.c.zone == sa.bindparam("in_zone")
            )
        ),
    ),
)
_ADD = if_new(capture)


@dataclass(frozen=True, slots=True)
class Camera:
    """A device with a camera, and its clock as last heard: (boot, monotonic_ms) at `clock_at`."""

    device: str
    boot: str | None
    monotonic_ms: int | None
    clock_at: datetime | None

    def moment(self, at: datetime) -> tuple[str, int] | None:
        """`at` by the device's own clock; its beginning, if it was not running then. None if no clock is
        known."""
        if self.boot is None or self.monotonic_ms is None or self.clock_at is None:
            return None
        return self.boot, max(0, self.monotonic_ms + (at - self.clock_at) // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Capture:
    """One camera that was asked for one cause."""

    cause: str
    device: str
    request: str
    wanted_at: datetime
    asked_at: datetime
    state: str
    why: str | None
    answered_at: datetime | None


def in_words(one: Capture, now: datetime) -> str:
    """What became of it: one sentence without its subject, which is the device. What it says of a device that
    is silent is what the store does, and not why it is silent."""
    if one.state == LOST:
        return f"has no pictures: {NO_PICTURES.get(one.why or '', 'it did not say why')}."
    if one.state == FILMED:
        return "has told of a clip."
    asked = f"was asked for pictures at {one.asked_at.astimezone():%H:%M:%S}"
    if now - one.asked_at <= GOOD_FOR:
        return f"{asked} and has not answered yet."
    if now - one.asked_at <= HEARD:
        return f"{asked} and did not answer; it is asked again once it has been away and is back."
    return f"{asked} and never answered; it is asked no more."


_ALL = sa.select(*(capture.c[name] for name in Capture.__dataclass_fields__))


def near(conn: sa.Connection, store: str, zone: str, but: str, now: datetime) -> list[Camera]:
    """The cameras of a zone and of those beside it, without that of one device, by name."""
    values = {"in_store": store, "in_zone": zone, "in_but": but, "in_since": now - HEARD}
    rows = conn.execute(_NEAR, values).all()
    return sorted(
        (Camera(*row[:4]) for row in rows if (row.heartbeat or {}).get("camera") is not None),
        key=lambda camera: camera.device,
    )


def camera_of(conn: sa.Connection, store: str, name: str) -> Camera | None:
    d = device.c
    query = sa.select(d.name, d.boot, d.monotonic_ms, d.clock_at).where(d.store == store, d.name == name)
    row = conn.execute(query).first()
    return None if row is None else Camera(*row)


def add(
    conn: sa.Connection,
    store: str,
    cause: str,
    request: str,
    devices: Iterable[str],
    wanted_at: datetime,
    now: datetime,
) -> None:
    rows = [
        {
            "store": store,
            "cause": cause,
            "device": name,
            "request": request,
            "wanted_at": wanted_at,
            "asked_at": now,
            "state": ASKED,
        }
        for name in devices
    ]
    conn.execute(_ADD[conn.dialect.name], rows)


def unanswered(conn: sa.Connection, store: str, name: str, now: datetime) -> list[Capture]:
    """What a device was asked for not too long ago and has not answered, the newest first."""
    c = capture.c
    query = _ALL.where(
        c.store == store, c.device == name, c.state == sa.literal_column("'asked'"), c.asked_at > now - HEARD
    )
    rows = conn.execute(query.order_by(c.asked_at.desc(), c.cause).limit(AT_ONCE))
    return [Capture(*row) for row in rows]


def answer(
    conn: sa.Connection,
    store: str,
    name: str,
    causes: Sequence[str],
    state: str,
    why: str | None,
    now: datetime,
) -> bool:
    """The device has answered for these causes; whether it was asked for one of them and had said nothing
    yet. That there are pictures counts more than an earlier word that there are none."""
    c = capture.c
    before = (ASKED, LOST) if state == FILMED else (ASKED,)
    done = conn.execute(
        sa.update(capture)
        .where(c.store == store, c.cause.in_(causes), c.device == name, c.state.in_(before))
        .values(state=state, why=why, answered_at=now)
    )
    return bool(done.rowcount)


def request_of(conn: sa.Connection, store: str, name: str, cause: str) -> str | None:
    """The request that this device was asked for under this cause."""
    c = capture.c
    query = sa.select(c.request).where(c.store == store, c.cause == cause, c.device == name)
    return conn.execute(query).scalar()


def without_pictures(conn: sa.Connection, store: str, request: str) -> list[Capture]:
    """The cameras that were asked for a request and gave nothing, or nothing yet; the earliest first."""
    c = capture.c
    query = _ALL.where(c.store == store, c.request == request, c.state != FILMED)
    return [Capture(*row) for row in conn.execute(query.order_by(c.asked_at, c.device))]


def shift(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move what is still wanted by a jump of the server's clock, as the devices' clocks move."""
    columns = (capture.c.wanted_at, capture.c.asked_at)
    conn.execute(
        sa.update(capture)
        .where(capture.c.store == store, capture.c.state == ASKED)
        .values({column: moved(column, by) for column in columns})
    )
