"""The store's CA, the certificates of its programs and devices, and the devices' signing keys.

Imported when identities are made, never by a running kiosk: the cryptography library costs memory.
"""

import datetime as dt
import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker import revocation
from broker.authority import Authority, encrypted, open_authority
from broker.errors import IdentityError
from broker.topics import check_device_name, check_name

CA_YEARS = 20
CERTIFICATE_YEARS = 2
PROGRAMS = ("edge-worker", "edge-web")


@dataclass(frozen=True)
class Certificate:
    """What the register keeps about an issued certificate."""

    name: str
    serial: str
    sha256: str
    not_before: dt.datetime
    not_after: dt.datetime
    signing_key: str | None = None


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
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Floorbell store {store}")
    certificate = (
        _builder(name, name, key.public_key(), now, CA_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    _write(ca / "ca.key", encrypted(key, passphrase), secret=True)
    _write(ca / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))
    authority = Authority(key, certificate)
    revocation.revoke(directory, authority, (), now)
    _issue_here(directory, authority, "broker", hosts, now)
    _issue_here(directory, authority, "vault", hosts, now)
    # With this one the store signs the heads of its custody log.
    _write(directory / "vault" / "sign.key", _private_pem(ed25519.Ed25519PrivateKey.generate()), secret=True)
    for program in PROGRAMS:
        _issue_here(directory, authority, program, [], now)


def make_request(directory: Path, device: str) -> str:
    """On the device: make its keys under `directory` (they never leave it) and return the request as JSON."""
    check_device_name(device)
    if (directory / "tls.key").exists():
        raise IdentityError(f"{directory} holds a device's keys already; they are kept.")
    key = ec.generate_private_key(ec.SECP256R1())
    signing = ed25519.Ed25519PrivateKey.generate()
    csr = x509.CertificateSigningRequestBuilder().subject_name(_name(device)).sign(key, hashes.SHA256())
    csr_pem = csr.public_bytes(serialization.Encoding.PEM)
    public = signing.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    _write(directory / "tls.key", _private_pem(key), secret=True)
    _write(directory / "sign.key", _private_pem(signing), secret=True)
    return json.dumps(
        {
            "device": device,
            "csr": csr_pem.decode(),
            "signing_key": public.hex(),
            "proof": signing.sign(csr_pem).hex(),
        }
    )


def sign_request(
    directory: Path,
    request: str,
    device: str,
    now: dt.datetime,
    authority: Authority | None = None,
) -> tuple[str, str, Certificate]:
    """On the server: the device's certificate and the CA's (PEM), and what to register.

    `authority` is the opened CA; without one it is opened, if it has no passphrase.

    IdentityError if the request is not one, is for another name, or its sender does not hold both keys.
    """
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
    names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not csr.is_signature_valid or [n.value for n in names] != [device]:
        raise IdentityError(f"The request is for {wanted.get('device')!r}, not for {device!r}.")
    certificate = _sign(authority or open_authority(directory), device, csr.public_key(), [], now)  # type: ignore[arg-type]
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return pem, (directory / "ca" / "ca.crt").read_text(), _registered(device, certificate, public.hex())


def install_certificate(directory: Path, certificate_pem: str, ca_pem: str) -> None:
    """On the device: put what the server answered beside the keys."""
    _write(directory / "tls.crt", certificate_pem.encode())
    _write(directory / "ca.crt", ca_pem.encode())


def _issue_here(directory: Path, authority: Authority, name: str, hosts: list[str], now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(authority, name, key.public_key(), hosts, now)
    _write(directory / name / "tls.key", _private_pem(key), secret=True)
    install_certificate(
        directory / name,
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        (directory / "ca" / "ca.crt").read_text(),
    )


def _sign(
    authority: Authority, name: str, public: ec.EllipticCurvePublicKey, hosts: list[str], now: dt.datetime
) -> x509.Certificate:
    usage = [ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(_name(name), authority.certificate.subject, public, now, CERTIFICATE_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    )
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False
        )
    return builder.sign(authority.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: dt.datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * years))
    )


def _registered(name: str, certificate: x509.Certificate, signing_key: str) -> Certificate:
    return Certificate(
        name,
        f"{certificate.serial_number:x}",
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        signing_key,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, *, secret: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
