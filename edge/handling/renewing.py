"""A device's next certificate (broker/decisions/004): who may have one, and what it means when two ask.

A refusal is returned and not raised, because what was noticed with it is to be kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from broker.renewals import due_at
from edge.audit.store import record
from edge.db.store_tables import device
from edge.devices import certificates
from edge.devices.certificates import Held
from edge.handling.doubting import SERVER, doubt, is_told, tell

if TYPE_CHECKING:
    from broker.identity import Certificate, Request

# A kiosk that was off for its certificate's whole time still fetches the next one by itself for this long.
GRACE = timedelta(days=365)
_SAID_AGAIN = timedelta(days=1)
Register = Callable[[str | None], "Certificate | None"]
Sign = Callable[["Request", datetime], tuple[str, "Certificate"]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a device gets nothing, in one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Looked:
    """Whether a device should ask for its next certificate now."""

    due: bool


def look(
    conn: sa.Connection,
    store: str,
    name: str,
    serial: str | None,
    trusts: str,
    issuer: str,
    now: datetime,
    *,
    writing: bool = True,
) -> Looked | Refusal | None:
    """A device shows the certificate of this serial number and says which CAs it trusts (the SHA-256 of each,
    by commas). The first time that a renewed one is shown, the one before it ends. `issuer` is the SHA-256 of
    the key's certificate that signs now. None where something is to be written, and `writing` is not."""
    held = _shown(conn, store, name, serial, now, writing)
    if held is None or isinstance(held, Refusal):
        return held
    d = device.c
    row = conn.execute(sa.select(d.trusts, d.trusts_at).where(d.store == store, d.name == name)).one()
    if row.trusts != trusts or row.trusts_at is None or now - row.trusts_at >= _SAID_AGAIN:
        if not writing:
            return None
        here = sa.update(device).where(d.store == store, d.name == name)
        conn.execute(here.values(trusts=trusts, trusts_at=now))
    return Looked(_is_due(held, issuer, now))


def renew(
    conn: sa.Connection,
    store: str,
    name: str,
    serial: str | None,
    wanted: Request,
    issuer: str,
    sign: Sign,
    now: datetime,
) -> str | Refusal:
    """The next certificate (PEM) for the device that shows this one; the same again for the same key, until
    it was shown. Whoever asks with the same certificate for another key has a copy of it, or was copied."""
    held = _shown(conn, store, name, serial, now, True)
    assert held is not None
    if isinstance(held, Refusal):
        return held
    if now - held.valid_until > GRACE:
        return Refusal(
            f"The certificate of {name} ended more than {GRACE.days} days ago, on "
            f"{held.valid_until:%Y-%m-%d}; it is let in again by 'floorbell device invite' only."
        )
    if wanted.signing_key != held.signing_key:
        return Refusal(f"{name} asks with another signing key than it was let in with.")
    if (waiting := certificates.successor(conn, store, held.serial)) is not None:
        if waiting.public_key == wanted.key and waiting.pem is not None:
            return waiting.pem
        twice = _doubt(conn, store, name, "asked for its next certificate twice, with two keys", now, True)
        assert twice is not None
        return twice
    if not _is_due(held, issuer, now):
        due = due_at(held.valid_from, held.valid_until)
        return Refusal(f"The certificate of {name} is renewed from {due:%Y-%m-%d} on.")
    pem, issued = sign(wanted, now)
    certificates.record(conn, store, issued, renews=held.serial, pem=pem)
    return pem


def adopt(
    conn: sa.Connection,
    store: str,
    name: str,
    register: Register,
    now: datetime,
) -> None:
    """A device shows a certificate that the register does not know, as after a backup was restored that is
    older than it. One that the renewals' key signed for a device of this store, which `register` tells by
    its signing key, is the device's own again."""
    d = device.c
    query = sa.select(d.signing_key).where(d.store == store, d.name == name, d.revoked_at.is_(None))
    if (row := conn.execute(query).first()) is None or (found := register(row.signing_key)) is None:
        return
    certificates.record(conn, store, found)
    held = certificates.find(conn, store, found.serial)
    assert held is not None
    certificates.seen(conn, store, held, now)
    words = f"A certificate of {name} was not known any more; it is the renewals' key's, and counts again."
    record(conn, store, SERVER, "device.renewed", name, words, now, {}, {"certificate": found.sha256})


def _is_due(held: Held, issuer: str, now: datetime) -> bool:
    return held.issuer != issuer or now >= due_at(held.valid_from, held.valid_until)


def _shown(
    conn: sa.Connection, store: str, name: str, serial: str | None, now: datetime, writing: bool
) -> Held | Refusal | None:
    d = device.c
    revoked_at = conn.execute(sa.select(d.revoked_at).where(d.store == store, d.name == name)).first()
    held = certificates.find(conn, store, serial)
    if revoked_at is None or held is None or held.device != name:
        return Refusal(f"The certificate that {name} shows is not known here; let it in again.")
    if revoked_at[0] is not None:
        return Refusal(f"{name} is revoked; nothing of it is taken.")
    if now < held.valid_from:
        return Refusal(f"The certificate of {name} begins on {held.valid_from:%Y-%m-%d} only.")
    if held.revoked_at is not None:
        what = f"showed a certificate that was replaced on {held.revoked_at:%Y-%m-%d}"
        return _doubt(conn, store, name, what, now, writing)
    if held.renews is not None and held.seen_at is None:
        if not writing:
            return None
        certificates.seen(conn, store, held, now)
        until = f"{held.valid_until:%Y-%m-%d}"
        after = {"certificate": held.sha256, "valid_until": str(held.valid_until)}
        record(
            conn, store, SERVER, "device.renewed", name, f"{name} renewed its certificate, until {until}.",
            now, {}, after,
        )  # fmt: skip
        tell(conn, store, name, "renewed", now)
    return held


def _doubt(
    conn: sa.Connection, store: str, name: str, what: str, now: datetime, writing: bool
) -> Refusal | None:
    words = f"{name} {what}: its identity may have been copied"
    if not is_told(conn, store, name, f"{words}."):
        if not writing:
            return None
        doubt(conn, store, name, f"{words}.", now)
    return Refusal(f"{words}; revoke it and let it in again.")
