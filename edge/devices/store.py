"""The register of zones and devices, and what each device last said of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from broker.messages import DeviceState, Heartbeat
from edge.db.columns import moved
from edge.db.store_tables import device, neighbour, zone
from edge.devices import certificates
from edge.errors import EdgeError
from edge.watching import Watching

if TYPE_CHECKING:
    from broker.identity import Certificate


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device. (boot, monotonic_ms) was true at `clock_at` by the server's clock; since
    `revoked_at` nothing of it is taken."""

    name: str
    zone: str
    status: str
    boot: str | None
    monotonic_ms: int | None
    clock_at: datetime | None
    revoked_at: datetime | None


def add_zone(conn: sa.Connection, store: str, name: str, title: str) -> None:
    """Add a zone, or give an existing one another title."""
    known = conn.execute(
        sa.update(zone).where(zone.c.store == store, zone.c.name == name).values(title=title)
    ).rowcount
    if not known:
        conn.execute(sa.insert(zone).values(store=store, name=name, title=title))


def zones(conn: sa.Connection, store: str) -> dict[str, str]:
    """Zone name -> title."""
    rows = conn.execute(
        sa.select(zone.c.name, zone.c.title).where(zone.c.store == store).order_by(zone.c.name)
    )
    return {row.name: row.title for row in rows}


def watching(conn: sa.Connection, store: str) -> dict[str, Watching]:
    """Zone name -> what it is watched for."""
    z = zone.c
    rows = conn.execute(sa.select(z.name, z.drawer_s, z.watched, z.opens, z.closes).where(z.store == store))
    return {name: Watching(*rest) for name, *rest in rows}


def set_watching(conn: sa.Connection, store: str, name: str, watching: Watching) -> None:
    query = sa.update(zone).where(zone.c.store == store, zone.c.name == name)
    conn.execute(query.values(**asdict(watching)))


def neighbours(conn: sa.Connection, store: str) -> dict[str, list[str]]:
    """Zone name -> the names of the zones beside it; a zone that stands alone is left out."""
    n, found = neighbour.c, dict[str, list[str]]()
    query = sa.select(n.zone, n.beside).where(n.store == store).order_by(n.zone, n.beside)
    for row in conn.execute(query):
        found.setdefault(row.zone, []).append(row.beside)
    return found


def set_neighbours(conn: sa.Connection, store: str, name: str, beside: Iterable[str]) -> None:
    """These zones, and no others, are beside the zone; it is then beside each of them too."""
    n = neighbour.c
    conn.execute(sa.delete(neighbour).where(n.store == store, sa.or_(n.zone == name, n.beside == name)))
    pairs = [pair for other in sorted(set(beside)) for pair in ((name, other), (other, name))]
    if pairs:
        conn.execute(
            sa.insert(neighbour), [{"store": store, "zone": one, "beside": other} for one, other in pairs]
        )


def register(
    conn: sa.Connection, store: str, name: str, zone_name: str, certificate: Certificate | None, now: datetime
) -> None:
    """Add a device or give a known one a new certificate and zone; it then takes part, revoked or not before.

    EdgeError if the zone is unknown.
    """
    known = zones(conn, store)
    if zone_name not in known:
        raise EdgeError(f"There is no zone {zone_name!r}; this store has {', '.join(known) or 'none yet'}.")
    values: dict[str, Any] = {"zone": zone_name}
    if certificate is not None:
        values |= {
            "certificate_sha256": certificate.sha256,
            "certificate_serial": certificate.serial,
            "signing_key": certificate.signing_key,
            "valid_from": certificate.not_before,
            "valid_until": certificate.not_after,
            "revoked_at": None,
            "revoked_reason": None,
            "doubted_at": None,
            "doubted_words": None,
        }
        # What it had before is replaced, also where nobody revoked it.
        certificates.revoke(conn, store, name, now)
        certificates.record(conn, store, certificate)
    done = conn.execute(
        sa.update(device).where(device.c.store == store, device.c.name == name).values(values)
    )
    if not done.rowcount:
        conn.execute(
            sa.insert(device).values(store=store, name=name, added_at=now, status="unknown", **values)
        )


def all_devices(conn: sa.Connection, store: str) -> list[Device]:
    d = device.c
    query = sa.select(d.name, d.zone, d.status, d.boot, d.monotonic_ms, d.clock_at, d.revoked_at)
    rows = conn.execute(query.where(d.store == store).order_by(d.name))
    return [Device(*row) for row in rows]


def save_status(conn: sa.Connection, store: str, name: str, said: DeviceState, now: datetime) -> None:
    """What the device, or its last will, said about being there."""
    values: dict[str, Any] = {"status": said.status, "status_at": now}
    if said.version is not None:
        values["version"] = said.version
    if said.status == "online":
        values["updates"] = said.updates
    conn.execute(sa.update(device).where(device.c.store == store, device.c.name == name).values(values))


def save_clock(
    conn: sa.Connection, store: str, name: str, boot: str, monotonic_ms: int, clock_at: datetime
) -> None:
    conn.execute(
        sa.update(device)
        .where(device.c.store == store, device.c.name == name)
        .values(boot=boot, monotonic_ms=monotonic_ms, clock_at=clock_at)
    )


def shift_clocks(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move what the devices' clocks and silences are measured against by a jump of the server's clock."""
    columns = (device.c.clock_at, device.c.heartbeat_at, device.c.status_at)
    conn.execute(
        sa.update(device)
        .where(device.c.store == store)
        .values({column: moved(column, by) for column in columns})
    )


def save_heartbeat(conn: sa.Connection, store: str, name: str, beat: Heartbeat, now: datetime) -> None:
    """The heartbeat as it came, and its clock."""
    import msgspec

    conn.execute(
        sa.update(device)
        .where(device.c.store == store, device.c.name == name)
        .values(
            heartbeat=msgspec.to_builtins(beat),
            heartbeat_at=now,
            boot=str(beat.boot),
            monotonic_ms=beat.monotonic_ms,
            clock_at=now,
        )
    )
