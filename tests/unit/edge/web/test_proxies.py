"""Behind proxies: whose address a sign-in comes from, and that nobody else can say so."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .conftest import Browser, Clock, Shop, opened

Opened = Callable[[int], Shop]


@pytest.fixture
def behind(tmp_path: Path, clock: Clock, hashes: tuple[str, str]) -> Iterator[Opened]:
    """A store behind so many proxies."""
    with ExitStack() as stack:

        def open_(proxies: int) -> Shop:
            return stack.enter_context(opened(tmp_path, clock, hashes, proxies=proxies))

        yield open_


def asked_from(shop: Shop, forwarded: str | None) -> object:
    """What the audit says of a wrong PIN that came with this header."""
    phone = Browser(shop.app)
    if forwarded is not None:
        phone.client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
    assert phone.sign_in(shop.people["Ana"], "9999").status_code == 403
    shop.services.errands.record_noted()
    return shop.read("SELECT words FROM audit WHERE what = 'denied.pin' ORDER BY id DESC")[0][0]


def said(address: str) -> str:
    return f"A wrong PIN for Ana, asked from {address}."


def test_without_a_proxy_the_header_is_nobodys_word(behind: Opened) -> None:
    assert asked_from(behind(0), "203.0.113.9") == said("127.0.0.1")


def test_behind_one_proxy_it_is_the_address_that_the_proxy_saw(behind: Opened) -> None:
    assert asked_from(behind(1), "203.0.113.9") == said("203.0.113.9")


def test_what_the_browser_itself_put_into_the_header_counts_for_nothing(behind: Opened) -> None:
    assert asked_from(behind(1), "198.51.100.1, 192.0.2.5, 203.0.113.9") == said("203.0.113.9")


def test_behind_two_proxies_the_nearer_ones_address_is_passed_over(behind: Opened) -> None:
    assert asked_from(behind(2), "198.51.100.1, 203.0.113.9, 10.0.0.2") == said("203.0.113.9")


@pytest.mark.parametrize("forwarded", [None, "203.0.113.9"])
def test_with_too_few_addresses_it_is_whoever_connected(behind: Opened, forwarded: str | None) -> None:
    assert asked_from(behind(2), forwarded) == said("127.0.0.1")


def test_a_guesser_who_forges_the_header_gets_no_new_tries(behind: Opened) -> None:
    shop, answers = behind(1), []
    names = ("Ana", "Marc", "Sofia", "Igor")
    for turn in range(11):
        phone = Browser(shop.app)
        phone.client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{turn}, 203.0.113.9"
        answers.append(phone.sign_in(shop.people[names[turn % 4]], "9999").status_code)
    assert answers == [403] * 10 + [429]


def test_no_proxy_says_for_which_host_or_how_a_browser_came(behind: Opened) -> None:
    shop = behind(1)
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
    }
    page = shop.app.test_client().get("/api/v1/", headers=headers).text
    assert "http://localhost/api/v1/" in page and "evil" not in page
