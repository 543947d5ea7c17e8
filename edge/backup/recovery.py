"""The recovery key: what opens a store's backups. The server has only what seals and signs them.

The key is an age identity (AGE-SECRET-KEY-1…). From it the key that the server signs its backups with is
derived, so that whoever has the one can tell that a backup was made by the server which has the other, and
the other opens nothing.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.files import write
from broker.signing import Signer
from edge import secret_files
from edge.backup.errors import BackupError

_SECRET, _PUBLIC = "age-secret-key-", "age"
_SIGNS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_NONE = "There is no recovery key yet, so nothing can be sealed; make one with 'floorbell backup key'."


@dataclass(frozen=True)
class RecoveryKey:
    """What is printed and locked away."""

    private: X25519PrivateKey

    @classmethod
    def new(cls) -> "RecoveryKey":
        return cls(X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "RecoveryKey":
        """What str() gave, however it was typed. BackupError says what is wrong."""
        typed = "".join(text.split())
        if not typed.upper().startswith(_SECRET.upper() + "1"):
            raise BackupError("This is no recovery key: one begins with AGE-SECRET-KEY-1.")
        raw = _unbech32(typed.lower(), _SECRET)
        if raw is None:
            raise BackupError("The recovery key is not whole: a sign of it is wrong or missing.")
        return cls(X25519PrivateKey.from_private_bytes(raw))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def recipient(self) -> str:
        """The public half, as age writes it."""
        return _bech32(_PUBLIC, self.public)

    @property
    def signing_seed(self) -> bytes:
        """What the key that the server signs with is made of."""
        derived = HKDF(hashes.SHA256(), 32, None, b"floorbell backup signing 1")
        return derived.derive(self.private.private_bytes_raw())

    @property
    def signing(self) -> Signer:
        """What the server signs with."""
        return Signer(Ed25519PrivateKey.from_private_bytes(self.signing_seed))

    def __str__(self) -> str:
        return _bech32(_SECRET, self.private.private_bytes_raw()).upper()

    def __repr__(self) -> str:
        return f"RecoveryKey({self.recipient})"


@dataclass(frozen=True)
class Sealer:
    """What the server has: `recipient` is whom it seals for, `signer` who it is."""

    recipient: bytes
    signer: Signer


def install(identity: Path, key: RecoveryKey) -> None:
    """Leave with the server what it needs, and nothing that opens a backup."""
    folder = identity / "backup"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The key to sign with last: it says that both are there.
    write(folder / "recipient", key.recipient.encode() + b"\n", secret=True)
    write(folder / "sign.key", key.signing_seed.hex().encode() + b"\n", secret=True)


def fingerprint(recipient: bytes) -> str:
    """How whatever was sealed for this key is told from what another opens, in a folder's name."""
    return hashlib.sha256(recipient).hexdigest()[:16]


def installed(identity: Path) -> bool:
    return (identity / "backup" / "sign.key").exists()


def sealer(identity: Path) -> Sealer:
    """BackupError if there is none, or it cannot be read."""
    folder = identity / "backup"
    secret_files.check(folder / "sign.key", BackupError)
    try:
        recipient = _unbech32((folder / "recipient").read_text().strip(), _PUBLIC)
        seed = bytes.fromhex((folder / "sign.key").read_text().strip())
        private = Ed25519PrivateKey.from_private_bytes(seed)
    except FileNotFoundError:
        raise BackupError(_NONE) from None
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} holds no usable key for backups: {error}.") from None
    if recipient is None:
        raise BackupError(f"{folder / 'recipient'} holds no key that age knows.")
    return Sealer(recipient, Signer(private))


def recipient_of(identity: Path) -> str:
    """Whom this server seals for. BackupError as sealer()."""
    return _bech32(_PUBLIC, sealer(identity).recipient)


def _bech32(prefix: str, raw: bytes) -> str:
    """BIP 173, as age uses it: without its limit of 90 signs."""
    values = _regrouped(raw, 8, 5, pad=True)
    assert values is not None
    check = _polymod([*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values = [*values, *((check >> 5 * (5 - at)) & 31 for at in range(6))]
    return prefix + "1" + "".join(_SIGNS[value] for value in values)


def _unbech32(text: str, prefix: str) -> bytes | None:
    """The 32 bytes, or None for what is no such key."""
    head, _, signs = text.rpartition("1")
    if head != prefix or any(sign not in _SIGNS for sign in signs):
        return None
    values = [_SIGNS.index(sign) for sign in signs]
    if len(values) < 6 or _polymod([*_expanded(prefix), *values]) != 1:
        return None
    raw = _regrouped(values[:-6], 5, 8, pad=False)
    return bytes(raw) if raw is not None and len(raw) == 32 else None


def _expanded(prefix: str) -> list[int]:
    return [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]


def _polymod(values: list[int]) -> int:
    found = 1
    for value in values:
        top, found = found >> 25, (found & 0x1FFFFFF) << 5 ^ value
        for at, step in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            found ^= step if (top >> at) & 1 else 0
    return found


def _regrouped(values: "bytes | list[int]", of: int, to: int, *, pad: bool) -> list[int] | None:
    held = bits = 0
    found = []
    for value in values:
        held, bits = held << of | value, bits + of
        while bits >= to:
            bits -= to
            found.append(held >> bits & (1 << to) - 1)
    left = held & (1 << bits) - 1
    if pad and bits:
        found.append(left << to - bits & (1 << to) - 1)
    elif not pad and (bits >= of or left):
        return None
    return found
