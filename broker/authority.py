"""The store's CA: its key, encrypted with a passphrase, opened to sign with.

The key is PKCS#8. Its password is not the passphrase itself, which 2048 rounds would guard badly, but what
scrypt makes of it; the line before the key says with which salt.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from broker import secrecy
from broker.errors import IdentityError

SHORTEST_PASSPHRASE = 12
# 128 MiB and about half a second for each guess (RFC 7914; the costs that OWASP names).
_N, _R, _P = 2**17, 8, 1
_SALT = re.compile(rb"^floorbell-scrypt ([0-9a-f]{32})$", re.MULTILINE)
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True)
class Authority:
    """The CA's private key and certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def key_path(directory: Path) -> Path:
    return directory / "ca" / "ca.key"


def certificate_path(directory: Path) -> Path:
    return directory / "ca" / "ca.crt"


def has_passphrase(directory: Path) -> bool:
    """Whether the CA's key is encrypted. IdentityError if it is not there, or others may read it."""
    return _ENCRYPTED in _read_key(directory)


def open_authority(directory: Path, passphrase: str | None = None) -> Authority:
    """The CA under directory/ca. IdentityError says what is wrong with it, or with the passphrase."""
    try:
        certificate = certificate_path(directory).read_bytes()
    except OSError as error:
        raise _unusable(directory, str(error)) from None
    return opened(_read_key(directory), certificate, passphrase, str(key_path(directory)))


def opened(key_pem: bytes, certificate_pem: bytes, passphrase: str | None, where: str) -> Authority:
    """A CA from its two parts. IdentityError if they cannot be opened or do not belong together."""
    password = None
    if _ENCRYPTED in key_pem:
        if passphrase is None:
            raise IdentityError(f"{where} is encrypted; it opens with its passphrase only.")
        if (salt := _SALT.search(key_pem)) is None:
            raise IdentityError(f"{where} has lost the line with its salt; restore the copy of it.")
        password = _password(passphrase, bytes.fromhex(salt[1].decode()))
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem[max(0, key_pem.find(b"-----BEGIN")) :], password)
    except ValueError:
        if password is None:
            raise IdentityError(f"{where} is no key of a store CA, or it is damaged.") from None
        raise IdentityError(f"The passphrase does not open {where}.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise IdentityError(f"{where} is not the key of the store CA's certificate.")
    return Authority(key, certificate)


def encrypted(key: ec.EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    """The key as it is kept (PEM). Without a passphrase it is not encrypted: for the demo and tests.

    IdentityError if the passphrase is too short.
    """
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    if passphrase is None:
        return key.private_bytes(*form, serialization.NoEncryption())
    check_passphrase(passphrase)
    salt = os.urandom(16)
    password = _password(passphrase, salt)
    pem = key.private_bytes(*form, serialization.BestAvailableEncryption(password))
    return b"floorbell-scrypt " + salt.hex().encode() + b"\n" + pem


def check_passphrase(passphrase: str) -> None:
    if len(passphrase) < SHORTEST_PASSPHRASE or not passphrase.isprintable():
        raise IdentityError(
            f"The passphrase has {len(passphrase)} characters; "
            f"allowed is one line of at least {SHORTEST_PASSPHRASE}."
        )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _password(passphrase: str, salt: bytes) -> bytes:
    made = Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode())
    return made.hex().encode()


def _read_key(directory: Path) -> bytes:
    path = key_path(directory)
    try:
        secrecy.check(path)
        return path.read_bytes()
    except OSError as error:
        raise _unusable(directory, str(error)) from None


def _unusable(directory: Path, why: str) -> IdentityError:
    return IdentityError(f"There is no usable store CA in {directory / 'ca'}: {why}.")
