"""The custody log's signed heads: the store shows each to its devices, which keep it or refuse it.

Both sides speak on the device's `witness` topic; `witness` says which record it is.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from broker.events import Milliseconds, Name, Sha256

# How a message begins that shows a head: both sides hear their own words on the topic and skip them so.
HEAD_MARK = b'"witness":"head"'
REFUSED_MARK = b'"witness":"refused"'
HEAD_SIGNED = b"floorbell tree head 1\n"
KEPT_SIGNED = b"floorbell witness 1\n"
RESTORED_SIGNED = b"floorbell restore 1\n"
# A device says no more of what it held before restores; a store that is restored so often has other troubles.
MOST_BEFORE = 16

Size = Annotated[int, Meta(ge=0, le=2**53)]
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]
# A proof in a tree of 2**53 leaves has at most 54 hashes.
Proof = Annotated[list[Sha256], Meta(max_length=64)]


class TreeHead(Struct, frozen=True):
    """The log had `size` entries under `root`; `at_ms` is Unix time. `key` is the store's evidence key."""

    store: Name
    log: UUID
    size: Size
    root: Sha256
    at_ms: Milliseconds
    key: Key
    signature: Signature


class Restoration(Struct, frozen=True):
    """The store's signed word that at `at_ms` it was restored from a backup of `backup_at_ms`, whose log had
    `size` entries under `root`: what it wrote after those is lost, and others stand there now."""

    size: Size
    root: Sha256
    backup_at_ms: Milliseconds
    at_ms: Milliseconds
    signature: Signature


class Before(Struct, frozen=True):
    """A head that a device held until the store was restored at `restored_ms` from a backup without it."""

    size: Size
    root: Sha256
    restored_ms: Milliseconds


class HeadShown(Struct, frozen=True, omit_defaults=True, tag_field="witness", tag="head"):
    """From the store. `proof` shows that this head continues the one of `old` entries; `old` 0 needs none.

    `restored` are the store's restores, the oldest first: a device that holds more than the backup had may
    keep a head that continues what it held at the time of the backup.
    """

    head: TreeHead
    old: Size = 0
    proof: Proof = []
    restored: Annotated[list[Restoration], Meta(max_length=MOST_BEFORE)] = []


class HeadKept(Struct, frozen=True, omit_defaults=True, tag_field="witness", tag="kept"):
    """From a device: it checked this head, holds it from now on, and signs so. `before` are the heads that it
    gave up for restores, in every signature from then on: nobody can say that there was no restore."""

    log: UUID
    size: Size
    root: Sha256
    at_ms: Milliseconds
    signature: Signature
    before: Annotated[list[Before], Meta(max_length=MOST_BEFORE)] = []


class HeadRefused(Struct, frozen=True, tag_field="witness", tag="refused"):
    """From a device: it does not follow. `held_size` and `held_root` are of the head that it goes on holding;
    with a `held_size` that is not the `old` of what it was shown it only asks for another proof."""

    log: UUID
    size: Size
    root: Sha256
    reason: Annotated[str, Meta(max_length=200)]
    held_size: Size = 0
    held_root: Sha256 | None = None


Witness = HeadShown | HeadKept | HeadRefused


def head_to_sign(store: str, log: UUID, size: int, root: str, at_ms: int) -> bytes:
    """What the store signs of a head."""
    return HEAD_SIGNED + f"{store}\n{log}\n{size}\n{root}\n{at_ms}\n".encode()


def kept_to_sign(
    store: str, device: str, log: UUID, size: int, root: str, at_ms: int, before: Sequence[Before] = ()
) -> bytes:
    """What a device signs when it keeps a head."""
    lines = "".join(f"before {one.size} {one.root} {one.restored_ms}\n" for one in before)
    return KEPT_SIGNED + f"{store}\n{device}\n{log}\n{size}\n{root}\n{at_ms}\n{lines}".encode()


def restored_to_sign(store: str, log: UUID, size: int, root: str, backup_at_ms: int, at_ms: int) -> bytes:
    """What the store signs of a restore."""
    return RESTORED_SIGNED + f"{store}\n{log}\n{size}\n{root}\n{backup_at_ms}\n{at_ms}\n".encode()
