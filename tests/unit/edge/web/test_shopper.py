"""The shopper's own phone."""

import re
from datetime import timedelta

import pytest

from edge.web.shopper import sign_of

from .conftest import Browser, Shop


def closed(shop: Shop, **more: object) -> str:
    return shop.raise_request(**({"state": "resolved", "closed_at": shop.clock.now} | more))  # type: ignore[arg-type]


def test_a_shopper_answers_once_and_then_sees_what_they_said(shop: Shop, visitor: Browser) -> None:
    id_ = closed(shop)
    path = f"/f/{sign_of(id_)}"
    assert "How was the help you got?" in visitor.get(path).text
    assert visitor.post(path, score="2", wait="long", words="the queue").status_code == 303
    again = visitor.get(path).text
    assert "The store has your answer" in again and "the queue" in again and "Too long" in again
    second = visitor.post(path, score="4")
    assert second.status_code == 409 and "what was sent first stands." in second.text
    assert "what was sent first" not in again and "the queue" in second.text
    assert shop.read("SELECT score, source, about, judged FROM feedback") == [(2, "code", id_, "counted")]
    assert shop.read("SELECT through FROM timeline WHERE what = 'feedback'") == [("code",)]


def test_a_code_is_found_however_it_is_written(shop: Shop, visitor: Browser) -> None:
    id_ = closed(shop)
    ((code,),) = shop.read("SELECT reference FROM interaction")
    visitor.get("/f/")
    loose = str(code).lower().replace("-", " ").replace("0", "o").replace("1", "i")
    assert visitor.post("/f/", code=loose).location == f"/f/{sign_of(id_)}"
    assert visitor.post("/f/", code="ZZZ-ZZZ").status_code == 404


@pytest.mark.parametrize(
    "hidden", [{"silent": True}, {"kind": "security"}, {"closed_at": None, "drill": True}]
)
def test_what_is_silent_or_a_drill_cannot_be_discovered(
    shop: Shop, visitor: Browser, hidden: dict[str, object]
) -> None:
    id_ = closed(shop, **hidden)
    assert visitor.get(f"/f/{sign_of(id_)}").status_code == 404
    ((code,),) = shop.read("SELECT reference FROM interaction")
    visitor.get("/f/")
    assert visitor.post("/f/", code=code).status_code == 404


def test_what_was_typed_is_still_there_when_the_face_is_missing(shop: Shop, visitor: Browser) -> None:
    path = f"/f/{sign_of(closed(shop))}"
    asked = re.findall(r'name="(\w+)" value="(?:long|no|unkind)"', visitor.get(path).text)
    assert len(asked) == 2
    worst = {"wait": "long", "understood": "no", "manner": "unkind"}[asked[0]]
    again = visitor.post(path, **{asked[0]: worst, "words": "the <queue>"})
    assert again.status_code == 409
    assert "Please choose one of the four faces." in again.text
    assert f'value="{worst}" checked' in again.text and "the &lt;queue&gt;" in again.text


def test_the_page_speaks_the_language_of_the_request_unless_another_is_chosen(
    shop: Shop, visitor: Browser
) -> None:
    path = f"/f/{sign_of(closed(shop, language='pt'))}"
    page = visitor.get(path).text
    assert '<html lang="pt-PT">' in page and "Como foi a ajuda?" in page
    chosen = visitor.get(f"{path}?language=sr").text
    assert '<html lang="sr-Latn">' in chosen and "Kakva je bila pomoć?" in chosen
    unchosen = f"/f/{sign_of(closed(shop, language='en'))}"
    assert "Com’è stato l’aiuto?" in visitor.get(unchosen, **{"Accept-Language": "it-CH, en;q=0.5"}).text
    thanked = visitor.post(f"{path}?language=sr", score="4")
    assert thanked.location == f"{path}?language=sr"


def test_it_is_open_from_the_end_of_the_request_for_two_weeks(shop: Shop, visitor: Browser) -> None:
    id_ = shop.raise_request()
    assert "still open" in visitor.get(f"/f/{sign_of(id_)}").text
    old = closed(shop, closed_at=shop.clock.now - timedelta(days=15))
    assert visitor.get(f"/f/{sign_of(old)}").status_code == 404
    assert visitor.get("/f/nonsense").status_code == 404


def test_guessing_is_slowed_and_nothing_else_is(shop: Shop, visitor: Browser) -> None:
    visitor.get("/f/")
    statuses = [visitor.post("/f/", code=f"AAA-{n:03}").status_code for n in range(25)]
    assert statuses == [404] * 20 + [429] * 5
    assert visitor.get("/floor/sign-in").status_code == 200
