"""What is said besides events: receipts, calls, commands, states and heartbeats."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from broker.events import AwareTime, Milliseconds, Seq, Sha256, Version

ShortText = Annotated[str, Meta(max_length=200)]


class Refusal(Struct, frozen=True, omit_defaults=True):
    """One event that the server set aside. Neither `seq` nor `id`: the payload could not be read at all."""

    reason: Annotated[str, Meta(max_length=400)]
    seq: Seq | None = None
    id: str | None = None


class Receipt(Struct, frozen=True, omit_defaults=True):
    """The server's word that events are committed. Only this lets an event leave an outbox."""

    outbox: UUID | None = None
    seqs: list[Seq] = []
    ids: list[UUID] = []
    refused: list[Refusal] = []


class CallState(StrEnum):
    """How far a device's request has come; the same words as the request's own states."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ATTENDED = "attended"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    MISSED = "missed"


OPEN_CALL_STATES = frozenset({CallState.RAISED, CallState.ACKNOWLEDGED, CallState.ATTENDED})


class Call(Struct, frozen=True, omit_defaults=True):
    """The status of a device's request.

    `text` is a key of the table in asyncapi.yaml, `args` its values. After `valid_s` without a newer
    revision the device must say that it no longer knows. A `discreet` call is never shown or sounded.
    `joined_to` is set when `request` is not a request of its own but one more press of an open one. That of a
    `drill` is no shopper's.
    """

    request: UUID
    revision: Annotated[int, Meta(ge=0)]
    state: CallState
    text: Annotated[str, Meta(max_length=64)]
    reference: Annotated[str, Meta(max_length=16)]
    valid_s: Annotated[int, Meta(ge=1, le=86_400)]
    display: Literal["open", "discreet"] = "open"
    joined_to: UUID | None = None
    args: dict[str, ShortText] = {}
    name: Annotated[str, Meta(max_length=80)] | None = None
    drill: bool = False


# Every text key that the server may send, and the arguments it carries.
CALL_TEXTS: dict[str, tuple[str, ...]] = {
    "paging.best": ("people",),
    "paging.zone": ("people",),
    "paging.supervisors": ("people",),
    "paging.all": ("people",),
    "paging.still": ("people", "seconds"),
    "paging.nobody": (),
    "pressed_again": ("count",),
    "seen": ("name",),
    "coming": ("name",),
    "coming.still": ("name", "seconds"),
    "here": ("name",),
    "here.someone": (),
    "resolved": (),
    "cancelled": (),
    "missed": (),
}


class Identify(Struct, frozen=True, tag_field="command", tag="identify"):
    """Blink every lamp, so that a technician finds the device."""

    seconds: Annotated[int, Meta(ge=1, le=60)] = 10


class Capture(Struct, frozen=True, omit_defaults=True, tag_field="command", tag="capture"):
    """Keep footage of around a moment of the device's own clock; without one, of now.

    The device answers with a clip that has this cause, or with `lost`. A moment of another run of its clock
    it leaves alone: the server asks again once it has heard the new one.
    """

    cause: UUID
    boot: UUID | None = None
    monotonic_ms: Milliseconds | None = None


class Upload(Struct, frozen=True, tag_field="command", tag="upload"):
    clip: UUID
    url: Annotated[str, Meta(max_length=500)]
    ticket: Annotated[str, Meta(max_length=200)]


class Replay(Struct, frozen=True, tag_field="command", tag="replay"):
    """Send every kept event of this outbox from `from_seq` on again."""

    outbox: UUID
    from_seq: Seq


class Drill(Struct, frozen=True, omit_defaults=True, tag_field="command", tag="drill"):
    """Press for yourself, marked as a drill. `request` is the id that the press is to have; once its call
    says that somebody acknowledged, the device answers with `attend`: so the store knows that it was told."""

    kind: Literal["help", "security"]
    request: UUID | None = None


class Maintenance(Struct, frozen=True, tag_field="command", tag="maintenance"):
    on: bool


class Update(Struct, frozen=True, tag_field="command", tag="update"):
    """Take this release, from the vault at `url` with the ticket. The device verifies it by the release keys
    that it knows, whatever the store says, and tells how far it has come by events `release`."""

    order: UUID
    release: Version
    url: Annotated[str, Meta(max_length=500)]
    ticket: Annotated[str, Meta(max_length=200)]
    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1, le=2**31)]


class Revert(Struct, frozen=True, tag_field="command", tag="revert"):
    """This release is called back: what ran before it is to run again, if it is still there."""

    order: UUID
    release: Version


Command = Identify | Capture | Upload | Replay | Drill | Maintenance | Update | Revert


class DeviceState(Struct, frozen=True, omit_defaults=True):
    """Retained. As a last will it can only say 'offline' and the boot it speaks of. One that `updates` takes
    the commands `update` and `revert`."""

    status: Literal["online", "offline"]
    boot: UUID | None = None
    monotonic_ms: Milliseconds | None = None
    version: Annotated[str, Meta(max_length=40)] | None = None
    at: AwareTime | None = None
    updates: bool = False


class Heartbeat(Struct, frozen=True, omit_defaults=True):
    """Every 5 s. All events of `outbox` below `oldest_open_seq` have been receipted or refused.

    `at` is the device's wall clock, by which nothing is decided but whether that clock is right.
    """

    boot: UUID
    monotonic_ms: Milliseconds
    uptime_s: Annotated[int, Meta(ge=0)] = 0
    outbox: UUID | None = None
    depth: Annotated[int, Meta(ge=0)] = 0
    oldest_open_seq: Seq | None = None
    clock_synced: bool | None = None
    temperature_c: float | None = None
    camera: Annotated[str, Meta(max_length=32)] | None = None
    free_disk_bytes: Annotated[int, Meta(ge=0)] | None = None
    at: AwareTime | None = None
    stuck: list[Annotated[str, Meta(max_length=32)]] = []
    faults: list[ShortText] = []


class EdgeState(Struct, frozen=True, omit_defaults=True):
    """Retained: whether the store server is there."""

    status: Literal["online", "offline"]
    at: datetime | None = None


class EdgeHeartbeat(Struct, frozen=True):
    """Every 2 s, sent by the loop that commits: a server that hangs does not look alive."""

    beat: Annotated[int, Meta(ge=0)]


class FeedCursor(Struct, frozen=True):
    cursor: Annotated[int, Meta(ge=0)]
