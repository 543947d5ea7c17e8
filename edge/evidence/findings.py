"""What a verifier can say of a bundle, and what it needs from outside for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.errors import EdgeError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class Verdict(StrEnum):
    OK = "ok"
    ALTERED = "altered"
    TRUNCATED = "truncated"
    REORDERED = "reordered"
    REPLACED = "replaced"
    REMOVED = "removed"
    UNANCHORED = "unanchored"
    UNKNOWN_KEY = "unknown key"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, of which clip or file, in one sentence."""

    verdict: Verdict
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Known:
    """What comes from outside the bundle: public keys in hexadecimal, heads as (size, root), and the CA of
    the time-stamping authority, without which a stamp is not checked."""

    keys: frozenset[str]
    heads: Sequence[tuple[int, str]] = ()
    authority: "Sequence[Certificate] | None" = None


class NoBundle(EdgeError):
    """The file cannot be read as a bundle at all."""
