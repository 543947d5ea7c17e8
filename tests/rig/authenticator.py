"""A passkey in software: it answers the two ceremonies of WebAuthn as a real one does, and wrongly when told
so."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key for one host. `verifies`: it checks who holds it. `count` is how often it has signed; None for
    one that does not count."""

    origin: str
    verifies: bool = True
    count: int | None = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    host: str = ""
    user: bytes = b""

    def make(self, options: dict[str, Any]) -> str:
        """The answer to a server that wants a new passkey."""
        self.host, self.user = options["rp"]["id"], _bytes(options["user"]["id"])
        at = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(_ATTESTED) + attested}
        client = _client("webauthn.create", options["challenge"], self.origin)
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(cbor2.dumps(made))})

    def sign(self, options: dict[str, Any]) -> str:
        """The answer to a server that wants a proof."""
        if self.count is not None:
            self.count += 1
        client, data = _client("webauthn.get", options["challenge"], self.origin), self._data()
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": _text(client),
                "authenticatorData": _text(data),
                "signature": _text(signed),
                "userHandle": _text(self.user),
            }
        )

    def _data(self, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([flags]) + (self.count or 0).to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        id_ = _text(self.id)
        return json.dumps({"id": id_, "rawId": id_, "type": "public-key", "response": response})


def _client(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


def _text(some: bytes) -> str:
    return urlsafe_b64encode(some).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "===")
