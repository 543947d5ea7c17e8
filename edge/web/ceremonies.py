"""The two ceremonies of WebAuthn Level 3 on the server's side: a passkey is made, and a passkey proves a
person.

A challenge is signed, not remembered: it names its purpose, its person and the browser it was given to, and
counts for ten minutes. Whoever acts on an answer spends the challenge in the same transaction
(passkeys.spend), so that an answer that was read on its way is worth nothing. The host name and the origin
come from edge.toml alone.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from flask import session

from edge.errors import EdgeError
from edge.people.passkeys import Passkey
from edge.people.store import Person

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    from edge.web.services import Services

# What an answer is for: a first proof, a second factor behind the password, one more proof of somebody who is
# signed in, and a new passkey.
Purpose = Literal["sign-in", "factor", "prove", "add"]
# More than any authenticator needs for one answer.
MOST_BYTES = 16 * 1024
_ANYBODY = "anybody"


class WrongAnswer(EdgeError):
    """What came from the browser proves nothing."""


WRONG = "That passkey does not count here. Try again; if it stays so, use another way to sign in."
STALE = "That took too long, or was answered already. Try again."


@dataclass(frozen=True, slots=True)
class Challenge:
    """One that this server gave to this browser; it counts until `until`."""

    text: bytes
    until: datetime


@dataclass(frozen=True, slots=True)
class Proven:
    """The passkey signed: `count` is what its authenticator counts now, `verified` whether it has also
    checked who holds it, by a finger, a face or a PIN."""

    passkey: Passkey
    challenge: Challenge
    count: int
    verified: bool


def are_offered(room: "Services") -> bool:
    return bool(room.config.web.origin_host)


def to_make(room: "Services", person: Person, known: Sequence[Passkey]) -> dict[str, Any]:
    """What the browser needs for a new passkey of this person, who has the `known` ones."""
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    wanted = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.PREFERRED,
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=room.config.web.origin_host,
        rp_name=room.config.title,
        user_name=person.name,
        user_id=person.id.encode(),
        challenge=_challenge(room, "add", person.id),
        authenticator_selection=wanted,
        exclude_credentials=_named(room, known),
    )
    return options_to_json_dict(options)


def to_prove(
    room: "Services", purpose: Purpose, person: Person | None = None, known: Sequence[Passkey] = ()
) -> dict[str, Any]:
    """What the browser needs to ask for a passkey: one of the `known`, or whichever it has for this host.
    Behind a password it is enough that somebody touches it; alone it must have checked who does."""
    import webauthn
    from webauthn.helpers import options_to_json_dict, structs

    alone = purpose != "factor"
    kinds = structs.UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=room.config.web.origin_host,
        challenge=_challenge(room, purpose, person.id if person else _ANYBODY),
        allow_credentials=_named(room, known) or None,
        user_verification=kinds.REQUIRED if alone else kinds.DISCOURAGED,
    )
    return options_to_json_dict(options)


def made(room: "Services", person: Person, typed: str, name: str, now: datetime) -> tuple[Passkey, Challenge]:
    """The new passkey that the browser's answer holds. WrongAnswer."""
    import webauthn

    answer = _read(typed)
    challenge = _known(room, "add", person.id, answer, now)
    web = room.config.web
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge.text,
            expected_rp_id=web.origin_host,
            expected_origin=web.origin,
        )
    except Exception:
        # Of whatever was typed there instead, the library says so in many ways.
        raise WrongAnswer(WRONG) from None
    id_, key = found.credential_id, found.credential_public_key
    return Passkey(person.id, id_, key, web.origin_host, name, found.sign_count, now), challenge


def credential_of(typed: str) -> bytes:
    """Which passkey the answer says that it is of. WrongAnswer."""
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(str(_read(typed)["id"]))
    except (ValueError, KeyError):
        raise WrongAnswer(WRONG) from None


def proven(
    room: "Services", purpose: Purpose, passkey: Passkey, typed: str, now: datetime, person: str | None = None
) -> Proven:
    """What the browser's answer proves by this passkey. `person`: for whom the challenge was; None where
    nobody was known yet. Not looked at is how far it counts: see passkeys.use. WrongAnswer."""
    import webauthn

    answer = _read(typed)
    challenge = _known(room, purpose, person or _ANYBODY, answer, now)
    web = room.config.web
    try:
        # One that the authenticator kept names its person too; the row says whose it is.
        named = answer["response"].get("userHandle")
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge.text,
            expected_rp_id=web.origin_host,
            expected_origin=web.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=purpose != "factor",
        )
        mine = not named or webauthn.base64url_to_bytes(named) == passkey.person.encode()
    except Exception:
        raise WrongAnswer(WRONG) from None
    if found.credential_id != passkey.credential or not mine:
        raise WrongAnswer(WRONG)
    return Proven(passkey, challenge, found.new_sign_count, found.user_verified)


def _challenge(room: "Services", purpose: Purpose, person: str) -> bytes:
    nonce = secrets.token_hex(16)
    return f"{nonce}.{room.grants.give(person, _about(purpose, nonce), room.clock())}".encode()


def _known(
    room: "Services", purpose: Purpose, person: str, answer: dict[str, Any], now: datetime
) -> Challenge:
    """The challenge that was answered, if it was given here for this. WrongAnswer."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    try:
        text = parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).challenge
        nonce, _, grant = text.decode("ascii").partition(".")
    except Exception:
        raise WrongAnswer(WRONG) from None
    until = room.grants.until(person, _about(purpose, nonce), grant, now)
    if until is None:
        raise WrongAnswer(STALE)
    return Challenge(text, until)


def _about(purpose: Purpose, nonce: str) -> str:
    # The form's own secret stands for the browser: an answer from one is nothing in another.
    return f"passkey {purpose} {nonce} {session.get('csrf_token', '')}"


def _read(typed: str) -> dict[str, Any]:
    try:
        answer = json.loads(typed) if len(typed) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise WrongAnswer(WRONG)
    return answer


def _named(room: "Services", known: Sequence[Passkey]) -> list["PublicKeyCredentialDescriptor"]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    host = room.config.web.origin_host
    return [PublicKeyCredentialDescriptor(id=one.credential) for one in known if one.host == host]
