"""Forms of pages that prove who somebody is, filled in and ready to be sent: each function sets up what it
needs in the furnished store."""

import html
import json
import re
from base64 import b32decode
from typing import Any

from edge.audit.store import Actor
from edge.handling import beginning
from edge.people import factors, totp
from edge.people import store as people
from edge.people.passwords import hash_code, hash_pin
from tests.rig.authenticator import Authenticator

from .conftest import Browser
from .posted import Ready, send
from .traced import ORIGIN, Traced

PASSWORD = "walks-the-floor"
SECOND = "7402"
RECOVERY = "0-aaaa-bbbb-cccc"
ONE_TIME = "k7m2-pq9x-rtuv-wxyz"
# In factors.tidy() a code is without what people type for its look.
_RECOVERY_HASH = hash_code(factors.tidy(RECOVERY))
_OPTIONS = re.compile(r'data-options="([^"]+)"')
_GRANT = re.compile(r'name="grant" value="([^"]+)"')
_OFFERED = re.compile(r'name="offered" value="([0-9a-f]+)"')
_TYPED = re.compile(r'class="typed"[^>]*>([A-Z2-7 ]+)<')


def by_second_pin(traced: Traced) -> Ready:
    """Somebody watches Bia, who signs in with her second PIN."""
    bia = traced.names["Bia"]
    hashed = hash_pin(SECOND)
    traced.room.writer.run(lambda conn: people.set_duress_pin(conn, traced.config.store, bia, hashed))
    page, form = f"/floor/sign-in/{bia}", {"person": bia, "pin": SECOND}
    return Ready(Browser(traced.app), page, "/floor/sign-in", form, (SECOND,))


def by_code(traced: Traced) -> Ready:
    """Nadia has typed her password, and reads the code of her authenticator app."""
    code = _app(traced)
    browser, form = _half_in(traced)
    form |= {"code": code}
    return Ready(browser, "/manage/sign-in", "/manage/sign-in/code", form, (PASSWORD, code))


def by_recovery_code(traced: Traced) -> Ready:
    _app(traced)
    browser, form = _half_in(traced)
    form |= {"code": RECOVERY}
    return Ready(browser, "/manage/sign-in", "/manage/sign-in/code", form, (PASSWORD, RECOVERY))


def by_passkey(traced: Traced) -> Ready:
    key, browser = _with_key(traced)[0], Browser(traced.app)
    browser.get("/manage/sign-in")
    answer = key.sign(dict(browser.client.get("/manage/sign-in/passkey").json or {}))
    return Ready(browser, "/manage/sign-in", "/manage/sign-in/passkey", {"answer": answer}, (answer,))


def first_admin(traced: Traced) -> Ready:
    console = Actor("command line", "command")
    traced.room.writer.run(
        lambda conn: beginning.offer(conn, traced.config.store, console, ONE_TIME, traced.now)
    )
    form = {"code": ONE_TIME, "name": "Eva", "password": PASSWORD, "again": PASSWORD}
    return Ready(Browser(traced.app), "/manage/first", "/manage/first", form, (ONE_TIME, PASSWORD))


def app_set(traced: Traced) -> Ready:
    """Nadia has scanned the code of a new authenticator app."""
    browser, page = traced.browser("Nadia"), "/manage/own/second-factor"
    text = browser.get(page).text
    typed, offered = _TYPED.findall(text)[0], _OFFERED.findall(text)[0]
    secret = b32decode(typed.replace(" ", ""))
    code = totp.code_at(secret, totp.step_at(traced.now))
    told = (code, offered, typed, typed.replace(" ", ""), secret.hex())
    return Ready(browser, page, page, {"offered": offered, "code": code}, told)


def app_given_up(traced: Traced) -> Ready:
    code = _app(traced)
    return Ready(traced.browser("Nadia"), "/manage/own", "/manage/own/give-up", {"code": code}, (code,))


def codes_renewed(traced: Traced) -> Ready:
    code = _app(traced)
    return Ready(traced.browser("Nadia"), "/manage/own", "/manage/own/codes", {"code": code}, (code,))


def proven_again(traced: Traced) -> Ready:
    page = "/manage/own/proof"
    return Ready(traced.browser("Nadia"), page, page, {"password": PASSWORD}, (PASSWORD,))


def passkey_made(traced: Traced) -> Ready:
    return _key_made(traced)[1]


def passkey_removed(traced: Traced) -> Ready:
    browser = _with_key(traced)[1]
    (id_,) = re.findall(r'action="/manage/own/passkeys/([0-9a-f]+)/remove"', browser.get("/manage/own").text)
    return Ready(browser, "/manage/own", f"/manage/own/passkeys/{id_}/remove", {})


def _with_key(traced: Traced) -> tuple[Authenticator, Browser]:
    """Nadia's passkey, and where she made it."""
    key, made = _key_made(traced)
    send(made)
    return key, made.browser


def _key_made(traced: Traced) -> tuple[Authenticator, Ready]:
    _codes(traced)
    browser, page, key = traced.browser("Nadia"), "/manage/own/passkeys/new", Authenticator(ORIGIN)
    # A challenge is bound to the browser's form token, which it has from an earlier page.
    browser.get("/manage/own")
    answer = key.make(_options(browser.get(page).text))
    return key, Ready(browser, page, page, {"name": "Office", "answer": answer}, (answer,))


def _half_in(traced: Traced) -> tuple[Browser, dict[str, str]]:
    browser = Browser(traced.app)
    answer = browser.sign_in_at_desk("Nadia", PASSWORD)
    return browser, {"name": "Nadia", "grant": html.unescape(_GRANT.findall(answer.text)[0])}


def _app(traced: Traced) -> str:
    """Nadia has an authenticator app; its next code."""
    _codes(traced)
    secret, store, who = totp.fresh(), traced.config.store, traced.names["Nadia"]
    sealed, step = traced.room.seal.close(secret, who), totp.step_at(traced.now)
    traced.room.writer.run(lambda conn: factors.put(conn, store, who, sealed, step - 1, traced.now))
    return totp.code_at(secret, step)


def _codes(traced: Traced) -> None:
    """One recovery code: ten take a core for a second."""
    traced.room.writer.run(lambda conn: factors.put_codes(conn, traced.names["Nadia"], [_RECOVERY_HASH]))


def _options(page: str) -> dict[str, Any]:
    return dict(json.loads(html.unescape(_OPTIONS.findall(page)[0])))
