"""A phone as its push service and its own browser see it: an address, a key pair, and what it can read."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.pushing.store import Keys


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(given: str) -> bytes:
    return urlsafe_b64decode(given + "=" * (-len(given) % 4))


def _mac(key: bytes, data: bytes) -> bytes:
    mac = HMAC(key, hashes.SHA256())
    mac.update(data)
    return mac.finalize()


@dataclass
class PushPhone:
    """Reads by RFC 8291's own steps, written out again here."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = bytes(range(16))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> Keys:
        return Keys(self.endpoint, text(self.point), text(self.secret))

    def opened(self, body: bytes) -> bytes:
        """The plain text of one record. InvalidTag if it is not for this phone."""
        salt, length = body[:16], body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self.key.exchange(ec.ECDH(), public)
        both = b"WebPush: info\x00" + self.point + theirs + b"\x01"
        material = _mac(_mac(self.secret, shared), both)
        half = _mac(salt, material)
        key = _mac(half, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = _mac(half, b"Content-Encoding: nonce\x00\x01")[:12]
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        return plain.rstrip(b"\x00")[:-1]

    def reads(self, body: bytes) -> dict[str, Any]:
        return dict(json.loads(self.opened(body)))
