"""Ed25519 signatures of devices and of the store. No button's program loads it: the library costs memory."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from broker import secrecy
from broker.errors import IdentityError


class Signer:
    """One private key. `key` is its public half, 64 hexadecimal signs."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """128 hexadecimal signs."""
        return self._private.sign(message).hex()


def load_signer(path: Path) -> Signer:
    """The key that identity.make_request or make_store wrote there. IdentityError says what is wrong."""
    secrecy.check(path)
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise IdentityError(f"{path} holds no usable signing key: {error}.") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise IdentityError(f"{path} holds a key of another kind; it must be Ed25519.")
    return Signer(private)


def is_signed(key: str, message: bytes, signature: str) -> bool:
    """Whether `signature` is that of `message` by the public `key`; False for whatever is neither."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signature), message)
    except (ValueError, InvalidSignature):
        return False
    return True
