"""The associate's phone in the language of whoever holds it; the desk stays English."""

import re

import pytest

from edge.web.languages import LANGUAGES, TAGS

from .conftest import Browser, Shop

OWN = {
    "en": "Who are you?",
    "ca": "Qui ets?",
    "sr": "Ko si ti?",
    "it": "Chi sei?",
    "pt": "Quem és?",
}


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_phone_speaks_what_its_browser_asks_for_and_says_which(visitor: Browser, tag: str) -> None:
    page = visitor.get("/floor/sign-in", **{"Accept-Language": f"{tag}, en;q=0.5"}).text
    assert OWN[tag] in page and f'<html lang="{TAGS.get(tag, tag)}">' in page


def test_what_is_chosen_at_the_door_holds_for_the_phone_until_another_is_chosen(
    shop: Shop, visitor: Browser
) -> None:
    asked = {"Accept-Language": "pt"}
    visitor.get("/floor/sign-in", **asked)
    chosen = visitor.post("/floor/language", language="ca", **{"from": "floor.names"})
    assert chosen.status_code == 303 and chosen.location == "/floor/sign-in"
    assert OWN["ca"] in visitor.get("/floor/sign-in", **asked).text
    visitor.sign_in(shop.people["Ana"])
    assert "Ningú no t’espera" in visitor.get("/floor/", **asked).text
    again = visitor.post("/floor/language", language="sr", **{"from": "floor.pages"})
    assert again.location == "/floor/"
    page = visitor.get("/floor/", **asked).text
    assert "Niko te ne čeka" in page and 'lang="sr-Latn"' in page
    assert 'value="sr" lang="sr-Latn" aria-current="true"' in page


def test_a_language_that_is_none_is_told_what_is_allowed(visitor: Browser) -> None:
    visitor.get("/floor/sign-in")
    answer = visitor.post("/floor/language", language="xx")
    assert answer.status_code == 400
    assert "The language is &#39;xx&#39;; allowed are en, ca, sr, it, pt." in answer.text


def test_a_call_and_its_reason_are_said_in_the_language_but_no_name_or_note_is(
    shop: Shop, visitor: Browser
) -> None:
    speaking = {"Accept-Language": "it"}
    visitor.sign_in(shop.people["Ana"])
    request = shop.raise_request("Ana", count=3)
    shop.write(
        lambda conn: conn.exec_driver_sql("UPDATE page SET reason = 'works in Shoes, speaks Catalan, free'")
    )
    page = visitor.get("/floor/", **speaking).text
    assert "Perché tu: lavora in Shoes, parla catalano, nessun’altra richiesta" in page
    assert "Camerino" in page and "premuto 3 volte" in page and "Arrivo" in page
    visitor.post(f"/floor/requests/{request}/acknowledge")
    page = visitor.get("/floor/", **speaking).text
    assert "Stai arrivando" in page and "Responsabile" in page and "Indirizzato al posto giusto" in page


def test_a_refusal_is_said_in_the_language_of_the_phone(shop: Shop, visitor: Browser) -> None:
    request = shop.raise_request("Ana", "Marc")
    marc = Browser(shop.app)
    marc.sign_in(shop.people["Marc"])
    marc.post(f"/floor/requests/{request}/acknowledge")
    visitor.sign_in(shop.people["Ana"])
    visitor.post("/floor/language", language="pt", **{"from": "floor.pages"})
    assert "Marc já vai a caminho." in visitor.post(f"/floor/requests/{request}/acknowledge").text
    assert "Marc já vai a caminho." in visitor.post(f"/floor/requests/{request}/acknowledge", htmx=True).text
    nowhere = visitor.get("/floor/nowhere")
    assert nowhere.status_code == 404
    assert "Esta página não existe ou não é desta loja." in nowhere.text and 'lang="pt-PT"' in nowhere.text


def test_a_wrong_pin_is_said_in_the_language_of_the_phone(shop: Shop, visitor: Browser) -> None:
    visitor.get("/floor/sign-in")
    visitor.post("/floor/language", language="ca")
    assert "El PIN no és el de Ana." in visitor.sign_in(shop.people["Ana"], "0000").text


def test_scripts_take_their_words_from_the_page(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    page = visitor.get("/floor/", **{"Accept-Language": "sr"}).text
    facts = dict(re.findall(r'data-(connected|lost)="([^"]+)"', page))
    assert facts == {"connected": "Pozivi ti stižu", "lost": "Bez veze od {time}: pozivi ne stižu"}
    assert 'id="trouble" data-unsent="Nije poslato: ' in page


def test_the_desk_and_the_api_stay_english(visitor: Browser) -> None:
    asked = {"Accept-Language": "ca"}
    visitor.sign_in_at_desk("Mira")
    for path in ("/manage/log", "/manage/feedback/new", "/manage/nowhere"):
        assert '<html lang="en">' in visitor.get(path, **asked).text, path
    assert "How did they tell us?" in visitor.get("/manage/feedback/new", **asked).text
    assert "address" in visitor.get("/api/v1/nowhere", **asked).text
