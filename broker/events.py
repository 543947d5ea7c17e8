"""What devices say: the envelope and the typed content of each kind. Immutable, past tense.

The limits here are the contract's; asyncapi.yaml states the same ones and a test holds the two together.
"""

import os
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Raw, Struct

MAX_EVENT_BYTES = 8 * 1024
MAX_COUNT = 10_000

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Topic = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=16)]
Seq = Annotated[int, Meta(ge=1, le=2**53)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]
Bytes = Annotated[int, Meta(ge=0, le=2**53)]
Text = Annotated[str, Meta(max_length=500)]
Badge = Annotated[str, Meta(min_length=1, max_length=64)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
AwareTime = Annotated[datetime, Meta(tz=True)]
Version = Annotated[str, Meta(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$", max_length=20)]


class Clock(Struct, frozen=True):
    """The device's clocks at the event. Only (boot, monotonic_ms) is ever used to decide anything.

    `boot` names the run of the monotonic clock: a new one whenever that clock begins again.
    """

    synced: bool
    boot: UUID
    monotonic_ms: Milliseconds


class Greeted(Struct, frozen=True):
    way: Literal["in", "out"]
    sensor: Annotated[str, Meta(min_length=1, max_length=32)]


class HelpRequested(Struct, frozen=True):
    """`count` is how many presses this event stands for."""

    topic: Topic = "help"
    language: Language = "en"
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)] = 1


class Cancelled(Struct, frozen=True):
    request: UUID


class Attended(Struct, frozen=True):
    """Somebody pressed 'associate is here'. Without a badge nobody knows who."""

    request: UUID
    badge: Badge | None = None


class FeedbackGiven(Struct, frozen=True):
    """A score is sent at once. `answers` to follow-up questions (broker.questions) come in an event of their
    own, with the same score; `follows` is then the id of the event that they complete."""

    score: Annotated[int, Meta(ge=1, le=4)]
    reason: Text | None = None
    request: UUID | None = None
    answers: Annotated[dict[Topic, Topic], Meta(max_length=2)] = {}
    follows: UUID | None = None


class SecurityRequested(Struct, frozen=True):
    trigger: Literal["hold", "panic", "duress", "tamper"]
    silent: bool = True


class ClipRecorded(Struct, frozen=True):
    """A clip is whole on the device's disk and waits for a ticket. `sha256` is of the video file,
    `manifest_sha256` of its manifest (broker/manifest.py), which `signature` signs. `causes` are all events
    that it was recorded for, `cause` the first of them, where there are several."""

    clip: UUID
    cause: UUID
    started_at: AwareTime
    ended_at: AwareTime
    bytes: Bytes
    sha256: Sha256
    manifest_sha256: Sha256
    signature: Annotated[str, Meta(max_length=256)]
    codec: Annotated[str, Meta(max_length=32)]
    width: Annotated[int, Meta(ge=1, le=16384)]
    height: Annotated[int, Meta(ge=1, le=16384)]
    causes: Annotated[list[UUID], Meta(max_length=64)] = []


class ClipLost(Struct, frozen=True):
    """There are no pictures of `cause` on the device, or those of `clip` are there no longer.

    late: asked for after they had left the camera's memory; blind: the camera gave none; full: the card had
    no room; unwritten: the card did not take them; damaged: the card no longer holds what was signed;
    missing: the card does not hold the clip.
    """

    why: Literal["late", "blind", "full", "unwritten", "damaged", "missing"]
    clip: UUID | None = None
    cause: UUID | None = None

    def __post_init__(self) -> None:
        if self.clip is None and self.cause is None:
            raise ValueError("It names neither a clip nor a cause")


class Tampered(Struct, frozen=True):
    what: Annotated[str, Meta(min_length=1, max_length=64)]


class DrawerMoved(Struct, frozen=True):
    open: bool


class PageAnswered(Struct, frozen=True):
    """A pager answers the page (broker/pages.py) of a request.

    delivered: it has it and alerts its holder; seen: the holder has looked; coming: they acknowledge, 'I am
    coming'; there: they attend.
    """

    request: UUID
    answer: Literal["delivered", "seen", "coming", "there"]


class ReleaseMoved(Struct, frozen=True):
    """How far a release has come that the store ordered by `order`.

    taken: it is verified and ready beside the running one; refused: it never will be, see `reason`; trying:
    it is started now; healthy: it runs well and stays; rolled_back: what ran before runs again, or still.
    """

    order: UUID
    release: Version
    stage: Literal["taken", "refused", "trying", "healthy", "rolled_back"]
    reason: Annotated[str, Meta(max_length=300)] = ""


Content = (
    Greeted
    | HelpRequested
    | Cancelled
    | Attended
    | FeedbackGiven
    | SecurityRequested
    | ClipRecorded
    | ClipLost
    | Tampered
    | DrawerMoved
    | PageAnswered
    | ReleaseMoved
)

CONTENT: dict[str, type[Content]] = {
    "greet": Greeted,
    "help": HelpRequested,
    "cancel": Cancelled,
    "attend": Attended,
    "feedback": FeedbackGiven,
    "security": SecurityRequested,
    "clip": ClipRecorded,
    "lost": ClipLost,
    "tamper": Tampered,
    "drawer": DrawerMoved,
    "answer": PageAnswered,
    "release": ReleaseMoved,
}
KINDS = tuple(CONTENT)


class Envelope(Struct, frozen=True, omit_defaults=True):
    """One event on the wire. `outbox` and `seq` come together or not at all."""

    id: UUID
    kind: str
    data: Raw
    outbox: UUID | None = None
    seq: Seq | None = None
    at: AwareTime | None = None
    clock: Clock | None = None
    drill: bool = False


class Event(Struct, frozen=True):
    """A decoded event: the envelope with its content typed, and the exact bytes that arrived."""

    store: str
    device: str
    id: UUID
    kind: str
    content: Content
    outbox: UUID | None
    seq: int | None
    at: datetime | None
    clock: Clock | None
    drill: bool
    payload: bytes


def new_id(unix_ms: int, randomness: bytes | None = None) -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of time, 74 random bits. `randomness` is 10 bytes, for tests."""
    tail = int.from_bytes(randomness or os.urandom(10)) & ((1 << 74) - 1)
    value = (
        (unix_ms & ((1 << 48) - 1)) << 80
        | 0x7 << 76
        | (tail >> 62) << 64
        | 0b10 << 62
        | tail & ((1 << 62) - 1)
    )
    return UUID(int=value)


# Crockford's base 32: no I, L, O or U, so that a code survives being read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def reference_of(event_id: UUID) -> str:
    """The shopper's reference code: six signs from the random end of the request's id, as 'K7F-2QD'.

    Both sides compute it, so that a kiosk can show it while the store is not reachable.
    """
    bits = event_id.int & ((1 << 30) - 1)
    signs = "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(25, -1, -5))
    return f"{signs[:3]}-{signs[3:]}"
