"""The keys of pushes: those that browsers give, and the store's own (VAPID, RFC 8292), made at the first need
and kept beside edge.toml.

Phones are subscribed under the store's: with another key all of them have to switch their calls on again.
"""

import os
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge import secret_files
from edge.errors import EdgeError, StorageError

NAME = "push.key"


class NoKey(EdgeError):
    """A browser's key or secret cannot be used."""


def private_key(directory: Path) -> ec.EllipticCurvePrivateKey:
    """The key in `directory`, made if there is none. StorageError if it cannot be kept secret there."""
    path = directory / NAME
    try:
        if not path.exists():
            _make(path)
        secret_files.check(path, StorageError)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise StorageError(f"The key for pushes {path} cannot be read or made: {error.strerror}.") from None
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise StorageError(f"{path} is no P-256 key; put the right one back, or delete it and start again.")
    return key


def public_bytes(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> bytes:
    """The point, uncompressed: 65 bytes."""
    public = key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def text(raw: bytes) -> str:
    """Base64url without padding, as all of Web Push has it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(given: str) -> bytes:
    """Base64url with or without padding. NoKey."""
    try:
        return urlsafe_b64decode(given.encode("ascii") + b"=" * (-len(given) % 4))
    except ValueError:
        raise NoKey("The phone's key is not base64url.") from None


def point(public: bytes) -> ec.EllipticCurvePublicKey:
    """A browser's public key, from its 65 bytes. NoKey."""
    try:
        if len(public) != 65:
            raise ValueError
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("The phone's key is no point of P-256.") from None


def check(p256dh: str, auth: str) -> None:
    """NoKey unless a browser may have made them."""
    point(raw(p256dh))
    if len(raw(auth)) != 16:
        raise NoKey("The phone's secret has another length than 16 bytes.")


def _make(path: Path) -> None:
    """Of two programs that make one at once, one's is kept, and neither reads half of it."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
