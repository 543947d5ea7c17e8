"""What a backup says of itself: its parts, its clips, how many rows, and the custody log's head. Signed."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from broker.events import AwareTime, Bytes, Sha256
from broker.signing import is_signed
from edge.backup.errors import BackupError, NotWhole

FORMAT = "floorbell-backup-1"
_SIGNED = b"floorbell backup 1\n"
Count = Annotated[int, Meta(ge=0)]


class Part(Struct, frozen=True):
    """A file of this backup, as it was before it was sealed."""

    sha256: Sha256
    bytes: Bytes


class Head(Struct, frozen=True):
    """The custody log as it was: all of its entries, whether a head was signed over them or not."""

    log: str
    size: Count
    root: Sha256


class Manifest(Struct, frozen=True):
    """`version` is that of the database, `clips` the size of each file of the vault by its SHA-256, `missing`
    those that the register has and the vault did not. `rows` is how many each table had."""

    format: str
    id: str
    store: str
    made_at: AwareTime
    version: str
    kind: str
    parts: dict[str, Part]
    clips: dict[Sha256, Bytes]
    missing: list[Sha256]
    rows: dict[str, Count]
    head: Head | None = None


class _Signed(Struct, frozen=True):
    manifest: str
    signature: str


def encode(manifest: Manifest, sign: Callable[[bytes], str]) -> bytes:
    """With its signature; `sign` gives that of a message."""
    text = msgspec.json.encode(manifest).decode()
    return msgspec.json.encode(_Signed(text, sign(_SIGNED + text.encode())))


def decode(written: bytes, name: str, key: str) -> Manifest:
    """The manifest of the backup `name`, signed with `key`. BackupError says what is wrong with it."""
    try:
        signed = msgspec.json.decode(written, type=_Signed)
        found = msgspec.json.decode(signed.manifest, type=Manifest)
    except (msgspec.MsgspecError, UnicodeError):
        raise NotWhole(
            f"The manifest of {name} cannot be read: it is damaged or of a later program."
        ) from None
    if not is_signed(key, _SIGNED + signed.manifest.encode(), signed.signature):
        raise NotWhole(f"The manifest of {name} was not made by this store's server: it was put there.")
    if found.format != FORMAT:
        raise BackupError(
            f"The backup {name} is of the format {found.format[:40]!r}; this program reads {FORMAT}."
        )
    if found.id != name:
        raise NotWhole(f"What lies there as {name} is the backup {found.id[:40]}: files were exchanged.")
    return found
