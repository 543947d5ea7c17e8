"""When something wrong becomes a trouble that somebody is told of, and when it is over. Pure.

Told once, and once that it is over. Something that comes and goes stays one trouble: each return makes the
quiet time that its end needs longer, and a new one soon after an end begins with what was learnt.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.lengths import in_words
from edge.supervision.facts import Found, Key, Look, What

# How long something must be wrong before it is a trouble. What is not named here is one at once.
LASTS = {
    What.CAMERA: timedelta(seconds=10),
    What.PATH: timedelta(seconds=60),
    What.CLOCK: timedelta(seconds=10),
    What.DISK: timedelta(seconds=10),
    What.HOT: timedelta(seconds=60),
    What.FAULT: timedelta(seconds=10),
    What.BROKER: timedelta(seconds=10),
    # A store that was made, or restored, a moment ago makes its first backup.
    What.BACKUP: timedelta(minutes=30),
}
# How long it must be well before it is over, the first time and at most.
CALM, CALM_GROWS, LONGEST_CALM = timedelta(seconds=60), 5, timedelta(minutes=30)
# So long after its end a trouble is still the same one that comes and goes.
REMEMBERED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong that goes on. `seen_at`: first seen by the server, at or after `since`; `told`: it is
    one that people hear of; `returns`: how often it came back; `well_at`: since when it seems well."""

    id: str
    key: Key
    since: datetime
    seen_at: datetime
    words: str
    mark: str = ""
    told: bool = False
    returns: int = 0
    well_at: datetime | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """Seen for the first time. `told`: at once, and people hear of it."""

    found: Found
    returns: int
    told: bool


@dataclass(frozen=True, slots=True)
class Restart:
    """It has moved on meanwhile: what is seen now is another one."""

    trouble: Trouble
    found: Found


@dataclass(frozen=True, slots=True)
class Tell:
    """It has lasted long enough."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class Drop:
    """It was over before it was one."""

    trouble: Trouble


@dataclass(frozen=True, slots=True)
class SeemWell:
    """`at`: since when it seems well; None: it has come back."""

    trouble: Trouble
    at: datetime | None


@dataclass(frozen=True, slots=True)
class End:
    """It was well from `at` on. `quiet`: somebody works on the device, and nobody is told."""

    trouble: Trouble
    at: datetime
    quiet: bool = False


Step = Begin | Restart | Tell | Drop | SeemWell | End


def calm(returns: int) -> timedelta:
    """How long what came back so often must be well before it is over."""
    return min(CALM * CALM_GROWS ** min(returns, 5), LONGEST_CALM)


def steps(
    known: Sequence[Trouble],
    look: Look,
    ended: Mapping[Key, tuple[datetime, int]],
    now: datetime,
    judged: Collection[What],
) -> list[Step]:
    """What is to be done. `ended` is when what is over ended last, and its returns; of the kinds that are not
    `judged` here nothing is said."""
    found = {one.key: one for one in look.found if one.key.what in judged}
    taken: list[Step] = []
    for trouble in known:
        key = trouble.key
        here = found.pop(key, None)
        if key.what not in judged:
            continue
        if key.device in look.quiet:
            taken.append(End(trouble, now, quiet=True) if trouble.told else Drop(trouble))
        elif look.knows(key) and (step := _step(trouble, here, now)) is not None:
            taken.append(step)
    for key, one in found.items():
        if key.device not in look.quiet:
            over_at, returns = ended.get(key, (None, 0))
            lately = over_at is not None and now - over_at < REMEMBERED
            taken.append(Begin(one, returns + 1 if lately else 0, told=key.what not in LASTS))
    return taken


def _step(trouble: Trouble, found: Found | None, now: datetime) -> Step | None:
    moved = found is not None and found.mark != trouble.mark
    if not trouble.told:
        if found is None:
            return Drop(trouble)
        if moved:
            return Restart(trouble, found)
        lasted = now - trouble.seen_at >= LASTS.get(trouble.key.what, timedelta(0))
        return Tell(trouble) if lasted else None
    if found is not None and not moved:
        return SeemWell(trouble, None) if trouble.well_at is not None else None
    if trouble.well_at is None:
        return SeemWell(trouble, now)
    return End(trouble, trouble.well_at) if now - trouble.well_at >= calm(trouble.returns) else None


@dataclass(frozen=True, slots=True)
class Someone:
    """Who could hear of it. `on_floor`: present on a phone; `at_desk`: signed in at the desk."""

    id: str
    name: str
    role: str
    on_floor: bool
    at_desk: bool


def whom(
    people: Sequence[Someone], told: Collection[str], *, silent: bool, what: What | None = None
) -> list[Someone]:
    """Who is told of a trouble now: the managers on duty, each once, also those who come later. Supervisors
    who are on the floor stand in where no manager is there, and nobody was told; of what could tell of a
    silent request they hear nothing. Of a phone that does not answer it is they who are told."""
    if what is What.PHONE:
        here = [one for one in people if one.role == "supervisor" and (one.on_floor or one.at_desk)]
        if here:
            return [one for one in here if one.id not in told]
    managers = [one for one in people if one.role in ("manager", "admin") and (one.on_floor or one.at_desk)]
    if managers:
        return [one for one in managers if one.id not in told]
    if told or silent:
        return []
    return [one for one in people if one.role == "supervisor" and one.on_floor]


def ended_in_words(trouble: Trouble, at: datetime) -> str:
    """'Back since 12:04, was silent for 3 min 05 s.'"""
    if trouble.key.what is What.RELEASE:
        return f"Somebody dealt with it at {at.astimezone():%H:%M}."
    if trouble.key.what is What.ACCESS:
        return f"It waits no more, or has more time, since {at.astimezone():%H:%M}."
    if trouble.key.what is What.BACKUP:
        return f"There is a new whole backup since {at.astimezone():%H:%M}."
    if trouble.key.what is What.INCIDENT:
        when = f"{at.astimezone():%H:%M}"
        return f"Over since {when}: somebody added to it or closed it, or the next reminder came."
    said, was = ("Back", "was silent") if trouble.key.what is What.SILENT else ("Well again", "was wrong")
    times = "once" if trouble.returns == 1 else f"{trouble.returns} times"
    again = f", came back {times} meanwhile" if trouble.returns else ""
    return f"{said} since {at.astimezone():%H:%M}, {was} for {in_words(at - trouble.since)}{again}."
