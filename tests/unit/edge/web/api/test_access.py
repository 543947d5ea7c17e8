"""Who may ask the API what, and how it refuses: always one sentence in problem details."""

import re

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from edge.tokens import store as tokens
from edge.web.api.routes import ROUTES
from tests.unit.edge.web.conftest import STORE, Browser, Shop

from .conftest import Let, Program


def refused(answer: TestResponse, status: int) -> str:
    """The sentence of a refusal, which is the whole answer."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status and answer.json["title"]
    assert answer.json["detail"].endswith(".")
    return str(answer.json["detail"])


def paths() -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.method, re.sub(r"{\w+}", "x", one.path), one.scopes) for one in ROUTES]


def test_without_a_token_every_address_is_closed(shop: Shop) -> None:
    client = shop.app.test_client()
    for method, path, _ in paths():
        answer = client.open(f"/api/v1{path}", method=method)
        assert "Send a token" in refused(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer fb_wrong", f"Bearer {'x' * 5000}", "Basic TWlyYQ==", "Bearer "])
def test_what_is_no_valid_token_opens_nothing(shop: Shop, header: str) -> None:
    answer = shop.app.test_client().get("/api/v1/floor", headers={"Authorization": header})
    assert refused(answer, 401) and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_opens_only_what_its_scopes_say(let: Let) -> None:
    poor = let("read:metrics")
    for method, path, scopes in paths():
        answer = poor.ask(method, path)
        if scopes:
            assert scopes[0] in refused(answer, 403)
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert poor.get("/token").json["scopes"] == ["read:metrics"]


def test_a_session_of_the_desk_opens_nothing_here_and_no_cookie_is_ever_set(
    shop: Shop, visitor: Browser, all_scopes: Program
) -> None:
    visitor.sign_in_at_desk("Mira")
    cookie = visitor.client.get_cookie("floorbell_manage", path="/manage")
    assert cookie is not None
    header = {"Cookie": f"floorbell_manage={cookie.value}"}
    refused(shop.app.test_client(use_cookies=False).get("/api/v1/floor", headers=header), 401)
    assert "Set-Cookie" not in all_scopes.get("/floor").headers


def test_a_change_needs_no_token_of_a_form(all_scopes: Program) -> None:
    assert all_scopes.post("/zones", name="roof", title="Roof").status_code == 201


def test_a_revoked_token_opens_nothing_at_once(shop: Shop, all_scopes: Program) -> None:
    assert all_scopes.get("/floor").status_code == 200
    shop.write(lambda conn: tokens.revoke(conn, STORE, all_scopes.token.id, shop.clock.now))
    assert "revoked" in refused(all_scopes.get("/floor"), 401)


def test_when_a_token_was_last_used_is_written_down_aside(shop: Shop, all_scopes: Program) -> None:
    shop.clock.pass_(minutes=5)
    all_scopes.get("/token")
    shop.services.errands.record_used()
    with shop.services.read() as conn:
        found = tokens.by_id(conn, STORE, all_scopes.token.id)
    assert found is not None and found.last_used_at == shop.clock.now


def test_unknown_addresses_and_methods_are_refused_in_the_same_way(shop: Shop) -> None:
    client = shop.app.test_client()
    assert "openapi.json" in refused(client.get("/api/v1/nothing"), 404)
    assert refused(client.get("/api/nothing"), 404)
    answer = client.post("/api/v1/floor")
    assert refused(answer, 405) and "GET" in answer.headers["Allow"]


def test_a_body_that_cannot_be_used_is_named(all_scopes: Program) -> None:
    assert "text/plain" in refused(all_scopes.ask("POST", "/zones", data="x", content_type="text/plain"), 415)
    broken = all_scopes.ask("POST", "/zones", data="{", content_type="application/json")
    assert "cannot be used" in refused(broken, 422)
    assert "`name`" in refused(all_scopes.post("/zones", title="Roof"), 422)
    assert "colour" in refused(all_scopes.post("/zones", name="roof", title="Roof", colour="red"), 422)
    large = all_scopes.ask("POST", "/zones", data="x" * 200_000, content_type="application/json")
    assert "too much" in refused(large, 413)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=fire", "fire"),
        ("colour=red", "colour"),
        ("zone=a&zone=b", "2 times"),
        ("from=yesterday", "a time looks like"),
        ("before=nowhere", "a place in the log"),
        ("limit=0", "limit"),
        ("q=%00", "q"),
    ],
)
def test_an_address_that_says_nonsense_is_told_what_is_allowed(
    all_scopes: Program, query: str, said: str
) -> None:
    assert said in refused(all_scopes.ask("GET", f"/interactions?{query}"), 422)


def test_a_program_that_runs_wild_is_slowed_and_the_live_floor_is_not(let: Let) -> None:
    wild, other = let(), let()
    answers = {wild.get("/token").status_code for _ in range(600)}
    assert answers == {200}
    answer = wild.get("/zones")
    assert "600 times" in refused(answer, 429) and answer.headers["Retry-After"]
    assert wild.get("/floor").status_code == 200
    assert other.get("/token").status_code == 200


def test_what_answers_a_page_is_under_no_limit_of_rate() -> None:
    free = {route.name for route in ROUTES if route.free}
    assert {"floor_read", "stream"} <= free
    assert not [route for route in ROUTES if "act:requests" in route.scopes and not route.free]


def test_a_mistake_of_ours_is_a_sentence_and_never_a_trace(
    all_scopes: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("edge.reports.floor.requests", fail)
    assert "secret" not in refused(all_scopes.get("/floor"), 500)


def test_when_the_database_is_gone_it_says_so(shop: Shop, all_scopes: Program) -> None:
    shop.write(lambda conn: conn.execute(sa.text("ALTER TABLE zone RENAME TO zone_gone")))
    answer = all_scopes.get("/zones")
    assert "nothing is known to be saved" in refused(answer, 503) and answer.headers["Retry-After"]
