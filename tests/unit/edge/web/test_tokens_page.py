"""Tokens at the desk: shown once, revoked, for managers alone."""

import re

from edge.tokens import store as tokens

from .conftest import Browser, Shop


def make(desk: Browser, name: str = "Wall display", *scopes: str) -> str:
    answer = desk.post("/manage/tokens", name=name, scopes=list(scopes or ("read:log",)))
    assert answer.status_code == 200
    found = re.search(r"fb_[\w-]{43}", answer.text)
    assert found
    return found[0]


def test_a_new_token_is_shown_once_and_listed_without_its_secret(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    secret = make(visitor)
    again = visitor.get("/manage/tokens").text
    assert "Wall display" in again and secret not in again and "fb_" not in again
    with shop.services.read() as conn:
        found = tokens.find(conn, "trial", tokens.key_of(secret))
    assert found is not None and found.scopes == ("read:log",)


def test_a_faulty_token_keeps_what_was_typed(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    visitor.get("/manage/tokens")
    answer = visitor.post("/manage/tokens", name="Wall")
    assert answer.status_code == 400 and "may do nothing" in answer.text and 'value="Wall"' in answer.text


def test_a_revoked_token_is_said_to_be_gone(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    secret = make(visitor)
    with shop.services.read() as conn:
        (one,) = tokens.all_tokens(conn, "trial")
    assert visitor.post(f"/manage/tokens/{one.id}/revoke").status_code == 303
    assert "is revoked" in visitor.get("/manage/tokens").text
    with shop.services.read() as conn:
        assert tokens.find(conn, "trial", tokens.key_of(secret)) is None


def test_a_supervisor_neither_sees_nor_makes_tokens(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Sofia")
    assert "/manage/tokens" not in visitor.get("/manage/log").text
    assert visitor.get("/manage/tokens").status_code == 403
    assert visitor.post("/manage/tokens", name="Wall", scopes="read:log").status_code == 403
    assert shop.read("SELECT count(*) FROM token") == [(0,)]
