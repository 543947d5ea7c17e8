"""Passkeys in a real browser: CDP's virtual authenticator makes them and signs with them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Locator, Page, expect

from deploy.demo import shop
from tests.browser.conftest import WorkedIn

pytestmark = pytest.mark.browser
HELEN = next(one for one in shop.PEOPLE if one.role == "manager")
KEY = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture
def address(worked_in: WorkedIn) -> str:
    """As edge.toml says that browsers reach it."""
    return worked_in.address.replace("127.0.0.1", "localhost")


@pytest.fixture
def authenticator(page: Page) -> tuple[CDPSession, str]:
    return plugged_in(page)


def seen(what: Locator) -> None:
    """However busy the machine is."""
    expect(what).to_be_visible(timeout=60_000)


def plugged_in(page: Page, **changed: Any) -> tuple[CDPSession, str]:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY | changed})
    return devtools, made["authenticatorId"]


def type_password(page: Page, address: str) -> None:
    page.goto(f"{address}/manage/sign-in")
    page.get_by_label("Name").fill(HELEN.name)
    page.get_by_label("Password").fill(str(HELEN.password))
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url("**/manage/sign-in")


def add(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/manage/own")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("A name for it, for you").fill(name)
    page.get_by_role("button", name="Make the passkey").click()


@pytest.fixture
def cleaned(page: Page, address: str) -> Iterator[None]:
    """Helen, who is signed in, has no passkey when the test is over."""
    yield
    page.goto(f"{address}/manage/own")
    page.get_by_role("button", name=re.compile("^Remove")).click()
    seen(page.get_by_text("it signs you in no more"))


def test_a_passkey_is_made_and_signs_in_alone_and_behind_the_password(
    page: Page,
    address: str,
    authenticator: tuple[CDPSession, str],
    cleaned: None,
    complaints: list[str],
) -> None:
    type_password(page, address)
    add(page, address, "Office computer")
    seen(page.get_by_role("heading", name="Recovery codes"))
    add(page, address, "The same one")
    seen(page.get_by_text("This passkey is yours already; choose another one."))
    page.goto(f"{address}/manage/own")
    seen(page.get_by_text("Office computer", exact=True))
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/manage/floor")
    sign_out(page)
    type_password(page, address)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/manage/floor")
    page.goto(f"{address}/manage/own/proof")
    page.get_by_role("button", name="With a passkey").click()
    page.wait_for_url("**/manage/own")
    assert [one for one in complaints if "Content Security Policy" in one] == []


def test_a_key_that_asks_nobody_signs_in_behind_the_password_only(
    page: Page, address: str, cleaned: None
) -> None:
    plugged_in(page, transport="usb", hasResidentKey=False, hasUserVerification=False, isUserVerified=False)
    type_password(page, address)
    add(page, address, "Key ring")
    seen(page.get_by_role("heading", name="Recovery codes"))
    page.goto(f"{address}/manage/own")
    sign_out(page)
    type_password(page, address)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/manage/floor")


def test_a_copied_key_is_refused_and_the_page_says_so(
    page: Page, address: str, authenticator: tuple[CDPSession, str], cleaned: None
) -> None:
    devtools, id_ = authenticator
    type_password(page, address)
    add(page, address, "Copied")
    seen(page.get_by_role("heading", name="Recovery codes"))
    (copy,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": id_})["credentials"]
    for _ in range(2):
        page.goto(f"{address}/manage/own")
        sign_out(page)
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/manage/floor")
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": id_})
    devtools.send("WebAuthn.addCredential", {"authenticatorId": id_, "credential": copy})
    page.goto(f"{address}/manage/own")
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    seen(page.get_by_text("That passkey does not count here."))
    # The one that counts on is not locked out by its copy.
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": id_})
    devtools.send("WebAuthn.addCredential", {"authenticatorId": id_, "credential": copy | {"signCount": 40}})
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/manage/floor")


def test_at_another_address_than_the_servers_name_a_sentence_says_where_they_work(
    page: Page, worked_in: WorkedIn, address: str
) -> None:
    page.goto(f"{worked_in.address}/manage/sign-in")
    said = f"Passkeys work at {address} only; this page was opened at {worked_in.address}."
    seen(page.get_by_text(said))
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_disabled()


def test_without_a_passkey_the_browser_says_so_and_asks_again(
    page: Page, address: str, context: BrowserContext
) -> None:
    plugged_in(page, hasResidentKey=True)
    page.goto(f"{address}/manage/sign-in")
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.click()
    seen(page.get_by_text("No passkey was chosen, or the browser waited too long."))
    expect(button).to_be_enabled()
