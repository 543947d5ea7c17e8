"""What an associate says of themselves on the phone."""

import pytest

from .conftest import Browser, Shop


@pytest.fixture
def ana(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in(shop.people["Ana"])
    return visitor


@pytest.fixture
def marc(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in(shop.people["Marc"])
    return visitor


def test_a_break_is_one_tap_after_away_and_ends_by_itself(shop: Shop, ana: Browser) -> None:
    assert ana.post("/floor/presence", presence="on_break", minutes="15").status_code == 303
    text = ana.get("/floor/").text
    assert "On break until" in text and "data-until" in text
    shop.clock.pass_(minutes=15)
    text = ana.get("/floor/presence").text
    assert (
        "On break until" not in text
        and 'value="available" class="choice choice-available" aria-pressed="true"' in text
    )


def test_unreachable_names_a_cover_and_both_read_it(shop: Shop, ana: Browser, marc: Browser) -> None:
    marc_id = shop.people["Marc"].id
    assert f'name="cover" value="{marc_id}"' in ana.get("/floor/").text
    said = ana.post("/floor/presence", htmx=True, presence="unreachable", cover=marc_id)
    assert said.status_code == 200 and "Marc stands in for you." in said.text and "<html" not in said.text
    assert "You stand in for Ana." in marc.get("/floor/").text
    news = shop.read("SELECT audience FROM feed WHERE what = 'presence'")
    assert sorted(news) == sorted([(f"person:{marc_id}",), (f"person:{shop.people['Ana'].id}",)])


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"presence": "asleep"}, "allowed are available, busy, on_break, unreachable"),
        ({"presence": "on_break", "minutes": "9000000000"}, "allowed are 5, 15, 30"),
        ({"presence": "unreachable"}, "Say who stands in for you"),
    ],
)
def test_a_presence_that_is_none_says_what_is_allowed(
    ana: Browser, form: dict[str, str], sentence: str
) -> None:
    plain, part = ana.post("/floor/presence", **form), ana.post("/floor/presence", htmx=True, **form)
    assert (plain.status_code, part.status_code) == (400, 409)
    assert sentence in plain.text and sentence in part.text


def test_nobody_signs_out_while_a_request_is_theirs_but_a_second_phone_may_go(
    shop: Shop, ana: Browser
) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    second = Browser(shop.app)
    second.sign_in(shop.people["Ana"])
    assert second.post("/floor/sign-out").status_code == 303
    refused = ana.post("/floor/sign-out")
    assert refused.status_code == 409 and "close it or hand it over first" in refused.text
    ana.post(f"/floor/requests/{request}/resolve", outcome="helped")
    assert ana.post("/floor/sign-out").status_code == 303
