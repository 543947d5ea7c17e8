"""incident.json: an incident as it leaves the store, to be read without anything of ours.

bundle.md says the same in words. Its SHA-256 is the digest of the export's own entry in the custody log,
which is written in the transaction that makes it: what is said here is what was known then, and cannot become
other afterwards. Fields stand in the order of the records, lists in the order that each says; times are UTC.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from broker.events import Bytes, Name, Sha256

FORMAT: Final = "floorbell-incident-1"
NAME = "incident.json"


class Clock(Struct, frozen=True):
    """What the kiosk's last heartbeat before it told of a clip said of its clock, which came at `heard_at` by
    the store server's. `behind_ms`: by how much the kiosk's was behind then, the message's way included;
    below 0 it was ahead. Null where that is not known."""

    synced: bool | None
    behind_ms: int | None
    heard_at: datetime | None


class Entry(Struct, frozen=True):
    """What somebody wrote, never changed. `corrects` and `corrected_by` are numbers of other entries.

    `kind` is statement, account (the associate's own, on a complaint about them), person, loss or action.
    `said_by` is whose words a statement has, `name` who wrote it, `written_at` when, `happened_at` when it
    was, if they said so. `identified`: the store knows who the person is; that is not in this file.
    """

    number: int
    kind: str
    words: str
    said_by: str
    role: str | None
    amount_cents: int | None
    happened_at: datetime | None
    corrects: int | None
    corrected_by: int | None
    identified: bool
    name: str
    through: str
    written_at: datetime


class Step(Struct, frozen=True):
    """One line of a timeline: what was done, by whom, through what. `name` null: by nobody in person."""

    at: datetime
    what: str
    name: str | None
    through: str
    words: str


class Check(Struct, frozen=True):
    """A point of the checklist in `words`; who ticked it and when, null where nobody has."""

    check: str
    words: str
    name: str | None
    at: datetime | None


class Asked(Struct, frozen=True):
    """An associate whose own account was asked for; `written`: an entry has it."""

    name: str
    at: datetime
    written: bool


class Page(Struct, frozen=True):
    """One call of one person. Null for each stage that it has not reached, or that nobody reported."""

    name: str
    round: int
    reason: str
    state: str
    answer: str | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None


class Request(Struct, frozen=True):
    """An interaction that belongs to the incident, as it stood then. `raised_at` is exact where `age_known`,
    else when it came. `pages` are the latest; `earlier_pages` were made before them."""

    id: UUID
    reference: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    device: str
    language: str | None
    silent: bool
    state: str
    count: int
    raised_at: datetime
    age_known: bool
    received_at: datetime
    owner: str | None
    acknowledged_at: datetime | None
    attended_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    note: str | None
    score: int | None
    reason: str | None
    timeline: list[Step]
    pages: list[Page]
    earlier_pages: int


class Clip(Struct, frozen=True):
    """A clip of the incident. `included`: it is in this bundle; else `why_not` says why, in a sentence."""

    clip: UUID
    device: str
    zone: str
    zone_title: str
    started_at: datetime
    ended_at: datetime
    bytes: Bytes
    sha256: Sha256
    manifest_sha256: Sha256
    state: str
    included: bool
    why_not: str | None
    clock: Clock


class Camera(Struct, frozen=True):
    """A camera that was asked for pictures of a request and gave none, or none yet: `why` is a sentence."""

    device: str
    request: UUID
    asked_at: datetime
    why: str


class IncidentFile(Struct, frozen=True):
    """The file. `by` took it out, for `purpose`, at `made_at`; `export` is the bundle's. `entries` in the
    order in which they were written, `timeline` and `requests` the earliest first, `clips` by their
    beginning. `left_out` says in sentences what is not in the file."""

    format: Literal["floorbell-incident-1"]
    export: UUID
    store: Name
    store_title: str
    made_at: datetime
    by: str
    purpose: str
    incident: UUID
    number: str
    classed_as: str
    class_words: str
    zone: str
    zone_title: str
    happened_at: datetime
    silent: bool
    state: str
    opened_at: datetime
    opened_by: str | None
    outcome: str | None
    outcome_words: str | None
    closed_at: datetime | None
    lost_cents: int | None
    currency: str
    entries: list[Entry]
    timeline: list[Step]
    checks: list[Check]
    accounts_asked: list[Asked]
    requests: list[Request]
    clips: list[Clip]
    cameras: list[Camera]
    left_out: list[Annotated[str, Meta(max_length=400)]]


def not_in(file: IncidentFile) -> list[str]:
    """What the bundle has not of the incident, each clip by itself."""
    apart = [one for one in file.clips if not one.included]
    return [*(f"The clip of {_when(one)}, {one.device}: {one.why_not}" for one in apart), *file.left_out]


def _when(clip: Clip) -> str:
    return f"{clip.started_at.astimezone():%Y-%m-%d %H:%M:%S}"


def encode(file: IncidentFile) -> bytes:
    """The bytes to carry and to hash; for people two spaces deep."""
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


class _Named(Struct, frozen=True):
    format: Literal["floorbell-incident-1"]
    export: UUID


def export_of(written: bytes) -> UUID:
    """Whose file these bytes say that they are. msgspec.MsgspecError if they say nothing of the kind."""
    return msgspec.json.decode(written, type=_Named).export


def decode(written: bytes) -> IncidentFile:
    """msgspec.MsgspecError if these bytes are none; a field that is not known is left alone."""
    return msgspec.json.decode(written, type=IncidentFile)
