"""A clip that is being written, as the lines of its journal tell it. Pure: lines in, a manifest out.

The journal stands beside the video. After a kill the video is as long as the journal says, and the manifest
is made from it by the same function as for a clip that ended well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from broker.events import Clock
from broker.manifest import Footage, Manifest, Mask
from kiosk.camera.window import Kind


class Head(Struct, frozen=True, tag="head"):
    """The first line. `event` is the id that the clip will be announced by, however often it is closed."""

    clip: UUID
    event: UUID
    store: str
    device: str
    zone: str
    camera: str
    recorder: str
    codec: str
    width: int
    height: int
    treatment: Literal["none", "encoded"]
    masks: tuple[Mask, ...]
    clock: Clock
    began_ms: int  # Unix, of the first frame


class Wish(Struct, frozen=True, tag="wish"):
    """What the clip is for; a later line stands for all earlier ones. `wanted` is in Unix milliseconds."""

    causes: tuple[tuple[UUID, Kind], ...]
    wanted_ms: tuple[int, int]


class Part(Struct, frozen=True, tag="part"):
    """Bytes at the end of the video, the frames in them as in broker.manifest, and which of those are
    keys."""

    bytes: int
    crc: int
    frames: tuple[tuple[int, int], ...] = ()
    keys: tuple[int, ...] = ()


class Note(Struct, frozen=True, tag="note"):
    text: str


class End(Struct, frozen=True, tag="end"):
    """Nothing more was to come: a clip with this line was not interrupted."""


Line = Head | Wish | Part | Note | End
_decoder = msgspec.json.Decoder(Line)
MAX_NOTES = 32


def encode(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


def decode(journal: bytes) -> list[Line]:
    """The lines up to the first that is not whole."""
    lines: list[Line] = []
    for text in journal.split(b"\n")[:-1]:
        try:
            lines.append(_decoder.decode(text))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            break
    return lines


@dataclass
class Draft:
    """What the lines say together."""

    head: Head
    wish: Wish
    parts: list[Part] = field(default_factory=list)
    frames: list[tuple[int, int]] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: bool = False

    def put(self, line: Line) -> None:
        match line:
            case Head():
                self.head = line
            case Wish():
                self.wish = line
            case Part():
                self.parts.append(line)
                self.frames += line.frames
                self.keys += line.keys
            case Note(text):
                if len(self.notes) < MAX_NOTES:
                    self.notes.append(text[:300])
            case End():
                self.ended = True


def draft_of(lines: Iterable[Line]) -> Draft | None:
    """None without a head and a wish: then nothing was recorded."""
    known = list(lines)
    head = next((line for line in known if isinstance(line, Head)), None)
    wish = next((line for line in known if isinstance(line, Wish)), None)
    if head is None or wish is None:
        return None
    draft = Draft(head, wish)
    for line in known:
        draft.put(line)
    return draft


def manifest_of(draft: Draft, sha256: str, size: int) -> Manifest:
    """The manifest of the video of `size` bytes. It has at least one frame."""
    head = draft.head
    start_ms, end_ms = draft.wish.wanted_ms
    return Manifest(
        format="floorbell-clip-1",
        clip=head.clip,
        store=head.store,
        device=head.device,
        zone=head.zone,
        camera=head.camera,
        causes=[cause for cause, _ in draft.wish.causes],
        wanted=(at(start_ms), at(end_ms)),
        started_at=at(head.began_ms),
        ended_at=at(head.began_ms + draft.frames[-1][1]),
        clock=head.clock,
        footage=Footage(
            sha256=sha256,
            bytes=size,
            codec=head.codec,
            width=head.width,
            height=head.height,
            frames=draft.frames,
            keys=draft.keys,
            treatment=head.treatment,
            masks=list(head.masks),
        ),
        recorder=head.recorder,
        interrupted=not draft.ended,
        notes=draft.notes,
    )


def at(unix_ms: int) -> datetime:
    """Aware, and exact: a float would be wrong by a microsecond."""
    seconds, milliseconds = divmod(unix_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
