"""The manifest of a clip: what was recorded, when, by what. Its exact bytes are what the device signs.

A manifest is JSON, at most 1 MiB, kept and carried byte for byte: nobody encodes it again. The signature is
Ed25519 over SIGNED followed by the SHA-256 of those bytes; edge and verifier check it with signing.py.
"""

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from broker.errors import ContractError
from broker.events import AwareTime, Bytes, Clock, Milliseconds, Name, Sha256

FORMAT = "floorbell-clip-1"
SIGNED = b"floorbell clip manifest 1\n"
MAX_MANIFEST_BYTES = 1024 * 1024
# 30 s before and 300 s after, extended to the longest clip, at 60 frames a second.
MAX_FRAMES = 60_000

Word = Annotated[str, Meta(max_length=64)]
Point = tuple[Annotated[float, Meta(ge=0, le=1)], Annotated[float, Meta(ge=0, le=1)]]


class Mask(Struct, frozen=True):
    """A polygon that no stored picture shows; corners as parts of width and height, from the top left."""

    points: Annotated[list[Point], Meta(min_length=3, max_length=64)]


class Footage(Struct, frozen=True, omit_defaults=True):
    """The video file. `frames` has for each frame, in the order of the file, its time in it and the camera
    process's wall clock when it came, both in milliseconds after the first; `keys` are the indices of key
    frames."""

    sha256: Sha256
    bytes: Bytes
    codec: Word
    width: Annotated[int, Meta(ge=1, le=16384)]
    height: Annotated[int, Meta(ge=1, le=16384)]
    frames: Annotated[list[tuple[Milliseconds, Milliseconds]], Meta(min_length=1, max_length=MAX_FRAMES)]
    keys: Annotated[list[int], Meta(max_length=MAX_FRAMES)]
    container: Literal["mp4"] = "mp4"
    # What changed the picture between camera and file: 'none', or 'encoded' because of masks or a raw source.
    treatment: Literal["none", "encoded"] = "none"
    masks: Annotated[list[Mask], Meta(max_length=32)] = []


class Manifest(Struct, frozen=True, omit_defaults=True):
    """`causes` are the ids of the events that it was recorded for, the first one first; `wanted` is what they
    asked for, which the footage may fall short of: `notes` then says why in whole sentences.

    `clock` is the device's pair at the first frame; the wall times are no more than it claims of itself.
    """

    format: Literal["floorbell-clip-1"]
    clip: UUID
    store: Name
    device: Name
    zone: Name
    camera: Word
    causes: Annotated[list[UUID], Meta(min_length=1, max_length=64)]
    wanted: tuple[AwareTime, AwareTime]
    started_at: AwareTime
    ended_at: AwareTime
    clock: Clock
    footage: Footage
    recorder: Word
    # The recorder was killed: the end is missing, and the file was closed at the next start.
    interrupted: bool = False
    notes: Annotated[list[Annotated[str, Meta(max_length=300)]], Meta(max_length=32)] = []


_decoder = msgspec.json.Decoder(Manifest)


def encode(manifest: Manifest) -> bytes:
    """The bytes to keep and to sign. ContractError if there are too many."""
    written = msgspec.json.encode(manifest)
    if len(written) > MAX_MANIFEST_BYTES:
        raise ContractError(f"The manifest has {len(written)} bytes; allowed are {MAX_MANIFEST_BYTES}.")
    return written


def decode(written: bytes) -> Manifest:
    """ContractError whose sentence can be shown to a person."""
    if len(written) > MAX_MANIFEST_BYTES:
        raise ContractError(f"The manifest has {len(written)} bytes; allowed are {MAX_MANIFEST_BYTES}.")
    try:
        return _decoder.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"The manifest cannot be read: {str(error).rstrip('.')}.") from None


def to_sign(written: bytes) -> bytes:
    """What the device's signature of these manifest bytes is over."""
    return SIGNED + sha256(written).digest()
