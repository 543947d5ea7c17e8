"""Deny by default, the two cookies, forms, headers and refusals."""

import re
import stat
from pathlib import Path

import pytest

from edge.people import store as people
from edge.web.access import COOKIES
from edge.web.admission import PUBLIC

from .conftest import PASSWORD, PIN, Browser, Shop

NAMED_PUBLIC = {
    "static",
    "door.open_door",
    "health.alive",
    "health.ready",
    "wellknown.security_txt",
    "api.document",
    "api.index",
    "api.api_page",
    "api.devices_document",
    "api.devices_page",
    "api.footage",
    "floor.manifest",
    "floor.names",
    "floor.pin",
    "floor.sign_in",
    "floor.speak",
    "manage.sign_in_page",
    "manage.sign_in",
    "manage.sign_in_code",
    "manage.sign_in_asked",
    "manage.sign_in_passkey",
    "manage.first_admin",
    "manage.first_admin_do",
    "shopper.find",
    "shopper.look_up",
    "shopper.ask",
    "shopper.give",
}


def test_every_endpoint_is_refused_without_a_session_unless_it_is_named_public(
    shop: Shop, visitor: Browser
) -> None:
    assert PUBLIC == NAMED_PUBLIC
    refused = 0
    for rule in shop.app.url_map.iter_rules():
        if rule.endpoint in PUBLIC:
            continue
        path = re.sub(r"<[^>]+>", "anything", rule.rule)
        for method in rule.methods - {"OPTIONS"}:
            # With a valid form token, so that what refuses is the missing session.
            visitor.get("/floor/sign-in/" + shop.people["Ana"].id)
            visitor.get("/manage/sign-in")
            token = visitor._tokens.get(path.split("/")[1], "")
            response = visitor.client.open(path, method=method, data={"csrf_token": token})
            # Programs are asked for a token where people are asked for a sign-in.
            token_wanted = path.startswith("/api/") or path == "/metrics"
            assert response.status_code == (401 if token_wanted else 403), (method, path)
            refused += 1
    assert refused > 15


def test_a_page_without_a_session_leads_to_the_door_of_its_room(visitor: Browser) -> None:
    assert visitor.get("/floor/").location == "/floor/sign-in"
    assert visitor.get("/manage/log").location == "/manage/sign-in"
    part = visitor.get("/floor/pages", **{"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (403, "/floor/sign-in")


def test_a_phone_and_a_desk_live_side_by_side_in_one_browser(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    visitor.sign_in_at_desk("Mira")
    assert "Ana" in visitor.get("/floor/").text
    assert "Mira" in visitor.get("/manage/log").text
    assert visitor.post("/floor/sign-out").location == "/floor/sign-in"
    assert visitor.get("/floor/").status_code == 303
    assert visitor.get("/manage/log").status_code == 200


def test_a_cookie_of_the_floor_opens_nothing_at_the_desk(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Sofia"])
    token = visitor.client.get_cookie(COOKIES["floor"], path="/floor").value
    visitor.client.set_cookie(COOKIES["manage"], token, path="/manage")
    assert visitor.get("/manage/log").status_code == 303


def test_the_cookies_are_closed_to_scripts_and_other_sites(shop: Shop, visitor: Browser) -> None:
    visitor.get("/floor/sign-in/" + shop.people["Ana"].id)
    response = visitor.post("/floor/sign-in", person=shop.people["Ana"].id, pin=PIN)
    (cookie,) = [c for c in response.headers.getlist("Set-Cookie") if c.startswith("floorbell_floor=")]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/floor;" in cookie


def test_the_database_does_not_hold_what_the_cookie_holds(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    token = visitor.client.get_cookie(COOKIES["floor"], path="/floor").value
    ((kept,),) = shop.read("SELECT token_sha256 FROM session")
    assert token not in kept and len(kept) == 64


def test_a_change_without_the_forms_token_changes_nothing(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    request = shop.raise_request("Ana")
    answer = visitor.client.post(f"/floor/requests/{request}/acknowledge", headers={"Accept": "text/html"})
    assert answer.status_code == 400 and "nothing was changed" in answer.text
    assert shop.read("SELECT state FROM interaction") == [("raised",)]


def test_the_token_of_one_room_is_not_lost_when_the_other_room_loads(shop: Shop, visitor: Browser) -> None:
    visitor.get("/floor/sign-in/" + shop.people["Ana"].id)
    visitor.get("/manage/sign-in")
    assert visitor.post("/floor/sign-in", person=shop.people["Ana"].id, pin=PIN).status_code == 303
    assert visitor.post("/manage/sign-in", name="mira", password=PASSWORD).status_code == 303


def test_a_session_ends_with_the_shift(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    shop.clock.pass_(hours=10, seconds=1)
    assert visitor.get("/floor/").status_code == 303


def test_a_disabled_person_is_out_at_once(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    shop.write(lambda conn: people.disable(conn, "trial", shop.people["Ana"].id, shop.clock.now))
    assert visitor.get("/floor/").status_code == 303
    assert visitor.get("/floor/sign-in/" + shop.people["Ana"].id).status_code == 404


def test_no_page_holds_script_or_style_of_its_own(shop: Shop, visitor: Browser) -> None:
    shop.raise_request("Sofia")
    visitor.sign_in(shop.people["Sofia"])
    visitor.sign_in_at_desk("Mira")
    for path in ("/floor/sign-in", "/floor/", "/manage/log", "/manage/devices", "/manage/sign-in"):
        text = visitor.get(path).text
        assert "<style" not in text and " style=" not in text and " onclick" not in text
        assert not re.search(r"<script(?![^>]*src=)", text)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_unexpected_error_is_a_sentence_and_never_a_trace(shop: Shop, accept: str) -> None:
    def fail() -> str:
        raise RuntimeError("the secret inside")

    shop.app.view_functions["health.alive"] = fail
    answer = shop.app.test_client().get("/healthz", headers={"Accept": accept})
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text


def test_when_the_database_is_gone_nothing_is_said_to_be_saved(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    shop.write(lambda conn: conn.exec_driver_sql("ALTER TABLE person RENAME TO person_gone"))
    answer = visitor.get("/floor/sign-in")
    assert answer.status_code == 503 and "nothing is known to be saved" in answer.text


def test_the_signing_key_is_made_once_and_closed_to_others(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "web.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == shop.app.secret_key


@pytest.mark.parametrize(
    ("path", "home"), [("/manage/nothing", "/manage/"), ("/floor/nothing", "/floor/"), ("/nothing", "/")]
)
def test_a_page_that_is_not_there_leads_back_into_its_own_room(
    visitor: Browser, path: str, home: str
) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404 and f'class="button" href="{home}"' in answer.text
