"""The desk's navigation: what is listed, and which entry a page stands under."""

import pytest

from edge.web.admission import PAGES
from edge.web.manage.navigation import here, places

from .conftest import Browser, Shop


def test_a_page_is_listed_for_the_roles_that_its_address_lets_in() -> None:
    table = {name: PAGES[name] for name in ("manage.tokens", "manage.devices", "manage.log", "health.alive")}
    assert [place.title for place in places(table, "supervisor")] == ["Log", "Devices"]
    assert [place.title for place in places(table, "manager")] == ["Log", "Devices", "Tokens"]


@pytest.mark.parametrize(
    ("endpoint", "title"),
    [
        ("manage.log", "Log"),
        ("manage.interaction", "Log"),
        ("manage.people_import", "People"),
        ("static", None),
    ],
)
def test_a_page_stands_under_its_own_entry(endpoint: str, title: str | None) -> None:
    found = here(endpoint)
    assert (found.title if found else None) == title


def test_the_current_page_is_marked_in_the_row_and_in_the_menu(shop: Shop) -> None:
    mira = Browser(shop.app)
    mira.sign_in_at_desk("Mira")
    text = mira.get("/manage/devices").text
    assert text.count('href="/manage/devices" aria-current="page"') == 2
