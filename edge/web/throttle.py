"""Slowing down whoever guesses PINs, and nobody else. Only failed sign-ins count; nothing else is limited.

A phone on which someone has signed in before carries a signed cookie and has its own budget, so that a
stranger who guesses elsewhere cannot lock it out (OWASP, 'Slow Down Online Guessing Attacks with Device
Cookies').
"""

import secrets
from collections.abc import Callable
from typing import cast

from flask import current_app, request
from flask_limiter import Limiter
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from edge.web.services import services

View = Callable[[], Response]
COOKIE = "floorbell_phone"
PER_PERSON = "5 per minute; 20 per hour; 60 per day"
PER_PHONE = "10 per minute; 60 per hour"
_YEAR_S = 365 * 24 * 3600


def phone_here() -> str:
    """A phone that signed in before by its cookie, any other by its address."""
    try:
        return f"phone:{_signer().loads(request.cookies.get(COOKIE, ''))}"
    except BadSignature:
        return f"address:{request.remote_addr}"


def person_here() -> str:
    """The person tried, as known on this phone, or as tried from all unknown ones together."""
    tried = (request.form.get("person") or request.form.get("name") or "").strip().lower()[:80]
    phone = phone_here()
    return f"{tried}@{phone if phone.startswith('phone:') else 'unknown'}"


def remember_phone(response: Response, audience: str) -> None:
    """After a sign-in. Setting the cookie anew each time keeps it from running out."""
    phone = phone_here()
    known = phone.removeprefix("phone:") if phone.startswith("phone:") else secrets.token_hex(16)
    response.set_cookie(
        COOKIE,
        str(_signer().dumps(known)),
        max_age=_YEAR_S,
        path=f"/{audience}",
        httponly=True,
        samesite="Strict",
        secure=services().config.web.secure_cookies,
    )


def sign_in_throttle(limiter: Limiter) -> Callable[[View], View]:
    """Decorates a view that answers a failed sign-in with 403."""

    def failed(response: Response) -> bool:
        return response.status_code == 403

    def decorate(view: View) -> View:
        by_phone = limiter.limit(PER_PHONE, key_func=phone_here, deduct_when=failed)
        by_person = limiter.limit(PER_PERSON, key_func=person_here, deduct_when=failed)
        return cast(View, by_phone(by_person(view)))

    return decorate


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="floorbell-phone")
