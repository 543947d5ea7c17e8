"""The export bundle: what leaves the store with a clip, in a form that anyone can verify offline.

bundle.md says the same in words for whoever writes a verifier of their own. A bundle is a zip file:

    bundle.json               this record: what is in it, and every other file with its size and SHA-256
    clips/{id}/video.mp4      the native master, byte for byte as the device wrote and signed it
    clips/{id}/manifest.json  the manifest, byte for byte
    incident.json             IncidentFile, in the export of an incident; the log has its SHA-256
    custody.jsonl             the custody log's entries about these clips, one CustodyLine each, by index
    leaves.bin                the leaf hashes of the whole log under the head, 32 bytes each
    heads.json                Anchors: the signed head, and which device holds which head in its own signature
    stamped-head.txt          what the store signs of this head or an earlier one, if an authority stamped one
    stamp.tsr                 the authority's reply (RFC 3161) that stamps stamped-head.txt
    clips/{id}/working.mp4    Derived: a copy to play, with the time and the clip's id below the picture
    clips/{id}/thumbnails/NN.jpg  Derived: single pictures of it

Other listed files (derived ones, the report, the certificate) are for reading and prove nothing.
"""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from broker.events import Bytes, Name, Sha256
from broker.witness import Before, Key, Restoration, Signature, Size, TreeHead

FORMAT = "floorbell-bundle-1"
LISTED_BY = "bundle.json"
CUSTODY, LEAVES, HEADS = "custody.jsonl", "leaves.bin", "heads.json"
STAMPED, STAMP = "stamped-head.txt", "stamp.tsr"


class Derived(Struct, frozen=True, omit_defaults=True):
    """A file that was made from the file `source`, when and by what; it proves nothing. A thumbnail is of the
    picture that the kiosk's clock gave the time `shows_ms`; of `trigger`, the first one from that on."""

    source: str
    made_at_ms: int
    by: str
    shows_ms: int | None = None
    trigger: bool = False


class File(Struct, frozen=True, omit_defaults=True):
    sha256: Sha256
    bytes: Bytes
    derived: Derived | None = None


class BundledClip(Struct, frozen=True, omit_defaults=True):
    """`signature` is the device's over the manifest, `key` the public key that it is to be checked with.
    `trouble` says why there is no working copy, or what it lacks."""

    clip: UUID
    device: Name
    key: Key
    signature: Annotated[str, Meta(max_length=256)]
    trouble: str | None = None


class Listing(Struct, frozen=True):
    """bundle.json. `export` is the id of this export, the subject of its own entry in the log."""

    format: Literal["floorbell-bundle-1"]
    export: UUID
    store: Name
    log: UUID
    made_at_ms: int
    clips: list[BundledClip]
    files: dict[str, File]


class CustodyLine(Struct, frozen=True):
    """One entry: its exact bytes as text, and the words that it commits to, where they were not erased."""

    index: Size
    entry: str
    actor: str | None
    actor_salt: str | None
    reason: str | None
    reason_salt: str | None


class WitnessedHead(Struct, frozen=True, omit_defaults=True):
    """A device said in its own signature that it holds the head of `size` entries, and that it held those of
    `before` until the store was restored from a backup without them."""

    device: Name
    size: Size
    root: Sha256
    at_ms: int
    key: Key
    signature: Signature
    before: list[Before] = []


class Anchors(Struct, frozen=True, omit_defaults=True):
    """`restored` are the store's own words on its restores, the oldest first."""

    head: TreeHead
    witnesses: list[WitnessedHead]
    restored: list[Restoration] = []


def video_of(clip: UUID) -> str:
    return f"clips/{clip}/video.mp4"


def manifest_of(clip: UUID) -> str:
    return f"clips/{clip}/manifest.json"


def working_of(clip: UUID) -> str:
    return f"clips/{clip}/working.mp4"


def thumbnail_of(clip: UUID, file: str) -> str:
    return f"clips/{clip}/thumbnails/{file}"
