"""Entries of the custody log as the tree holds them, with names and reasons only as salted commitments. Pure.

Whoever has a name and its salt can show that the entry speaks of it; without the salt nobody can guess it.
"""

from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from broker import tree

Action = Literal[
    "begun",
    "sealed",
    "mismatched",
    "lost",
    "viewed",
    "exported",
    "downloaded",
    "held",
    "release_asked",
    "released",
    "purged",
    "erased",
    "restored",
]
SALT_BYTES = 32


class Entry(Struct, frozen=True):
    """One entry. `digest` is the SHA-256 of what it speaks of (of a clip: its manifest's), or empty.

    `actor` and `reason` are commitments: SHA-256 over the field's name, a line feed, the salt and the text.
    """

    log: UUID
    index: int
    at_ms: int
    action: Action
    subject: str
    digest: str
    actor: str
    reason: str


def encode(entry: Entry) -> bytes:
    """The bytes of the leaf: JSON with these keys in this order, without spaces."""
    return msgspec.json.encode(entry)


def decode(written: bytes) -> Entry:
    """msgspec.MsgspecError if these bytes are no entry."""
    return msgspec.json.decode(written, type=Entry)


def commit(field: str, salt: bytes, text: str) -> str:
    """The commitment to `text` as the entry's `field`, in hexadecimal."""
    return sha256(field.encode() + b"\n" + salt + text.encode()).hexdigest()


def leaf(written: bytes) -> tree.Hash:
    return tree.leaf_hash(written)
