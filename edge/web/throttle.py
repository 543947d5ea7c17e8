"""Slowing down whoever guesses PINs, and nobody else. Only failed sign-ins count; nothing else is limited.

A phone carries a signed cookie that names who has signed in on it, and has its own budget for them, so that
a stranger who guesses elsewhere cannot lock them out (OWASP, 'Slow Down Online Guessing Attacks with Device
Cookies'). For anyone else it is as unknown as any phone: whoever knows one PIN could otherwise get a new
cookie, and with it a new budget for another's PIN, as often as they like.
"""

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from flask import current_app, g, request
from flask_limiter import Limiter
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from edge.people.store import Person
from edge.web.services import services

View = Callable[..., Any]
COOKIE = "floorbell_phone"
PER_PERSON = "5 per minute; 20 per hour; 60 per day"
PER_PHONE = "10 per minute; 60 per hour"
_YEAR_S = 365 * 24 * 3600
# As many people as share a phone; whoever was on it longest ago is forgotten first.
_REMEMBERED = 60


def phone_here() -> str:
    """A phone on which the person tried has signed in before by its cookie, any other by its address."""
    phone, known = _cookie()
    return f"phone:{phone}" if _tried() in known else f"address:{request.remote_addr}"


def person_here() -> str:
    """The person tried, as known on this phone, or as tried from all others together."""
    phone = phone_here()
    return f"{_tried()}@{phone if phone.startswith('phone:') else 'unknown'}"


def remember_phone(response: Response, audience: str, person: Person) -> None:
    """After a sign-in. Setting the cookie anew each time keeps it from running out."""
    phone, known = _cookie()
    me = _name(person.id if audience == "floor" else person.name)
    people = [*(one for one in known if one != me), me]
    response.set_cookie(
        COOKIE,
        str(_signer().dumps([phone, people[-_REMEMBERED:]])),
        max_age=_YEAR_S,
        path=f"/{audience}",
        httponly=True,
        samesite="Strict",
        secure=services().config.web.secure_cookies,
    )


def sign_in_throttle(limiter: Limiter) -> Callable[[View], View]:
    """Decorates a view that answers a wrong PIN or password with 403."""

    def failed(response: Response) -> bool:
        return response.status_code == 403

    def decorate(view: View) -> View:
        # Wherever a PIN is asked for, it is one budget.
        by_phone = limiter.shared_limit(PER_PHONE, _room, key_func=phone_here, deduct_when=failed)
        by_person = limiter.shared_limit(PER_PERSON, _room, key_func=person_here, deduct_when=failed)
        return by_phone(by_person(view))

    return decorate


def passkey_throttle(limiter: Limiter) -> Callable[[View], View]:
    """As sign_in_throttle, where nobody can guess: what is spared is this machine, so that only the address
    counts and nobody keeps anybody else from signing in."""
    return limiter.shared_limit(
        PER_PHONE,
        _room,
        key_func=lambda: f"passkey:{request.remote_addr}",
        deduct_when=lambda response: response.status_code == 403,
    )


def _room(endpoint: str) -> str:
    return endpoint.partition(".")[0]


def _tried() -> str:
    """Whom this sign-in is for, as briefly as a cookie can name many. Cut as by_name's caller cuts it: what
    is not looked at must not make another name."""
    if request.blueprint == "manage" and "sign_in" in g:
        return _name(g.sign_in.person.name)
    given = request.form.get("person" if request.blueprint == "floor" else "name", "")
    return _name(given[:80])


def _name(given: str) -> str:
    return hashlib.sha256(given.strip().lower().encode()).hexdigest()[:16]


def _cookie() -> tuple[str, list[str]]:
    """This phone's name, a new one if it has none, and who has signed in on it."""
    try:
        phone, known = _signer().loads(request.cookies.get(COOKIE, ""))
    except (BadSignature, ValueError):
        return secrets.token_hex(16), []
    return phone, known


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="floorbell-phone")
