"""Every certificate that a device was given, and which of them count no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from edge.db.store_tables import certificate, device

if TYPE_CHECKING:
    from broker.identity import Certificate


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate as the register knows it; `renews` is the serial number of the one that asked for it,
    `pem` what is given out again until it was seen at `seen_at`."""

    serial: str
    device: str
    sha256: str
    signing_key: str | None
    valid_from: datetime
    valid_until: datetime
    revoked_at: datetime | None
    issuer: str | None
    public_key: str | None
    renews: str | None
    pem: str | None
    seen_at: datetime | None


def record(
    conn: sa.Connection, store: str, issued: Certificate, renews: str | None = None, pem: str | None = None
) -> None:
    """Keep a certificate that was given to a device now; a renewal with what it `renews`."""
    conn.execute(
        sa.insert(certificate).values(
            store=store,
            serial=issued.serial,
            device=issued.name,
            sha256=issued.sha256,
            signing_key=issued.signing_key,
            valid_from=issued.not_before,
            valid_until=issued.not_after,
            issuer=issued.issuer,
            public_key=issued.key,
            renews=renews,
            pem=pem,
        )
    )


def find(conn: sa.Connection, store: str, serial: str | None) -> Held | None:
    """The certificate of this serial number (hexadecimal)."""
    return _held(conn, certificate.c.store == store, certificate.c.serial == serial)


def successor(conn: sa.Connection, store: str, serial: str) -> Held | None:
    """The certificate that this one asked for."""
    return _held(conn, certificate.c.store == store, certificate.c.renews == serial)


def seen(conn: sa.Connection, store: str, held: Held, now: datetime) -> None:
    """The device showed its renewed certificate: this one counts now, and what it had before does not."""
    c, d = certificate.c, device.c
    here = (c.store == store, c.device == held.device, c.serial != held.serial, c.revoked_at.is_(None))
    conn.execute(sa.update(certificate).where(*here).values(revoked_at=now))
    this = (c.store == store, c.serial == held.serial)
    conn.execute(sa.update(certificate).where(*this).values(seen_at=now, pem=None))
    conn.execute(
        sa.update(device)
        .where(d.store == store, d.name == held.device)
        .values(
            certificate_sha256=held.sha256,
            certificate_serial=held.serial,
            valid_from=held.valid_from,
            valid_until=held.valid_until,
        )
    )


def _held(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> Held | None:
    c = certificate.c
    query = sa.select(
        c.serial, c.device, c.sha256, c.signing_key, c.valid_from, c.valid_until, c.revoked_at,
        c.issuer, c.public_key, c.renews, c.pem, c.seen_at,
    )  # fmt: skip
    row = conn.execute(query.where(*where)).first()
    return None if row is None else Held(**row._mapping)


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
