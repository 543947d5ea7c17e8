"""What is wrong at this moment, read from what devices and the server last said of themselves. Pure.

What nobody can know is neither well nor wrong: of a kiosk that is not heard only its silence is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from edge.hearing import SILENT_AFTER, in_maintenance, tells_of_a_call


class What(StrEnum):
    SILENT = "silent"
    CAMERA = "camera"
    TAMPER = "tamper"
    PATH = "path"
    CLOCK = "clock"
    CERTIFICATE = "certificate"
    COPIED = "copied"
    DISK = "disk"
    HOT = "hot"
    STUCK = "stuck"
    FAULT = "fault"
    REFUSED = "refused"
    GAP = "gap"
    CUSTODY = "custody"
    DRILL = "drill"
    PHONE = "phone"
    INCIDENT = "incident"
    BROKER = "broker"
    WORKER = "worker"
    ACCESS = "access"
    BACKUP = "backup"
    RELEASE = "release"


# What a heartbeat alone can tell.
OF_HEARTBEATS = frozenset(
    {What.CAMERA, What.PATH, What.CLOCK, What.DISK, What.HOT, What.STUCK, What.FAULT, What.TAMPER}
)
CLOCK_OFF = timedelta(seconds=2)
CERTIFICATE_SOON, OWED_SOON = timedelta(days=14), timedelta(days=7)
KIOSK_DISK_BYTES, SERVER_DISK_BYTES = 200_000_000, 1_000_000_000
# A Pi slows itself down from 80 degrees on.
HOT_C = 80.0
REFUSED_LATELY, TAMPERED_LATELY = timedelta(minutes=10), timedelta(minutes=2)
GAP_AFTER = timedelta(minutes=2)
# What is wrong is over only once it is better than it needs to be by this much.
EASE = 1.25
WELL_CAMERA = frozenset({"ok", "starting"})


@dataclass(frozen=True, slots=True)
class Said:
    """A device as it was last heard. `clock_off` is by how much its wall clock and the server's differ.

    `refused_at` is when a message of it was last refused, `gap_at` since when events of it are missing,
    `custody` why it refuses the custody log, `maintained_at` since when somebody works on it. `drill_failed`
    is when its last drill failed, and how; None: it passed. `doubted` is since when its identity seems to be
    used twice, and what was seen.
    """

    name: str
    heard_at: datetime | None
    depth: int = 0
    oldest_open: int | None = None
    clock_off: timedelta | None = None
    camera: str | None = None
    faults: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    free_bytes: int | None = None
    temperature_c: float | None = None
    valid_until: datetime | None = None
    refused_at: datetime | None = None
    refused_silently: bool = False
    gap_at: datetime | None = None
    custody: str | None = None
    maintained_at: datetime | None = None
    drill_failed: tuple[datetime, str] | None = None
    doubted: tuple[datetime, str] | None = None

    def quiet(self, now: datetime) -> bool:
        """Whether somebody works on it."""
        return in_maintenance(self.maintained_at, now)


@dataclass(frozen=True, slots=True)
class Server:
    """The server's own side. `listening_since`: since when it hears the broker; None while it does not, and
    then `lost_at` is since when. `free_bytes` and `certificates` by the name of the place or the program."""

    listening_since: datetime | None
    lost_at: datetime | None = None
    free_bytes: Mapping[str, int] = field(default_factory=dict)
    certificates: Mapping[str, datetime] = field(default_factory=dict)
    # how old the newest whole backup may be; None: this store makes none
    backup_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What is wrong with what; `device` '' is the server's side, `about` tells two of a kind apart."""

    device: str
    what: What
    about: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Something wrong. With another `mark` than before it has moved on and begins anew."""

    key: Key
    since: datetime
    words: str
    mark: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """All that is wrong; of `blind` nothing is known now."""

    found: Sequence[Found]
    blind: frozenset[tuple[str, What]]
    quiet: frozenset[str]

    def knows(self, key: Key) -> bool:
        return (key.device, key.what) not in self.blind


@dataclass(frozen=True, slots=True)
class Owed:
    """An access request that waits for its answer, and the last day of it."""

    number: str
    due_on: date


def overdue(last_at: datetime | None, trouble: str | None, within: timedelta, now: datetime) -> list[Found]:
    """Whether there is no whole backup that is young enough; `last_at` is the time of the newest, `trouble`
    why a later try failed."""
    if last_at is not None and now - last_at < within:
        return []
    words = "There is no whole backup of this store yet."
    if last_at is not None:
        words = f"The newest whole backup is of {last_at.astimezone():%Y-%m-%d, %H:%M}."
    why = f" The last try failed: {trouble}" if trouble else ""
    return [Found(Key("", What.BACKUP), (last_at + within) if last_at else now, f"{words}{why}"[:500])]


def owed(waiting: Sequence[Owed], now: datetime) -> list[Found]:
    """Those whose last day is near or over."""
    near = now.astimezone().date() + OWED_SOON
    return [
        Found(
            Key("", What.ACCESS, one.number),
            now,
            f"Access request {one.number} must be answered by {one.due_on}.",
        )
        for one in waiting
        if one.due_on <= near
    ]


def unrolled(failed: tuple[str, datetime, str] | None) -> list[Found]:
    """A roll-out that stopped by itself, and that nobody has dealt with: its id, when, and why."""
    if failed is None:
        return []
    return [Found(Key("", What.RELEASE, failed[0]), failed[1], failed[2])]


def held_up(waits: tuple[str, str, str, datetime] | None) -> list[Found]:
    """A roll-out that stands still: its id, its release, the kiosk that it waits for, and since when."""
    if waits is None:
        return []
    rollout, release, device, since = waits
    words = f"The roll-out of {release} waits for {device}, which says nothing new of it."
    return [Found(Key("", What.RELEASE, f"{rollout} waits"), since, words)]


def look(
    devices: Sequence[Said],
    server: Server,
    tampered: Mapping[Key, datetime],
    wrong: frozenset[Key],
    now: datetime,
) -> Look:
    """`tampered` is when a device last told so, `wrong` what was wrong until now."""
    found: list[Found] = [*_of_server(server, wrong, now)]
    blind: set[tuple[str, What]] = set()
    for said in devices:
        silence = _silence(said, server, now)
        if silence is None:
            blind.add((said.name, What.SILENT))
        elif silence >= SILENT_AFTER and said.heard_at is not None:
            words = f"{said.name} has not been heard since {said.heard_at.astimezone():%H:%M:%S}."
            found.append(Found(Key(said.name, What.SILENT), said.heard_at, words))
        touched = _tampering(said, tampered, now)
        if silence is None or silence >= SILENT_AFTER:
            blind |= {(said.name, what) for what in OF_HEARTBEATS}
        else:
            # Whoever covered the camera has been told of already.
            said_now = _of_heartbeat(said, wrong, now)
            found += [one for one in said_now if not touched or one.key.what is not What.CAMERA]
        found += _beside(said, now)
        found += touched
    quiet = frozenset(said.name for said in devices if said.quiet(now))
    return Look(found, frozenset(blind), quiet)


def _silence(said: Said, server: Server, now: datetime) -> timedelta | None:
    """For how long a device could have been heard and was not; None where nobody knows."""
    if server.listening_since is None or said.heard_at is None:
        return None
    heard = now - max(said.heard_at, server.listening_since)
    if said.heard_at < server.listening_since and heard < SILENT_AFTER:
        return None
    return heard


def _of_heartbeat(said: Said, wrong: frozenset[Key], now: datetime) -> list[Found]:
    def key(what: What, about: str = "") -> Key:
        return Key(said.name, what, about)

    found = []
    about_camera = _about_camera(said)
    if said.camera is not None and (said.camera not in WELL_CAMERA or about_camera):
        words = _quoted(said, about_camera) or f"{said.name} says that its camera is {said.camera}."
        found.append(Found(key(What.CAMERA), now, words))
        others = [fault for fault in said.faults if fault not in about_camera]
    else:
        others = list(said.faults)
    for fault in others:
        silent = tells_of_a_call(fault)
        found.append(Found(key(What.FAULT, fault[:160]), now, _quoted(said, [fault]), silent=silent))
    for name in said.stuck:
        # Whoever calls security may leave a finger on it.
        words = f"{said.name} says that its button {name} is stuck."
        found.append(Found(key(What.STUCK, name), now, words, silent=True))
    if said.depth:
        words = f"{said.name} says that what is pressed there does not come through."
        found.append(Found(key(What.PATH), now, words, mark=str(said.oldest_open)))
    if said.clock_off is not None:
        off, at_most = abs(said.clock_off), CLOCK_OFF / (EASE if key(What.CLOCK) in wrong else 1)
        if off > at_most:
            words = f"The clock of {said.name} and the store's differ by {off.total_seconds():.0f} s."
            found.append(Found(key(What.CLOCK), now, words))
    if said.free_bytes is not None:
        least = KIOSK_DISK_BYTES * (EASE if key(What.DISK) in wrong else 1)
        if said.free_bytes < least:
            words = f"{said.name} says that it has {said.free_bytes // 1_000_000} MB of disk left."
            found.append(Found(key(What.DISK), now, words))
    if said.temperature_c is not None:
        most = HOT_C - (5 if key(What.HOT) in wrong else 0)
        if said.temperature_c > most:
            hot = f"{said.temperature_c:.0f} °C; from {HOT_C:.0f} on it slows down."
            words = f"{said.name} says that it has {hot}"
            found.append(Found(key(What.HOT), now, words))
    return found


def _about_camera(said: Said) -> list[str]:
    """Without what it says of clips: those are wanted when somebody calls."""
    return [fault for fault in said.faults if "camera" in fault.lower() and not tells_of_a_call(fault)]


def _quoted(said: Said, faults: Sequence[str]) -> str:
    """What the device says of itself, as its own words."""
    return f"{said.name} says: {' '.join(faults)}" if faults else ""


def _beside(said: Said, now: datetime) -> list[Found]:
    """What is known of a device without hearing it."""
    found = []
    if said.valid_until is not None:
        found += _certificate(said.name, "", said.valid_until, now)
    if said.doubted is not None:
        found.append(Found(Key(said.name, What.COPIED), *said.doubted))
    if said.refused_at is not None and now - said.refused_at < REFUSED_LATELY:
        words = f"A message of {said.name} was refused and set aside."
        silent = said.refused_silently
        found.append(Found(Key(said.name, What.REFUSED), said.refused_at, words, silent=silent))
    if said.gap_at is not None and now - said.gap_at >= GAP_AFTER:
        words = f"Something that {said.name} told the store has not come."
        found.append(Found(Key(said.name, What.GAP), said.gap_at, words))
    if said.custody is not None:
        words = f"{said.name} refuses the custody log: {said.custody}"
        found.append(Found(Key(said.name, What.CUSTODY), now, words))
    if said.drill_failed is not None:
        at, why = said.drill_failed
        found.append(Found(Key(said.name, What.DRILL), at, f"The drill at {said.name} failed. {why}"))
    return found


def _tampering(said: Said, tampered: Mapping[Key, datetime], now: datetime) -> list[Found]:
    """For as long as its heartbeats speak of its camera; for a while where they say nothing."""
    spoken = bool(_about_camera(said))
    return [
        Found(key, at, f"{said.name} says that it was tampered with: {key.about}.")
        for key, at in tampered.items()
        if key.device == said.name and (spoken or now - at < TAMPERED_LATELY)
    ]


def _of_server(server: Server, wrong: frozenset[Key], now: datetime) -> list[Found]:
    found = []
    if server.listening_since is None:
        words = "The store's server cannot reach the broker: nothing that is pressed comes through."
        found.append(Found(Key("", What.BROKER), server.lost_at or now, words))
    for place, free in server.free_bytes.items():
        key = Key("", What.DISK, place)
        if free < SERVER_DISK_BYTES * (EASE if key in wrong else 1):
            words = f"The server's disk for {place} has {free // 1_000_000} MB left."
            found.append(Found(key, now, words))
    for name, until in server.certificates.items():
        found += _certificate("", name, until, now)
    return found


def _certificate(device: str, name: str, until: datetime, now: datetime) -> list[Found]:
    if until - now >= CERTIFICATE_SOON:
        return []
    said = "ended" if until <= now else "ends"
    words = f"The certificate of {name or device} {said} on {until.astimezone():%Y-%m-%d, %H:%M}."
    return [Found(Key(device, What.CERTIFICATE, name), now, words)]
