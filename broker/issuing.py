"""Building certificates, and writing them and their keys to files. Imported where identities are made."""

import datetime as dt
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.authority import Authority

CA_YEARS = 20
_DAY = dt.timedelta(days=1)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def common_name(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """The one common name; '' where there is none, or more than one."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def authority(name: str, now: dt.datetime, path_length: int = 0, by: Authority | None = None) -> Authority:
    """A new CA, of its own word or signed by another; see restricted() for one that may sign less."""
    return restricted(name, now, [], path_length, by)


def restricted(
    name: str,
    now: dt.datetime,
    extensions: list[tuple[x509.ExtensionType, bool]],
    path_length: int = 0,
    by: Authority | None = None,
) -> Authority:
    """A new CA with these extensions more, each with whether it is critical."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = named(name) if by is None else by.certificate.subject
    builder = (
        _builder(named(name), issuer, key.public_key(), now - _DAY, now + dt.timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
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
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if by is not None:
        # RFC 5280, 4.2.1.1; Python 3.13 trusts none without it.
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
        builder = builder.add_extension(signer, critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Authority(key, builder.sign(key if by is None else by.key, hashes.SHA256()))


def certificate(
    by: Authority,
    name: str,
    public: ec.EllipticCurvePublicKey,
    hosts: list[str],
    now: dt.datetime,
    until: dt.datetime,
) -> x509.Certificate:
    """With `hosts` a server's certificate, without any a client's. It begins a day back, because clocks
    differ, and never outlives its CA's."""
    usage = [ExtendedKeyUsageOID.SERVER_AUTH] if hosts else [ExtendedKeyUsageOID.CLIENT_AUTH]
    until = min(until, by.certificate.not_valid_after_utc)
    builder = (
        _builder(named(name), by.certificate.subject, public, now - _DAY, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([host(h) for h in hosts]), critical=False)
    return builder.sign(by.key, hashes.SHA256())


def host(name: str) -> x509.GeneralName:
    """A name or an address as certificates say it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a server's certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found.value]


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Not encrypted: for keys that programs open by themselves."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    begin: dt.datetime,
    end: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
