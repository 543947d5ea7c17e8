"""The kiosks as anybody on the floor sees them: who waits there for help, and how the device is.

Of requests only help is read, and of help only what a shopper raised at that kiosk: nothing here can change
because somebody called security.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from edge.db.store_tables import device
from edge.db.tables import interaction, is_open
from edge.hearing import SILENT_AFTER, tells_of_a_call
from edge.reports import devices
from edge.supervision.facts import KIOSK_DISK_BYTES

IMPAIRED, OTHER = "impaired", "other"
# The words of kiosk/cameras.py and kiosk/camera/source.py, and two of this module's: it works and says that
# something is wrong with what it sees; a word of somebody else's device.
CAMERA = (
    "ok",
    "starting",
    IMPAIRED,
    "missing",
    "busy",
    "slow",
    "frozen",
    "black",
    "unplugged",
    "failed",
    "absent",
    "hung",
    OTHER,
)


class Help(StrEnum):
    """How far whoever waits longest has come; FREE: nobody asks for help there, as far as the store knows."""

    FREE = "free"
    WAITING = "waiting"
    COMING = "coming"
    HERE = "here"


_KEYS = {"camera": "camera", "temperature": "temperature_c", "disk": "free_disk_bytes"}
_HELP = {"raised": Help.WAITING, "acknowledged": Help.COMING, "attended": Help.HERE}
_ORDER = (Help.WAITING, Help.COMING, Help.HERE)


@dataclass(frozen=True, slots=True)
class Kiosk:
    """`here`: it was heard within the last seconds. `speaks_of` is what its last heartbeat told of camera,
    temperature and disk; each is None where that was not now. `since` is when the open request was raised;
    None where that is not known."""

    name: str
    zone: str
    here: bool
    version: str | None
    speaks_of: frozenset[str]
    help: Help
    since: datetime | None
    camera: str | None
    temperature_c: float | None
    disk_low: bool | None


def read(conn: sa.Connection, store: str, now: datetime) -> list[Kiosk]:
    """Every kiosk that is not revoked, by name; no pagers, which are with a person."""
    d = device.c
    rows = conn.execute(sa.select(d.name, d.heartbeat, d.heartbeat_at).where(d.store == store))
    beats = {row.name: (row.heartbeat or {}, row.heartbeat_at) for row in rows}
    helps = _helps(conn, store)
    found = []
    for one in devices.kiosks(conn, store, now):
        if one.pager or one.status == "revoked":
            continue
        beat, heard_at = beats.get(one.name, ({}, None))
        speaks_of = frozenset(entity for entity, key in _KEYS.items() if beat.get(key) is not None)
        if heard_at is None or now - heard_at > SILENT_AFTER:
            beat = {}
        help_, since = helps.get(one.name, (Help.FREE, None))
        free_bytes, temperature_c = beat.get("free_disk_bytes"), beat.get("temperature_c")
        found.append(
            Kiosk(
                one.name,
                one.zone_title,
                one.status == "online",
                one.version,
                speaks_of,
                help_,
                since,
                camera(beat.get("camera"), beat.get("faults", ())),
                temperature_c,
                None if free_bytes is None else free_bytes < KIOSK_DISK_BYTES,
            )
        )
    return found


def camera(said: str | None, faults: list[str] | tuple[str, ...]) -> str | None:
    """One of CAMERA; None where the kiosk has none."""
    of_it = (fault for fault in faults if "camera" in fault.lower() and not tells_of_a_call(fault))
    if said == "ok" and any(of_it):
        return IMPAIRED
    return said if said is None or said in CAMERA else OTHER


def _helps(conn: sa.Connection, store: str) -> dict[str, tuple[Help, datetime | None]]:
    i = interaction.c
    rows = conn.execute(
        sa.select(i.device, i.state, i.raised_at, i.age_known)
        .where(i.store == store, is_open, i.kind == "help")
        .where(i.raised_by.is_(None), sa.not_(i.silent), sa.not_(i.drill))
        .order_by(i.raised_at)
    )
    found: dict[str, tuple[Help, datetime | None]] = {}
    for row in rows:
        said = _HELP[row.state]
        known = found.get(row.device)
        if known is None or _ORDER.index(said) < _ORDER.index(known[0]):
            found[row.device] = (said, row.raised_at if row.age_known else None)
    return found
