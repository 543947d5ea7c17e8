"""Signing in on a shared phone and at the desk, and the throttle."""

import pytest

from edge.people.passwords import Verifier

from .callers import alarms, hold
from .conftest import Browser, Shop


def presence(shop: Shop, name: str) -> object:
    return shop.read("SELECT presence FROM person WHERE name = :name", name=name)[0][0]


def test_the_floors_door_shows_everyone_with_a_pin(shop: Shop, visitor: Browser) -> None:
    text = visitor.get("/floor/sign-in").text
    assert all(name in text for name in ("Ana", "Marc", "Sofia", "Igor"))
    assert "Mira" not in text


def test_signing_in_makes_available_and_signing_out_of_the_last_phone_makes_off(shop: Shop) -> None:
    one, two = Browser(shop.app), Browser(shop.app)
    one.sign_in(shop.people["Ana"])
    two.sign_in(shop.people["Ana"])
    assert presence(shop, "Ana") == "available"
    one.post("/floor/sign-out")
    assert presence(shop, "Ana") == "available"
    two.post("/floor/sign-out")
    assert presence(shop, "Ana") == "off"


def test_the_next_person_on_a_shared_phone_ends_the_session_before(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    visitor.sign_in(shop.people["Marc"])
    assert (presence(shop, "Ana"), presence(shop, "Marc")) == ("off", "available")
    assert shop.read("SELECT count(*) FROM session") == [(1,)]


def test_the_desk_makes_nobody_available(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Sofia")
    assert presence(shop, "Sofia") == "off"


def test_a_wrong_pin_is_one_sentence_and_403(shop: Shop, visitor: Browser) -> None:
    answer = visitor.sign_in(shop.people["Ana"], "9999")
    assert answer.status_code == 403
    assert "That PIN is not right for Ana." in answer.text


def test_the_desk_says_the_same_whatever_was_wrong(shop: Shop, visitor: Browser) -> None:
    answers = {
        visitor.sign_in_at_desk("Mira", "wrong wrong wrong").status_code,
        visitor.sign_in_at_desk("Nobody").status_code,
        visitor.sign_in_at_desk("Ana").status_code,
    }
    assert answers == {403}


def test_a_presence_is_chosen_and_nothing_else(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    assert visitor.post("/floor/presence", presence="on_break", minutes="5").status_code == 303
    assert presence(shop, "Ana") == "on_break"
    assert visitor.post("/floor/presence", presence="off").status_code == 400
    assert presence(shop, "Ana") == "on_break"


def test_guessing_is_slowed_down_per_person_in_a_sentence(shop: Shop) -> None:
    for _ in range(5):
        assert Browser(shop.app).sign_in(shop.people["Ana"], "9999").status_code == 403
    refused = Browser(shop.app).sign_in(shop.people["Ana"])
    assert refused.status_code == 429
    assert "Wait a minute" in refused.text and refused.headers["Retry-After"] == "60"


def test_guessing_is_slowed_down_per_phone(shop: Shop, visitor: Browser) -> None:
    names = ("Ana", "Marc", "Sofia", "Igor")
    for turn in range(10):
        assert visitor.sign_in(shop.people[names[turn % 4]], "9999").status_code == 403
    assert visitor.sign_in(shop.people["Igor"]).status_code == 429


def test_a_guesser_elsewhere_cannot_lock_out_a_phone_that_signed_in_before(shop: Shop) -> None:
    known = Browser(shop.app)
    known.sign_in(shop.people["Ana"])
    known.post("/floor/sign-out")
    for _ in range(5):
        Browser(shop.app).sign_in(shop.people["Ana"], "9999")
    assert Browser(shop.app).sign_in(shop.people["Ana"]).status_code == 429
    assert known.sign_in(shop.people["Ana"]).status_code == 303


def test_right_sign_ins_and_everything_else_are_never_throttled(shop: Shop) -> None:
    for _ in range(12):
        visitor = Browser(shop.app)
        assert visitor.sign_in(shop.people["Ana"]).status_code == 303
    assert {visitor.get("/floor/").status_code for _ in range(70)} == {200}


def test_a_storm_of_sign_ins_is_answered_and_does_not_wait(shop: Shop, visitor: Browser) -> None:
    shop.services.verifier = Verifier(at_once=1, waiting=0)
    with shop.services.verifier.place():
        answer = visitor.sign_in(shop.people["Ana"])
    assert answer.status_code == 503 and "try again in a few seconds" in answer.text
    assert visitor.sign_in(shop.people["Ana"]).status_code == 303


def test_one_persons_pin_does_not_buy_new_tries_at_anothers(shop: Shop) -> None:
    answers = []
    for turn in range(3):
        phone = Browser(shop.app)
        phone.sign_in(shop.people["Marc"])
        answers += [phone.sign_in(shop.people["Sofia"], f"900{turn}").status_code for _ in range(2)]
    assert answers == [403] * 5 + [429]


@pytest.mark.parametrize(
    "given", [{"person": "x{}"}, {"name": "mira{}"}, {"name": " Mira" + " " * 75 + "{}"}, {"name": "MIRA"}]
)
def test_nothing_else_in_the_form_makes_new_tries_at_the_desk(shop: Shop, given: dict[str, str]) -> None:
    answers = []
    for turn in range(6):
        desk = Browser(shop.app)
        desk.get("/manage/sign-in")
        form = {"name": "Mira", "password": "a wrong password"}
        form |= {key: value.format(" " * turn if value == "mira{}" else turn) for key, value in given.items()}
        answers.append(desk.post("/manage/sign-in", **form).status_code)
    assert answers == [403] * 5 + [429]


def test_whoever_is_held_up_elsewhere_is_called_answers_and_calls_security(shop: Shop, ana: Browser) -> None:
    for _ in range(7):
        Browser(shop.app).sign_in(shop.people["Ana"], "9999")
    assert Browser(shop.app).sign_in(shop.people["Ana"]).status_code == 429
    request = shop.raise_request("Ana")
    assert "Fitting room" in ana.get("/floor/").text
    assert ana.post(f"/floor/requests/{request}/acknowledge").status_code == 303
    assert hold(ana).status_code == 204
    assert shop.read("SELECT owner FROM interaction WHERE id = :id", id=request) == [(shop.people["Ana"].id,)]
    assert len(alarms(shop)) == 1


def test_no_choice_of_a_language_leads_out_of_the_store(visitor: Browser) -> None:
    visitor.get("/floor/sign-in")
    for back in ("https://evil.example", "//evil.example", "/manage/", "floor.own_end"):
        answer = visitor.post("/floor/language", language="ca", **{"from": back})
        assert answer.location == "/floor/sign-in"
