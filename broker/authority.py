"""The store's CA, opened to sign with: certificates and the list of those that are revoked."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from broker.errors import IdentityError


@dataclass(frozen=True)
class Authority:
    """The CA's private key and certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def open_authority(directory: Path) -> Authority:
    """The CA under directory/ca. IdentityError says what is wrong with it."""
    folder = directory / "ca"
    try:
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    except (OSError, ValueError) as error:
        raise IdentityError(f"There is no usable store CA in {folder}: {error}.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(f"{folder}/ca.key is no key that a store CA has.")
    return Authority(key, certificate)
