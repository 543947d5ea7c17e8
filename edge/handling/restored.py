"""What a store that was restored from a backup does to itself before anybody sees it.

What people were shut out of, and what was deleted by law, must not come back; and nobody is called for what
was open then as if it were new. What became of it since is not known, and is not made up.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from msgspec import Struct

from edge.access_requests import shown
from edge.audit.store import Actor, record
from edge.db.access_tables import access_clip, access_request
from edge.db.evidence_tables import clip, custody_log, export, ticket
from edge.db.store_tables import certificate, device, token
from edge.db.store_tables import person as person_table
from edge.db.tables import feed_head, interaction, outgoing, page, timer
from edge.db.update_tables import release
from edge.devices import store as devices
from edge.errors import Refused
from edge.evidence import clips, custody, exports
from edge.handling import access_requests, keeping, revoking
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.people import first, sessions
from edge.people import store as people
from edge.retention import Retention
from edge.tokens import store as tokens
from edge.updates import rules
from edge.updates import store as updates

BY = Actor("command line", "command")
# Whoever listens to the feed from where it was before the loss must not take what comes now for old.
_AHEAD = 1_000_000
_HELD_BACK = ("help", "greet")


class ShutOut(Struct, frozen=True):
    """Who and what may not come in, as it was known at some moment; `erased` are names that were erased from
    the custody log by law."""

    devices: list[str] = []
    serials: list[str] = []
    people: list[str] = []
    tokens: list[str] = []
    erased: list[str] = []


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done, counted: `let_out` are devices, certificates, people and tokens that are shut out again,
    `unknown` requests of whose end nothing is known, `urgent` those of security, which go on."""

    sessions: int
    shut_out: int
    erased: int
    purged: int
    unknown: int
    urgent: int


def shut_out(conn: sa.Connection, store: str, erased: Collection[str] = ()) -> ShutOut:
    """Who and what may not come in now."""

    def names(column: sa.Column[str], *where: sa.ColumnElement[bool]) -> list[str]:
        return sorted(conn.scalars(sa.select(column).where(column.table.c.store == store, *where)))

    return ShutOut(
        names(device.c.name, device.c.revoked_at.is_not(None)),
        names(certificate.c.serial, certificate.c.revoked_at.is_not(None)),
        names(person_table.c.id, person_table.c.active.is_(False)),
        names(token.c.id, token.c.revoked_at.is_not(None)),
        list(erased),
    )


def settle(
    conn: sa.Connection,
    store: str,
    backup: str,
    backup_at: datetime,
    known: ShutOut,
    retention: Retention,
    ceiling: timedelta,
    now: datetime,
) -> Settled:
    """Everything, in one transaction. The restore itself was signed before: edge/evidence/restores.py."""
    words = f"The store was restored from its backup of {backup_at:%Y-%m-%d %H:%M} UTC."
    if conn.execute(sa.select(custody_log.c.log).where(custody_log.c.store == store)).first() is not None:
        custody.append(conn, store, "restored", "custody", "", BY.name, words, now)
    ended = sessions.end_all(conn, store, now)
    first.withdraw(conn, store)
    conn.execute(sa.delete(ticket).where(ticket.c.store == store))
    conn.execute(sa.delete(outgoing).where(outgoing.c.store == store, outgoing.c.sent_at.is_(None)))
    conn.execute(
        sa.update(feed_head).where(feed_head.c.store == store).values(cursor=feed_head.c.cursor + _AHEAD)
    )
    # They say themselves how they are.
    conn.execute(sa.update(device).where(device.c.store == store).values(status="unknown"))
    out, erased = _shut_out(conn, store, known, now)
    purged = 0
    while some := keeping.purge_due(conn, store, retention, now, 500):
        purged += len(some)
    access_requests.forget(conn, store, retention.askers_since(now), now)
    _made_files(conn, store)
    unknown, urgent = _open_requests(conn, store, words, backup_at, ceiling, now)
    record(conn, store, BY, "store.restored", backup, words, now)
    return Settled(ended, out, erased, purged, unknown, urgent)


def ask_again(conn: sa.Connection, store: str, missing: Collection[str], now: datetime) -> int:
    """Clips whose files did not come back are waited for again, as their kiosks may still have them; how
    many. `missing` are the SHA-256 of files."""
    c, count = clip.c, 0
    query = sa.select(c.id, c.manifest_sha256, c.sha256).where(c.store == store, c.state == clips.SEALED)
    for id_, manifest_sha256, sha256 in conn.execute(query.order_by(c.id)).all():
        if missing and (sha256 in missing or manifest_sha256 in missing):
            words = "Its file did not come back from the backup; its kiosk is asked for it again."
            values = {"state": clips.ANNOUNCED, "sealed_at": None, "keep_until": None, "trouble": words}
            conn.execute(sa.update(clip).where(c.store == store, c.id == id_).values(values))
            custody.append(conn, store, "lost", id_, manifest_sha256, BY.name, words, now)
            count += 1
    return count


def stop_roll_outs(conn: sa.Connection, store: str, files: Collection[str], now: datetime) -> tuple[int, int]:
    """(roll-outs that were going on and are stopped, releases that are carried no more): which kiosk runs
    what is not known here, and releases are in no backup. `files` are the SHA-256 of those that are there."""
    stopped, words = 0, "The store was restored from a backup; what its kiosks run by now is not known."
    while (found := updates.open_one(conn, store)) is not None:
        updates.end(conn, found.id, rules.STOPPED, now, words)
        record(conn, store, BY, "release.stopped", found.version, words, now)
        stopped += 1
    gone = (release.c.store == store, release.c.sha256.not_in(files))
    return stopped, conn.execute(sa.delete(release).where(*gone)).rowcount


def _shut_out(conn: sa.Connection, store: str, known: ShutOut, now: datetime) -> tuple[int, int]:
    here = shut_out(conn, store)
    count = 0
    _register(conn, store, known, now)
    for name in sorted(set(known.devices) - set(here.devices)):
        reason = "It was revoked before the store was restored from a backup."
        revoking.revoke(conn, store, BY, name, reason, now)
        count += 1
    listed = (certificate.c.store == store, certificate.c.serial.in_(known.serials))
    done = sa.update(certificate).where(*listed, certificate.c.revoked_at.is_(None)).values(revoked_at=now)
    count += conn.execute(done).rowcount
    for who in sorted(set(known.people) - set(here.people)):
        if (someone := people.by_id(conn, store, who)) is not None:
            people.disable(conn, store, who, now)
            words = f"{someone.name} had been disabled before the store was restored from a backup."
            record(conn, store, BY, "person.disabled", someone.name, words, now)
            count += 1
    for one in sorted(set(known.tokens) - set(here.tokens)):
        if (found := tokens.by_id(conn, store, one)) is not None:
            tokens.revoke(conn, store, one, now)
            words = f"The token {found.name} had been revoked before the store was restored from a backup."
            record(conn, store, BY, "token.revoked", found.name, words, now)
            count += 1
    erased = 0
    for name in known.erased:
        # Refused where no entry of before the backup has it.
        with suppress(Refused):
            reason = "It had been erased by law before the store was restored from a backup."
            erased += keeping.erase_name(conn, store, name, BY, reason, now)
    return count, erased


def _register(conn: sa.Connection, store: str, known: ShutOut, now: datetime) -> None:
    """Devices and certificates that were let in after the backup and shut out again: only what is registered
    is turned away, and the CA's signature alone lets the rest in. Of them only that is known."""
    names = set(conn.scalars(sa.select(device.c.name).where(device.c.store == store)))
    zone = next(iter(devices.zones(conn, store)), "")
    for name in sorted(set(known.devices) - names):
        row = {"store": store, "name": name, "zone": zone, "added_at": now, "status": "unknown"}
        conn.execute(sa.insert(device).values(row))
    serials = set(conn.scalars(sa.select(certificate.c.serial).where(certificate.c.store == store)))
    for serial in sorted(set(known.serials) - serials):
        row = {"store": store, "serial": serial, "device": "", "sha256": ""}
        conn.execute(sa.insert(certificate).values(row | {"valid_from": now, "valid_until": now}))


def _made_files(conn: sa.Connection, store: str) -> None:
    """Bundles and covered copies are in no backup: they are made again where somebody waits for them."""
    gone = "It was not in the backup that the store was restored from; ask for it again."
    ready = (export.c.store == store, export.c.state == exports.READY)
    conn.execute(sa.update(export).where(*ready).values(state=exports.FAILED, trouble=gone))
    packed = (access_request.c.store == store, access_request.c.package == "ready")
    conn.execute(sa.update(access_request).where(*packed).values(package="failed", trouble=gone))
    made = (access_clip.c.store == store, access_clip.c.state == shown.MADE)
    for request, id_ in conn.execute(sa.select(access_clip.c.request, access_clip.c.clip).where(*made)).all():
        one = (access_clip.c.request == request, access_clip.c.clip == id_)
        again = shown.NO_COPY | {"copy": str(uuid4()), "state": shown.ASKED}
        conn.execute(sa.update(access_clip).where(*one).values(again))


def _open_requests(
    conn: sa.Connection, store: str, words: str, backup_at: datetime, ceiling: timedelta, now: datetime
) -> tuple[int, int]:
    """Nobody is called any more for help that was asked for longer ago than anybody waits; security goes on
    until somebody answers it. Of both it is said that nothing is known since."""
    i = interaction.c
    is_open = (i.store == store, i.state.in_(("raised", "acknowledged", "attended")))
    unknown = urgent = 0
    for id_, kind, raised_at in conn.execute(sa.select(i.id, i.kind, i.raised_at).where(*is_open)).all():
        said = f"{words} What was done about this after it is not known."
        requests.append(conn, [Entry(id_, now, "noted", "policy", said)])
        if kind not in _HELD_BACK:
            urgent += 1
        elif now - raised_at >= ceiling:
            unknown += 1
            # It was open then; that is the last that is known.
            closed_at = max(raised_at, backup_at)
            over = {"state": "recorded", "closed_at": closed_at, "handover_to": None, "handover_at": None}
            conn.execute(sa.update(interaction).where(i.id == id_).values(over))
            conn.execute(sa.delete(timer).where(timer.c.request == id_))
            waits = (page.c.request == id_, page.c.state.in_(("pending", "sent", "delivered", "seen")))
            conn.execute(sa.update(page).where(*waits).values(state="superseded", closed_at=now))
    return unknown, urgent
