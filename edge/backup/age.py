"""age files (C2SP age.md, version 1) for one X25519 recipient, written and read piece by piece.

`age -d` opens what is written here; what is read here is only what was written here. The order and the end
of the chunks are authenticated, so that what was cut short, or put together in another order, is found.
"""

import base64
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.backup.errors import NotWhole, OtherKey

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
_VERSION = b"age-encryption.org/v1\n"
_LONGEST_HEADER = 4096


def sealed(parts: Iterable[bytes], recipient: bytes) -> Iterator[bytes]:
    """The age file over `parts`, piece by piece, for the public key `recipient` (32 bytes)."""
    file_key, own = os.urandom(16), X25519PrivateKey.generate()
    share = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(recipient))
    wrapped = ChaCha20Poly1305(_wrapping(shared, share, recipient)).encrypt(bytes(12), file_key, None)
    header = _VERSION + b"-> X25519 " + _b64(share) + b"\n" + _b64(wrapped) + b"\n---"
    nonce = os.urandom(16)
    yield header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    held, number = b"", 0
    for part in parts:
        held += part
        while len(held) > CHUNK_BYTES:
            yield cipher.encrypt(_nonce(number, last=False), held[:CHUNK_BYTES], None)
            held, number = held[CHUNK_BYTES:], number + 1
    yield cipher.encrypt(_nonce(number, last=True), held, None)


def sealed_bytes(plain_bytes: int) -> int:
    """How large the file over so many bytes is."""
    chunks = max(1, -(-plain_bytes // CHUNK_BYTES))
    header = len(_VERSION) + 10 + 43 + 1 + 43 + 1 + 3 + 1 + 43 + 1
    return header + 16 + plain_bytes + chunks * TAG_BYTES


def opened(file: BinaryIO, key: X25519PrivateKey, what: str) -> Iterator[bytes]:
    """What was sealed, piece by piece; only once it has ended is all of it known to be whole.

    OtherKey for another's, NotWhole for what is not as it was sealed; `what` names it in the sentence.
    """
    file_key = _file_key(file, key, what)
    nonce = file.read(16)
    if len(nonce) < 16:
        raise NotWhole(f"{what} ends too early: it was cut short.")
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    number, ahead = 0, _read(file, CHUNK_BYTES + TAG_BYTES)
    while True:
        chunk, ahead = ahead, _read(file, CHUNK_BYTES + TAG_BYTES)
        last = not ahead
        try:
            plain = cipher.decrypt(_nonce(number, last=last), chunk, None)
        except InvalidTag:
            raise NotWhole(_why(cipher, number, chunk, what, last=last)) from None
        if plain or number == 0:
            yield plain
        if last:
            return
        number += 1


class Digesting:
    """Passes pieces on, and knows their SHA-256 and how many bytes they were once they have ended."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts, self._hash = parts, sha256()
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            self._hash.update(part)
            self.bytes += len(part)
            yield part

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _why(cipher: ChaCha20Poly1305, number: int, chunk: bytes, what: str, *, last: bool) -> str:
    """Whether it is the end that is missing, or the content that is another."""
    if last:
        try:
            cipher.decrypt(_nonce(number, last=False), chunk, None)
        except InvalidTag:
            pass
        else:
            return f"{what} ends too early: it was cut short."
    return f"{what} is not as it was sealed: it was altered, cut short or put together anew."


def _file_key(file: BinaryIO, key: X25519PrivateKey, what: str) -> bytes:
    lines, size = [], 0
    for _ in range(4):
        line = file.readline(_LONGEST_HEADER)
        size += len(line)
        lines.append(line)
    if lines[0] != _VERSION:
        raise NotWhole(f"{what} is no backup's file: it does not begin as one does.")
    if not all(line.endswith(b"\n") for line in lines):
        raise NotWhole(f"{what} ends too early: it was cut short.")
    try:
        kind, share64 = lines[1].split()[1:]
        share, wrapped = _unb64(share64), _unb64(lines[2].strip())
        mark, mac64 = lines[3].split()
        mac = _unb64(mac64)
        shared = key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:
        raise NotWhole(f"{what} is no backup's file: its beginning cannot be read.") from None
    if kind != b"X25519" or mark != b"---":
        raise NotWhole(f"{what} is no backup's file: its beginning cannot be read.")
    own = key.public_key().public_bytes_raw()
    try:
        file_key = ChaCha20Poly1305(_wrapping(shared, share, own)).decrypt(bytes(12), wrapped, None)
    except InvalidTag:
        raise OtherKey(f"This recovery key does not open {what}; it was sealed for another.") from None
    if _mac(file_key, b"".join(lines[:3]) + b"---") != mac:
        raise NotWhole(f"{what} is not as it was sealed: its beginning was altered.")
    return file_key


def _read(file: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    got = b""
    while len(got) < size and (more := file.read(size - len(got))):
        got += more
    return got


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _wrapping(shared: bytes, share: bytes, recipient: bytes) -> bytes:
    return _derived(shared, share + recipient, b"age-encryption.org/v1/X25519")


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt or None, info).derive(secret)


def _mac(file_key: bytes, header: bytes) -> bytes:
    made = hmac.HMAC(_derived(file_key, b"", b"header"), hashes.SHA256())
    made.update(header)
    return made.finalize()


def _b64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    if b"=" in text:
        raise ValueError("padded")
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
