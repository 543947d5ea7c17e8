"""Every certificate that a device was given, and which of them count no more."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from edge.db.store_tables import certificate, device

if TYPE_CHECKING:
    from broker.identity import Certificate


def record(conn: sa.Connection, store: str, issued: Certificate) -> None:
    """Keep a certificate that was given to a device now."""
    conn.execute(
        sa.insert(certificate).values(
            store=store,
            serial=issued.serial,
            device=issued.name,
            sha256=issued.sha256,
            signing_key=issued.signing_key,
            valid_from=issued.not_before,
            valid_until=issued.not_after,
        )
    )


def revoke(conn: sa.Connection, store: str, name: str, now: datetime) -> None:
    """None of the device's certificates counts from now on."""
    c = certificate.c
    mine = (c.store == store, c.device == name, c.revoked_at.is_(None))
    conn.execute(sa.update(certificate).where(*mine).values(revoked_at=now))


def revoked_serials(conn: sa.Connection, store: str) -> set[str]:
    """What belongs on the CA's list."""
    c = certificate.c
    return set(conn.scalars(sa.select(c.serial).where(c.store == store, c.revoked_at.is_not(None))))


def revoked_devices(conn: sa.Connection, store: str) -> set[str]:
    """The names that are turned away."""
    d = device.c
    return set(conn.scalars(sa.select(d.name).where(d.store == store, d.revoked_at.is_not(None))))


def is_revoked(conn: sa.Connection, store: str, name: str, serial: str | None) -> bool:
    """Whether this device, or the certificate that it shows, is revoked."""
    c, d = certificate.c, device.c
    by_name = sa.select(d.name).where(d.store == store, d.name == name, d.revoked_at.is_not(None))
    by_serial = sa.select(c.device).where(c.store == store, c.serial == serial, c.revoked_at.is_not(None))
    return conn.execute(by_name.union(by_serial).limit(1)).first() is not None
