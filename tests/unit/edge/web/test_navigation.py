"""The desk's navigation: what is listed, and which entry a page stands under."""

import pytest

from edge.web.manage import navigation
from edge.web.manage.navigation import here, places

from .conftest import Browser, Shop


def test_only_pages_that_there_are_are_listed_in_their_order() -> None:
    found = places({"manage.devices", "manage.log", "health.alive"}, "supervisor")
    assert [place.title for place in found] == ["Log", "Devices"]


def test_a_page_for_some_roles_is_listed_for_them_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    only = navigation.Place("manage.policy", "Policy", roles=("manager",))
    monkeypatch.setattr(navigation, "PLACES", (only,))
    assert places({"manage.policy"}, "manager") == [only] and places({"manage.policy"}, "supervisor") == []


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
