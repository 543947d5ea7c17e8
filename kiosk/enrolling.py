"""On the kiosk: make its keys, and have the server sign them for a one-time code. The keys stay here."""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker import invitation
from broker.errors import IdentityError
from broker.invitation import Code
from broker.tls import NO_CHECK_TIME
from kiosk.errors import KioskError

PATIENCE_S = 30.0
_KEYS = ("tls.key", "sign.key")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What kiosk.toml is to say."""

    store: str
    device: str
    zone: str
    host: str
    port: int


def enrol(text: str, directory: Path) -> Enrolled:
    """Keys, certificate and the store's CA in `directory`. KioskError or IdentityError if it did not work; no
    keys are left behind then, so that it can be tried again."""
    # The cryptography library costs memory, and a running kiosk has no use for this.
    from broker import identity

    code = invitation.read(text)
    if (directory / "tls.crt").exists():
        raise IdentityError(f"{directory} holds the certificate of a kiosk already; it is kept.")
    ca = _ca_of(code)
    invited = _post(code, ca, "/invitation", {"secret": code.secret})
    device = _text(invited, "device")
    request = identity.make_request(directory, device)
    try:
        answer = _post(code, ca, "/enrol", {"secret": code.secret, "request": request})
        identity.install_certificate(directory, _text(answer, "certificate"), ca)
    except BaseException:
        for key in _KEYS:
            (directory / key).unlink(missing_ok=True)
        raise
    port = invited.get("port")
    return Enrolled(
        _text(invited, "store"),
        device,
        _text(invited, "zone"),
        code.host,
        port if type(port) is int else 8883,
    )


def _ca_of(code: Code) -> str:
    """The CA's certificate. Whoever answers here is believed nothing but what the code recognises."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    with _connected(code, anybody) as connection:
        connection.request("GET", "/ca.crt")
        ca = _read(connection).decode("ascii", "replace")
    if not code.is_of(ca):
        raise KioskError(
            f"{code.host} is not the server that the code was made at; check the code, and who answers there."
        )
    return ca


def _post(code: Code, ca: str, path: str, what: dict[str, str]) -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ca)
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    with _connected(code, context) as connection:
        connection.request("POST", path, json.dumps(what), {"Content-Type": "application/json"})
        try:
            answer = json.loads(_read(connection))
        except ValueError:
            answer = None
    if not isinstance(answer, dict):
        raise KioskError(f"{code.host} answered with something else than a server's word.")
    return answer


@contextlib.contextmanager
def _connected(code: Code, context: ssl.SSLContext) -> Iterator[http.client.HTTPSConnection]:
    where = f"{code.host}:{code.port}"
    connection = http.client.HTTPSConnection(code.host, code.port, timeout=PATIENCE_S, context=context)
    try:
        yield connection
    except ssl.SSLCertVerificationError as error:
        raise KioskError(
            f"{where} shows a certificate that is not its own: {error.verify_message}."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise KioskError(
            f"{where} cannot be reached: {said}. Is the window for this code still open?"
        ) from None
    finally:
        connection.close()


def _read(connection: http.client.HTTPSConnection) -> bytes:
    response = connection.getresponse()
    body = response.read(invitation.MAX_BYTES)
    if response.status != 200:
        raise KioskError(
            body.decode("utf-8", "replace").strip()[:300] or f"The server answered {response.status}."
        )
    return body


def _text(answer: dict[str, Any], name: str) -> str:
    if not isinstance(found := answer.get(name), str):
        raise KioskError(f"The server's answer has no {name}.")
    return found
