"""Time stamps (RFC 3161): what is asked of an authority, and whether its reply holds. Files and network are
elsewhere.

The stamped message is what the store signs of a head, byte for byte (broker/witness.py), its imprint SHA-256.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from broker.witness import HEAD_SIGNED, head_to_sign
from edge.errors import EdgeError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

MAX_REPLY_BYTES = 64 * 1024
_SHA256 = "2.16.840.1.101.3.4.2.1"
_HEAD = re.compile(
    rb"(?P<store>[a-z0-9-]{1,32})\n(?P<log>[0-9a-f-]{36})\n(?P<size>\d{1,16})\n(?P<root>[0-9a-f]{64})\n"
    rb"(?P<at_ms>\d{1,16})\n"
)
# How OpenSSL names what is wrong with a chain of certificates.
_CHAIN = re.compile(r"Verify error: ?([^\"']+)")

Flaw = Literal["altered", "replaced", "unknown key"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """The authority's word: what it stamped was there `at`. `by` is the name in its certificate."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is what the authority is sent; its reply has the same `nonce`."""

    body: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Head:
    """The head that a message names."""

    store: str
    log: UUID
    size: int
    root: str


class BadStamp(EdgeError):
    """The reply does not hold. `flaw` is the verifier's name for it."""

    def __init__(self, flaw: Flaw, sentence: str) -> None:
        super().__init__(sentence)
        self.flaw = flaw


def authority(pem: bytes, where: str) -> list["Certificate"]:
    """The certificates in a file that was read from `where`. EdgeError if there is none."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        raise EdgeError(
            f"{where} holds no certificate; it is the authority's CA, in PEM: '-----BEGIN CERTIFICATE-----'."
        ) from None


def request(message: bytes) -> Request:
    """With a fresh nonce, asking for the authority's certificate too."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    made = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    assert made.nonce is not None
    return Request(made.as_bytes(), made.nonce)


def check(reply: bytes, message: bytes, roots: Sequence["Certificate"], nonce: int | None = None) -> Stamp:
    """The stamp that this reply is: over this message, signed by a certificate for time-stamping that was
    valid then and is under one of `roots`; with this nonce, if one is given. BadStamp otherwise."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        read = decode_timestamp_response(reply)
        status = read.status
        info = read.tst_info if status in (0, 1) else None
    except Exception:
        # Foreign bytes: whatever the library stumbles over, this is what it means.
        raise BadStamp("altered", "This is no time stamp.") from None
    if info is None:
        raise BadStamp("altered", f"The authority refused to stamp: {_said(read)}.")
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != sha256(message).digest():
        raise BadStamp("replaced", "The stamp is on something else than this head.")
    try:
        VerifierBuilder(roots=list(roots), nonce=nonce).build().verify(read, imprint.message)
        return Stamp(info.gen_time, _signer(read))
    except VerificationError as error:
        raise _bad(str(error)) from None
    except Exception:
        raise BadStamp("altered", "The stamp's signature cannot be read.") from None


def head_of(message: bytes) -> Head | None:
    """The head that these bytes are of; None if they are no head's."""
    found = _HEAD.fullmatch(message.removeprefix(HEAD_SIGNED))
    if found is None:
        return None
    try:
        head = Head(
            found["store"].decode(), UUID(found["log"].decode()), int(found["size"]), found["root"].decode()
        )
    except ValueError:
        return None
    written = head_to_sign(head.store, head.log, head.size, head.root, int(found["at_ms"]))
    return head if written == message else None


def _bad(said: str) -> BadStamp:
    chain = _CHAIN.search(said)
    why = "" if chain is None else chain[1].strip()
    if "purpose" in why or "EKU" in said:
        return BadStamp("unknown key", "The stamp's certificate is not one for time-stamping.")
    if "expired" in why or "not yet valid" in why:
        return BadStamp("unknown key", "The certificates behind the stamp were not valid when it was made.")
    if why:
        return BadStamp("unknown key", f"The stamp is not by an authority under the given CA ({why}).")
    if "nonce" in said.lower():
        return BadStamp("replaced", "The stamp answers another request than this one.")
    return BadStamp("altered", "The stamp's signature does not hold.")


def _said(read: "TimeStampResponse") -> str:
    """What the authority says of its refusal, printable and short."""
    words = " ".join(read.status_string) or f"status {read.status}"
    return "".join(sign for sign in words if sign.isprintable())[:200].rstrip(".")


def _signer(read: "TimeStampResponse") -> str:
    """The name of the certificate that signed; check() has found that it is there."""
    from cryptography.x509 import load_der_x509_certificate
    from cryptography.x509.oid import NameOID

    (info,) = read.signed_data.signer_infos
    for raw in read.signed_data.certificates:
        one = load_der_x509_certificate(raw)
        if (one.issuer, one.serial_number) == (info.issuer, info.serial_number):
            names = one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            name = str(names[0].value) if names else one.subject.rfc4514_string()
            return "".join(sign for sign in name if sign.isprintable())[:160]
    raise ValueError("nobody signed")
