"""What shoppers thought, at the desk; and what staff type in, at the desk and on the phone."""

import html
import re
from datetime import timedelta

import pytest

from edge.web.shopper import sign_of

from .conftest import Browser, Shop

TYPED = {"source": "phone", "score": "1", "words": "Two <hours>\r\non hold."}


@pytest.fixture
def desk(shop: Shop, visitor: Browser) -> Browser:
    visitor.sign_in_at_desk("Mira")
    visitor.get("/manage/feedback/new")
    return visitor


def rate(shop: Shop, visitor: Browser, score: int, words: str = "") -> str:
    """A shopper's phone rates a request that was answered; the request's id."""
    id_ = shop.raise_request(state="resolved", closed_at=shop.clock.now)
    path = f"/f/{sign_of(id_)}"
    visitor.get(path)
    assert visitor.post(path, score=str(score), words=words).status_code == 303
    return id_


def test_every_score_is_listed_with_its_words_its_reason_and_its_request(
    shop: Shop, visitor: Browser, desk: Browser
) -> None:
    request = rate(shop, visitor, 2, "waited <too> long")
    page = desk.get("/manage/feedback").text
    assert "<b>1 score</b> came in; <b>1</b> counts." in page
    assert "waited &lt;too&gt; long" in page and "Counted: the first score of its request." in page
    assert f'href="/manage/log/{request}"' in page and "Fitting room" in page
    assert 'aria-current="page">Feedback' in page


def test_both_totals_are_in_words_and_nothing_is_hidden(shop: Shop, desk: Browser) -> None:
    """Of three presses one second apart by different hands the first counts, if they are no play."""
    shop.write_scores([(0, 4), (1, 4), (2, 4)])
    page = re.sub(r"\s+", " ", desk.get("/manage/feedback").text)
    assert "<b>3 scores</b> came in; <b>1</b> counts. 2 came in bursts of presses" in page
    assert page.count('class="opinion opinion-burst"') == 2
    assert "<b>Not counted, in a burst:</b> 1 s after another one." in page
    only = desk.get("/manage/feedback?judged=counted").text
    assert "None came in a burst" in only and only.count('<li class="opinion') == 1


def test_the_list_is_paged_by_its_last_row_within_the_filters(shop: Shop, desk: Browser) -> None:
    shop.write_scores([(60 * n, 1 + n % 4) for n in range(120)])
    page, seen, leaves = desk.get("/manage/feedback?score=low").text, [], 0
    while True:
        seen += re.findall(r'datetime="([^"]+)"', page.split('class="opinions"')[1])
        leaves += 1
        older = re.search(r'href="(/manage/feedback\?[^"]*before=[^"]+)">Older', page)
        if older is None:
            break
        assert "score=low" in older[1]
        page = desk.get(older[1].replace("&amp;", "&")).text
    assert leaves == 2 and len(seen) == len(set(seen)) == 60 and seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("nonsense", ["judged=maybe", "source=owl", "about=me", "score=9", "before=x"])
def test_an_address_that_says_nonsense_is_told_what_is_allowed(desk: Browser, nonsense: str) -> None:
    answer = desk.get(f"/manage/feedback?{nonsense}")
    assert answer.status_code == 400
    assert "allowed are" in answer.text or "a place in the log" in answer.text


def test_older_than_a_month_is_shown_when_it_is_asked_for(shop: Shop, desk: Browser) -> None:
    shop.write_scores([(-40 * 86_400, 3)])
    assert "No score came in the last 30 days." in desk.get("/manage/feedback").text
    day = (shop.clock.now - timedelta(days=40)).astimezone().date().isoformat()
    assert "<b>1 score</b> came;" in desk.get(f"/manage/feedback?from={day}").text


def test_a_telephone_call_is_typed_in_at_the_desk_in_its_exact_words(shop: Shop, desk: Browser) -> None:
    answer = desk.post("/manage/feedback/new", **TYPED, found="no", at="")
    assert answer.location == "/manage/feedback"
    page = desk.get("/manage/feedback").text
    assert "It is saved with your name" in page and "Two &lt;hours&gt;\non hold." in page
    assert "typed in by Mira" in page and "by telephone · the whole store" in page
    assert "Did they find what they came for? <b>No</b>" in page
    ((id_,),) = shop.read("SELECT interaction FROM feedback")
    story = desk.get(f"/manage/log/{id_}").text
    assert "Given by telephone" in story and "The whole store" in story
    assert "Told by telephone; typed in by Mira." in story


def test_a_faulty_form_says_why_and_keeps_what_was_typed(shop: Shop, desk: Browser) -> None:
    answer = desk.post("/manage/feedback/new", **TYPED, code="ZZZ-ZZZ", wait="long")
    assert answer.status_code == 400
    assert "No request of the last 92 days has the code ZZZ-ZZZ; check it, or leave it empty." in answer.text
    assert 'value="phone" required checked' in answer.text and "Two &lt;hours&gt;" in answer.text
    assert (
        '<option value="long" selected>' in answer.text and '<details class="told-more" open>' in answer.text
    )
    for wrong in ({"score": ""}, {"source": "owl"}, {"at": "yesterday"}, {"words": "x" * 501}):
        assert desk.post("/manage/feedback/new", **(TYPED | wrong)).status_code == 400
    assert shop.read("SELECT * FROM feedback") == []


def test_an_associate_types_in_on_the_phone_what_was_said_of_a_request(shop: Shop, visitor: Browser) -> None:
    request = shop.raise_request(state="resolved", closed_at=shop.clock.now)
    ((code,),) = shop.read("SELECT reference FROM interaction")
    visitor.sign_in(shop.people["Ana"])
    assert 'href="/floor/feedback"' in visitor.get("/floor/").text
    visitor.get("/floor/feedback")
    answer = visitor.post("/floor/feedback", **(TYPED | {"source": "desk"}), code=str(code).lower())
    assert answer.status_code == 303
    assert "Saved, with your name." in visitor.get(answer.location).text
    ((about, by, source),) = shop.read("SELECT about, entered_by, source FROM feedback")
    assert (about, by, source) == (request, shop.people["Ana"].id, "desk")
    assert shop.read("SELECT through FROM timeline WHERE what = 'feedback'") == [("phone",)]
    assert visitor.post("/floor/feedback", source="desk", words="no face").status_code == 400


@pytest.mark.parametrize(
    ("field", "bad", "said"),
    [
        ("source", "owl", "Say how it was told: allowed are by telephone, by letter, at the desk."),
        ("score", "", "Choose one of the four faces."),
        ("code", "ZZZ-ZZZ", "has the code ZZZ-ZZZ; check it, or leave it empty."),
        ("at", "yesterday", "it looks like 2026-03-01T14:30."),
        ("at", "2020-01-01T10:00", "lies in the last 92 days and not in the future."),
        ("words", "x" * 501, "The words have 501 signs; allowed are 500."),
        ("again", "hm", "allowed are yes, perhaps, no."),
    ],
)
def test_what_a_phone_typed_wrongly_is_said_marked_in_its_place_and_everything_is_kept(
    shop: Shop, visitor: Browser, field: str, bad: str, said: str
) -> None:
    visitor.sign_in(shop.people["Ana"])
    answer = visitor.post("/floor/feedback", **(TYPED | {"code": ""} | {field: bad}))
    assert answer.status_code == 400 and said in html.unescape(answer.text)
    assert answer.text.count('aria-describedby="against"') == 1
    place = {"source": "<fieldset", "score": "<fieldset", "again": "<details"}.get(field, f'name="{field}"')
    assert re.search(rf'{place}[^>]*aria-describedby="against"', answer.text)
    assert field == "words" or "Two &lt;hours&gt;" in answer.text
    assert shop.read("SELECT count(*) FROM interaction") == [(0,)]


def test_after_saving_the_phone_says_so_and_leads_back_to_the_calls(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    assert 'href="/floor/feedback"' in visitor.get("/floor/").text
    saved = visitor.post("/floor/feedback", **TYPED)
    assert saved.status_code == 303
    page = visitor.get(saved.location).text
    assert "Saved, with your name. Thank you." in page and '<a class="button" href="/floor/">' in page
    assert "Two" not in page
