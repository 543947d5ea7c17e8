"""The store's CA, the certificates of its programs and devices, and the devices' signing keys.

Imported when identities are made, never by a running kiosk: the cryptography library costs memory.
"""

import datetime as dt
import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from broker import files, issuing, renewals, revocation
from broker.authority import Authority, encrypted, fingerprint, open_authority
from broker.errors import IdentityError
from broker.topics import check_device_name, check_name

# What a device is let in with. One that can renew has it replaced soon by shorter ones (broker/renewals.py).
CERTIFICATE_YEARS = 2
PROGRAMS = ("edge-worker", "edge-web")
SERVERS = ("broker", "vault")


@dataclass(frozen=True)
class Certificate:
    """What the register keeps about an issued certificate: `issuer` is the SHA-256 of its CA's, `key` of its
    public key."""

    name: str
    serial: str
    sha256: str
    not_before: dt.datetime
    not_after: dt.datetime
    signing_key: str | None = None
    issuer: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Request:
    """A device's request, of which it was shown that its sender holds both keys."""

    device: str
    public: ec.EllipticCurvePublicKey
    signing_key: str

    @property
    def key(self) -> str:
        """SHA-256 of the public key."""
        return key_hash(self.public)


def key_hash(public: ec.EllipticCurvePublicKey) -> str:
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(public.public_bytes(*form)).hexdigest()


def make_store(
    directory: Path, store: str, hosts: list[str], now: dt.datetime, passphrase: str | None = None
) -> None:
    """A new CA for `store` under directory/ca, the broker's certificate for `hosts`, one for each program.

    Without a passphrase the CA's key is not encrypted: for the demo and tests. IdentityError if there is a CA
    already: a second one would lock every device out.
    """
    check_name(store, "The store's name")
    ca = directory / "ca"
    if (ca / "ca.key").exists():
        raise IdentityError(f"{ca} holds a store CA already; it is kept.")
    authority = issuing.authority(f"Floorbell store {store}", now)
    files.write(ca / "ca.key", encrypted(authority.key, passphrase), secret=True)
    files.write(ca / "ca.crt", issuing.pem(authority.certificate))
    revocation.revoke(directory, authority, (), now)
    issue_server(directory, authority, hosts, now)
    # With this one the store signs the heads of its custody log.
    signing = issuing.private_pem(ed25519.Ed25519PrivateKey.generate())
    files.write(directory / "vault" / "sign.key", signing, secret=True)
    renewals.make(directory, store, now)


def issue_server(directory: Path, authority: Authority, hosts: list[str], now: dt.datetime) -> None:
    """New keys and certificates for everything that runs on the server, as long as the CA's: a date would
    guard nothing of what lies beside the key that could extend it (decisions/004)."""
    for name in SERVERS:
        _issue_here(directory, authority, name, hosts, now)
    for program in PROGRAMS:
        _issue_here(directory, authority, program, [], now)


def make_request(directory: Path, device: str) -> str:
    """On the device: make its keys under `directory` (they never leave it) and return the request as JSON."""
    check_device_name(device)
    if (directory / "tls.key").exists():
        raise IdentityError(f"{directory} holds a device's keys already; they are kept.")
    key = ec.generate_private_key(ec.SECP256R1())
    signing = ed25519.Ed25519PrivateKey.generate()
    files.write(directory / "tls.key", issuing.private_pem(key), secret=True)
    files.write(directory / "sign.key", issuing.private_pem(signing), secret=True)
    return request_of(device, key, signing)


def request_of(device: str, key: ec.EllipticCurvePrivateKey, signing: ed25519.Ed25519PrivateKey) -> str:
    """The request (JSON) of a device that has these keys; it shows that its sender holds both."""
    csr = x509.CertificateSigningRequestBuilder().subject_name(issuing.named(device))
    csr_pem = csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return json.dumps(
        {
            "device": device,
            "csr": csr_pem.decode(),
            "signing_key": signing.public_key().public_bytes_raw().hex(),
            "proof": signing.sign(csr_pem).hex(),
        }
    )


def read_request(request: str, device: str) -> Request:
    """IdentityError if it is not one, is for another name, or its sender does not hold both keys."""
    check_device_name(device)
    try:
        wanted = json.loads(request)
        csr = x509.load_pem_x509_csr(wanted["csr"].encode())
        public = bytes.fromhex(wanted["signing_key"])
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(
            bytes.fromhex(wanted["proof"]), wanted["csr"].encode()
        )
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
        raise IdentityError(
            "The request is not one made by 'floorbell device request', or it is damaged."
        ) from None
    if not csr.is_signature_valid or issuing.common_name(csr) != device:
        raise IdentityError(f"The request is for {wanted.get('device')!r}, not for {device!r}.")
    key = csr.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise IdentityError("The request is for a key of another kind; it must be an elliptic curve's.")
    return Request(device, key, public.hex())


def sign_request(
    directory: Path,
    request: str,
    device: str,
    now: dt.datetime,
    authority: Authority | None = None,
) -> tuple[str, str, Certificate]:
    """On the server: the device's certificate and the CA's (PEM), and what to register.

    `authority` is the opened CA; without one it is opened, if it has no passphrase. IdentityError as
    read_request.
    """
    wanted = read_request(request, device)
    until = now + dt.timedelta(days=365 * CERTIFICATE_YEARS)
    pem, given = issue(authority or open_authority(directory), wanted, now, until)
    return pem, (directory / "ca" / "ca.crt").read_text(), given


def issue(by: Authority, wanted: Request, now: dt.datetime, until: dt.datetime) -> tuple[str, Certificate]:
    """The device's certificate (PEM), and what to register."""
    made = issuing.certificate(by, wanted.device, wanted.public, [], now, until)
    return issuing.pem(made).decode(), registered(made, by, wanted.signing_key, wanted.key)


def registered(made: x509.Certificate, by: Authority, signing_key: str | None, key: str) -> Certificate:
    """What the register keeps about this certificate of a device."""
    return Certificate(
        issuing.common_name(made),
        f"{made.serial_number:x}",
        fingerprint(made),
        made.not_valid_before_utc,
        made.not_valid_after_utc,
        signing_key,
        fingerprint(by.certificate),
        key,
    )


def shown(der: bytes, by: Authority, signing_key: str | None) -> Certificate | None:
    """What the register is to keep about a certificate that `by` signed; None if it did not."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(by.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return None
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    return registered(certificate, by, signing_key, key_hash(key))


def install_certificate(directory: Path, certificate_pem: str, ca_pem: str) -> None:
    """On the device: put what the server answered beside the keys, the certificate last."""
    files.write(directory / "ca.crt", ca_pem.encode())
    files.write(directory / "tls.crt", certificate_pem.encode())


def _issue_here(directory: Path, authority: Authority, name: str, hosts: list[str], now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    until = authority.certificate.not_valid_after_utc
    made = issuing.certificate(authority, name, key.public_key(), hosts, now, until)
    files.write(directory / name / "tls.key", issuing.private_pem(key), secret=True)
    install_certificate(
        directory / name, issuing.pem(made).decode(), issuing.pem(authority.certificate).decode()
    )
