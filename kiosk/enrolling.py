"""On the kiosk: make its keys, and have the server sign them for a one-time code. The keys stay here.

All of it is made in a folder beside, `identity.new`, which then takes its place: a kill at any point leaves
what was there, or the whole of the new one.
"""

import contextlib
import http.client
import json
import shutil
import ssl
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from broker import invitation
from broker.errors import IdentityError
from broker.files import write
from broker.invitation import Code
from broker.tls import NO_CHECK_TIME
from kiosk.errors import KioskError
from kiosk.replacing import CERTIFICATE, KEY, NEXT, TRUST, before_of, fresh_of, place

PATIENCE_S = 30.0
# What kiosk.toml is to say, and by which code it was told.
SAID = "enrolled.toml"
_OURS = frozenset({KEY, CERTIFICATE, TRUST, SAID, "sign.key"})


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What kiosk.toml is to say."""

    store: str
    device: str
    zone: str
    host: str
    port: int

    def toml(self, directory: Path) -> str:
        """In kiosk.toml's words, with its identity in `directory`."""
        lines = [f"{name} = {_quoted(getattr(self, name))}" for name in ("store", "device", "zone")]
        lines += ["[broker]", f"host = {_quoted(self.host)}", f"port = {self.port}"]
        return "\n".join([*lines, f"identity = {_quoted(str(directory))}", ""])


def enrol(text: str, directory: Path, *, anew: bool = False) -> Enrolled:
    """Keys, certificate, the store's CA and SAID in `directory`. KioskError or IdentityError if it did not
    work; nothing is left behind then, so that it can be tried again.

    What a kill cut off after the server had answered is finished by the same code. `anew`: in the place of
    the identity that is there, which is gone once the new one is whole.
    """
    # The cryptography library costs memory, and a running kiosk has no use for this.
    from broker import identity

    code, directory = invitation.read(text), directory.absolute()
    fresh = fresh_of(directory)
    if (done := _by(code, directory)) is not None:
        return done
    if (done := _by(code, fresh)) is None:
        _check_room(directory, anew)
        _clear(fresh)
        ca = _ca_of(code)
        invited = _post(code, ca, "/invitation", {"secret": code.secret})
        device = _text(invited, "device")
        try:
            request = identity.make_request(fresh, device)
            answer = _post(code, ca, "/enrol", {"secret": code.secret, "request": request})
            port = invited.get("port")
            done = Enrolled(
                _text(invited, "store"),
                device,
                _text(invited, "zone"),
                code.host,
                port if type(port) is int else 8883,
            )
            write(fresh / SAID, f"{done.toml(directory)}\n[by]\ncode = {_quoted(_mark(code))}\n".encode())
            # Last of it, its certificate: with that it is whole.
            identity.install_certificate(fresh, _text(answer, "certificate"), ca)
        except BaseException:
            _clear(fresh)
            raise
    _clear(before_of(directory))
    place(directory)
    _clear(before_of(directory))
    return done


def _check_room(directory: Path, anew: bool) -> None:
    if anew or not directory.exists():
        return
    if (directory / CERTIFICATE).exists():
        raise IdentityError(
            f"{directory} holds the certificate of a kiosk already; it is kept. "
            "With --anew this kiosk is let in again, and what it holds is gone."
        )
    if any(directory.iterdir()):
        raise IdentityError(f"{directory} is not empty; a kiosk's identity has a folder of its own.")


def _by(code: Code, folder: Path) -> Enrolled | None:
    """What the server said, if this folder holds the whole identity that this very code brought."""
    if not (folder / CERTIFICATE).exists():
        return None
    try:
        said = tomllib.loads((folder / SAID).read_text(encoding="utf-8"))
        broker = said["broker"]
        if said["by"]["code"] != _mark(code):
            return None
        return Enrolled(said["store"], said["device"], said["zone"], broker["host"], broker["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mark(code: Code) -> str:
    return sha256(code.text.encode()).hexdigest()


def _quoted(text: str) -> str:
    # A JSON string without escaped letters is a TOML string.
    return json.dumps(text, ensure_ascii=False)


def _clear(folder: Path) -> None:
    """Nothing of an identity is in there; where it held nothing else it is gone."""
    if not folder.is_dir():
        return
    shutil.rmtree(folder / NEXT, ignore_errors=True)
    for path in folder.iterdir():
        if path.name.removesuffix(".new") in _OURS:
            path.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


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
