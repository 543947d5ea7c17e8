"""`python -m kiosk.renewing`: asks the store once whether this kiosk's certificate is due; fetches the next.

A process of its own, because the library that makes keys would cost the kiosk's own program 8 MB for the
whole day. What is kept where meanwhile: kiosk/replacing.py. Why so: broker/decisions/004.
"""

import argparse
import http.client
import json
import re
import ssl
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from broker.errors import BrokerError, IdentityError
from broker.files import write
from broker.tls import NO_CHECK_TIME
from kiosk.errors import KioskError
from kiosk.replacing import CERTIFICATE, KEY, NEXT, RENEWED, TRUST, is_fetched, saw, settle

PATIENCE_S = 30.0
MAX_BYTES = 64 * 1024
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the store's vault is, as this kiosk knows it, and whose identity knocks."""

    host: str
    port: int
    device: str
    identity: Path


def main(arguments: list[str] | None = None) -> int:
    """0: nothing was due; RENEWED: the identity is another one now; 1 and a sentence if it did not work."""
    parser = argparse.ArgumentParser(prog="kiosk.renewing")
    for name in ("host", "device"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--identity", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    try:
        done = renew(Door(chosen.host, chosen.port, chosen.device, chosen.identity))
    except (KioskError, BrokerError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return RENEWED if done else 0


def renew(door: Door) -> bool:
    """Whether the kiosk has another certificate now. KioskError, in a sentence, if the store gives none."""
    done = settle(door.identity)
    fresh = door.identity / NEXT
    if is_fetched(door.identity):
        return _take(door) or done
    answer = _look(door, door.identity)
    if not answer.get("due"):
        return done
    said = _ask(door, door.identity, "POST", "/identity/renewal", _request(door))
    if not isinstance(pem := said.get("certificate"), str):
        raise KioskError(f"{door.host} answered without a certificate.")
    write(fresh / CERTIFICATE, pem.encode())
    return _take(door)


def _take(door: Door) -> bool:
    """Show the new certificate; the old one is used until the store has seen it."""
    _look(door, door.identity / NEXT)
    saw(door.identity)
    return settle(door.identity)


def _look(door: Door, shown: Path) -> dict[str, Any]:
    """What the store says to the certificate in `shown`; the CAs that it names are trusted from then on."""
    answer = _ask(door, shown, "GET", "/identity")
    trust = answer.get("trust")
    if not isinstance(trust, str) or not _PEM.search(trust):
        raise KioskError(f"{door.host} answered without a CA.")
    if fingerprints(trust) != fingerprints(_trust(door)):
        # Only what vouches for this very server: nothing that it says locks this kiosk out.
        answer = _ask(door, shown, "GET", "/identity", trust=trust)
        write(door.identity / TRUST, trust.encode())
    return answer


def fingerprints(pem: str) -> str:
    """The SHA-256 of each certificate, by commas."""
    found = [ssl.PEM_cert_to_DER_cert(one) for one in _PEM.findall(pem)]
    return ",".join(sha256(der).hexdigest() for der in found)


def _request(door: Door) -> str:
    # Only here: the library costs memory, and what was asked for is rarely due.
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from broker import identity, issuing

    path = door.identity / NEXT / KEY
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write(path, issuing.private_pem(ec.generate_private_key(ec.SECP256R1())), secret=True)
    try:
        key = load_pem_private_key(path.read_bytes(), None)
        signing = load_pem_private_key((door.identity / "sign.key").read_bytes(), None)
    except (OSError, ValueError) as error:
        raise IdentityError(f"The keys in {door.identity} cannot be used: {error}.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(signing, ed25519.Ed25519PrivateKey):
        raise IdentityError(f"The keys in {door.identity} are of another kind.")
    return identity.request_of(door.device, key, signing)


def _trust(door: Door) -> str:
    return (door.identity / TRUST).read_text(encoding="ascii", errors="replace")


def _ask(
    door: Door, shown: Path, method: str, path: str, body: str | None = None, trust: str | None = None
) -> dict[str, Any]:
    where = f"{door.host}:{door.port}"
    try:
        trusted = trust or _trust(door)
        context = ssl.create_default_context(cadata=trusted)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        context.load_cert_chain(shown / CERTIFICATE, shown / KEY, password="")
    except (OSError, ssl.SSLError) as error:
        raise KioskError(f"The identity in {shown} cannot be used: {error}.") from None
    headers = {"Trusts": fingerprints(trusted), "Content-Type": "application/json"}
    connection = http.client.HTTPSConnection(door.host, door.port, timeout=PATIENCE_S, context=context)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        said = response.read(MAX_BYTES).decode("utf-8", "replace")
    except ssl.SSLCertVerificationError as error:
        raise KioskError(f"What answers at {where} is not this store: {error.verify_message}.") from None
    except (OSError, http.client.HTTPException) as error:
        raise KioskError(f"The store's vault at {where} cannot be reached: {error}.") from None
    finally:
        connection.close()
    if response.status != 200:
        raise KioskError(said.strip()[:300] or f"The store's vault answered {response.status}.")
    try:
        answer = json.loads(said)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise KioskError(f"{where} answered with something else than a store's word.")
    return answer


if __name__ == "__main__":
    sys.exit(main())
