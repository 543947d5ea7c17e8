"""Passkeys at the desk: made, used as the second factor and alone, refused, removed; and the proof before
either."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from edge.config import Web
from edge.web.ceremonies import STALE, WRONG
from tests.rig.authenticator import Authenticator

from .conftest import PASSWORD, Browser, Clock, Shop, opened

ORIGIN = "https://floorbell.shop.example"
NONSENSE = (
    "", "{}", "[]", "null", "{", '{"id": 5}', '{"id": "!!", "response": {}}', "[" * 9000, "x" * 20_000,
    '{"id": "aa", "rawId": "aa", "type": "public-key", "response": {"clientDataJSON": "e30"}}',
)  # fmt: skip
NO_ORIGINS = (
    "https://10.0.0.2", "https://[::1]", "http://floorbell.shop.example", "https://shop.example/",
    "shop.example", "https://Shop.example", "http://localhost.evil.example", "https://user@shop.example",
)  # fmt: skip
OPTIONS = re.compile(r'data-options="([^"]+)"')
CODE = re.compile(r"<code>(\d-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>")
REMOVE = re.compile(r'action="(/manage/own/passkeys/[0-9a-f]+/remove)"')


@pytest.fixture
def shop(tmp_path: Path, clock: Clock, hashes: tuple[str, str]) -> Iterator[Shop]:
    """A store with a name that browsers know it by."""
    with opened(tmp_path, clock, hashes, origin=ORIGIN) as shop:
        yield shop


@pytest.fixture
def mira(shop: Shop) -> Browser:
    browser = Browser(shop.app)
    browser.sign_in_at_desk("Mira")
    return browser


def offered(page: TestResponse) -> dict[str, Any]:
    found = json.loads(html.unescape(OPTIONS.findall(page.text)[0]))
    assert isinstance(found, dict)
    return found


def add(browser: Browser, key: Authenticator, name: str = "Office computer") -> TestResponse:
    page = browser.get("/manage/own/passkeys/new")
    return browser.post("/manage/own/passkeys/new", name=name, answer=key.make(offered(page)))


def own(origin: str = ORIGIN, **made: Any) -> Authenticator:
    return Authenticator(origin, **made)


@pytest.fixture
def key(mira: Browser) -> Authenticator:
    """Mira's."""
    found = own()
    assert add(mira, found).status_code == 200
    return found


def typed(shop: Shop, name: str = "Mira") -> tuple[Browser, dict[str, str], TestResponse]:
    """A browser that typed the right password: what its form holds, and the page."""
    browser = Browser(shop.app)
    page = browser.sign_in_at_desk(name)
    assert page.status_code == 200 and browser.get("/manage/log").status_code == 303
    grant = html.unescape(re.findall(r'name="grant" value="([^"]+)"', page.text)[0])
    return browser, {"name": name, "grant": grant}, page


def alone(shop: Shop, key: Authenticator) -> tuple[Browser, TestResponse]:
    """A browser that signs in by a passkey and nothing else."""
    browser = Browser(shop.app)
    browser.get("/manage/sign-in")
    answer = key.sign(browser.client.get("/manage/sign-in/passkey").json)
    return browser, browser.post("/manage/sign-in/passkey", answer=answer)


def audited(shop: Shop) -> list[object]:
    shop.services.errands.record_noted()
    return [row[0] for row in shop.read("SELECT words FROM audit ORDER BY id")]


def test_the_first_passkey_brings_ten_recovery_codes_and_another_token(shop: Shop, mira: Browser) -> None:
    other = Browser(shop.app)
    other.sign_in_at_desk("Mira")
    before = mira.client.get_cookie("floorbell_manage", path="/manage").value
    done = add(mira, own())
    assert done.status_code == 200 and len(CODE.findall(done.text)) == 10
    assert mira.client.get_cookie("floorbell_manage", path="/manage").value != before
    assert "Office computer" in mira.get("/manage/own").text
    assert other.get("/manage/log").status_code == 303, "other sessions of hers are over"
    assert "Mira added the passkey Office computer." in audited(shop)


def test_another_one_leaves_the_codes_alone(mira: Browser, key: Authenticator) -> None:
    assert add(mira, own(), "Key ring").location == "/manage/own"
    page = mira.get("/manage/own").text
    assert "Key ring" in page and "10 of 10 recovery codes" in page


def test_behind_the_password_a_touch_is_enough(shop: Shop, key: Authenticator) -> None:
    key.verifies = False
    browser, form, page = typed(shop)
    done = browser.post("/manage/sign-in/code", answer=key.sign(offered(page)), **form)
    assert done.location == "/manage/floor" and browser.get("/manage/log").status_code == 200
    assert shop.read("SELECT count(*) FROM session WHERE strong") == [(2,)]


def test_alone_it_signs_in_where_it_checked_who_holds_it(shop: Shop, key: Authenticator) -> None:
    browser, done = alone(shop, key)
    assert done.location == "/manage/floor" and browser.get("/manage/log").status_code == 200
    key.verifies = False
    _, refused = alone(shop, key)
    assert refused.status_code == 403 and WRONG in refused.text
    said = audited(shop)
    assert "Mira signed in at the desk, with a passkey, asked from 127.0.0.1." in said
    assert "A wrong passkey, asked from 127.0.0.1." in said


def test_an_answer_counts_once(shop: Shop, key: Authenticator) -> None:
    browser = Browser(shop.app)
    browser.get("/manage/sign-in")
    answer = key.sign(browser.client.get("/manage/sign-in/passkey").json)
    assert browser.post("/manage/sign-in/passkey", answer=answer).status_code == 303
    browser.post("/manage/sign-out")
    browser.get("/manage/sign-in")
    assert browser.post("/manage/sign-in/passkey", answer=answer).status_code == 403


def test_an_answer_is_nothing_in_another_browser_nor_later_nor_for_something_else(
    shop: Shop, mira: Browser, key: Authenticator
) -> None:
    one, other = Browser(shop.app), Browser(shop.app)
    one.get("/manage/sign-in")
    other.get("/manage/sign-in")
    answer = key.sign(one.client.get("/manage/sign-in/passkey").json)
    assert other.post("/manage/sign-in/passkey", answer=answer).status_code == 403
    browser, form, _ = typed(shop)
    taken = key.sign(browser.client.get("/manage/sign-in/passkey").json)
    assert browser.post("/manage/sign-in/code", answer=taken, **form).status_code == 403
    late = key.sign(one.client.get("/manage/sign-in/passkey").json)
    shop.clock.pass_(minutes=11)
    assert one.post("/manage/sign-in/passkey", answer=late).status_code == 403


def test_an_answer_that_another_address_asked_for_is_refused(
    shop: Shop, mira: Browser, key: Authenticator
) -> None:
    for origin in ("https://evil.example", "http://floorbell.shop.example", f"{ORIGIN}:444"):
        key.origin = origin
        assert alone(shop, key)[1].status_code == 403
        assert add(mira, own(origin)).status_code == 403


def test_a_key_for_another_host_is_refused(shop: Shop, key: Authenticator) -> None:
    key.host = "shop.example"
    assert alone(shop, key)[1].status_code == 403


def test_anothers_passkey_is_no_second_factor_of_mine(shop: Shop, key: Authenticator) -> None:
    sofia, hers = Browser(shop.app), own()
    sofia.sign_in_at_desk("Sofia")
    add(sofia, hers)
    browser, form, page = typed(shop)
    options = offered(page)
    assert [one["id"] for one in options["allowCredentials"]] == [json.loads(key.sign(options))["id"]]
    assert browser.post("/manage/sign-in/code", answer=hers.sign(options), **form).status_code == 403
    hers.id = key.id
    assert browser.post("/manage/sign-in/code", answer=hers.sign(options), **form).status_code == 403


def test_a_passkey_that_names_another_person_is_refused(shop: Shop, key: Authenticator) -> None:
    key.user = shop.people["Sofia"].id.encode()
    assert alone(shop, key)[1].status_code == 403


def test_a_copy_that_counts_behind_is_refused_and_told_of(
    shop: Shop, mira: Browser, key: Authenticator
) -> None:
    for _ in range(3):
        assert alone(shop, key)[1].status_code == 303
    key.count = 1
    assert alone(shop, key)[1].status_code == 403
    told = "The passkey Office computer of Mira counted 2, no further than the 3 known of it, and was refused"
    assert any(str(words).startswith(told) for words in audited(shop))
    assert "it may have been copied" in mira.get("/manage/own").text
    key.count = 3
    assert alone(shop, key)[1].status_code == 303


def test_one_that_does_not_count_signs_in_again_and_again(shop: Shop, mira: Browser) -> None:
    key = own(count=None)
    add(mira, key)
    assert [alone(shop, key)[1].status_code for _ in range(3)] == [303] * 3


def test_nonsense_is_one_sentence(shop: Shop, mira: Browser) -> None:
    browser = Browser(shop.app)
    browser.get("/manage/sign-in")
    mira.get("/manage/own/passkeys/new")
    for turn, answer in enumerate(NONSENSE):
        browser.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{turn}"
        refused = browser.post("/manage/sign-in/passkey", answer=answer)
        assert refused.status_code == 403 and WRONG in refused.text, answer[:40]
        refused = mira.post("/manage/own/passkeys/new", name="Mine", answer=answer)
        assert refused.status_code == 403 and WRONG in refused.text, answer[:40]


def test_a_signature_of_another_key_is_refused(shop: Shop, key: Authenticator) -> None:
    key.key = own().key
    assert alone(shop, key)[1].status_code == 403


def test_whoever_is_disabled_or_lost_their_seat_is_not_let_in(
    shop: Shop, key: Authenticator, second: Browser
) -> None:
    second.get(f"/manage/people/{shop.people['Mira'].id}")
    assert second.post(f"/manage/people/{shop.people['Mira'].id}/disable").status_code == 303
    assert alone(shop, key)[1].status_code == 403


def test_a_known_passkey_is_not_added_twice(shop: Shop, mira: Browser, key: Authenticator) -> None:
    assert add(mira, key).status_code == 409
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    assert add(sofia, key).status_code == 409


def test_a_name_is_asked_for_in_a_sentence(mira: Browser) -> None:
    for name in ("", " ", "x" * 61, "a\x07b"):
        refused = add(mira, own(), name)
        assert refused.status_code == 400 and "1 to 60 letters" in refused.text


def test_only_whoever_has_just_proved_it_adds_or_removes_one(
    shop: Shop, mira: Browser, key: Authenticator
) -> None:
    (remove,) = REMOVE.findall(mira.get("/manage/own").text)
    options = offered(mira.get("/manage/own/passkeys/new"))
    shop.clock.pass_(minutes=10)
    assert mira.get("/manage/own/passkeys/new").location == "/manage/own/proof?then=passkey"
    late = mira.post("/manage/own/passkeys/new", name="Mine", answer=own().make(options))
    assert late.location == "/manage/own/proof?then=passkey"
    assert mira.get("/manage/own/second-factor").location == "/manage/own/proof?then=app"
    assert mira.post("/manage/own/codes").location == "/manage/own/proof"
    assert mira.post(remove).location == "/manage/own/proof"
    before = mira.client.get_cookie("floorbell_manage", path="/manage").value
    page = mira.get("/manage/own/proof?then=passkey")
    done = mira.post("/manage/own/proof", then="passkey", answer=key.sign(offered(page)))
    assert done.location == "/manage/own/passkeys/new"
    assert mira.client.get_cookie("floorbell_manage", path="/manage").value != before, "another token"
    assert mira.post(remove).location == "/manage/own"


def test_the_token_from_before_a_proof_opens_nothing(shop: Shop, mira: Browser) -> None:
    taken = Browser(shop.app)
    token = mira.client.get_cookie("floorbell_manage", path="/manage").value
    mira.get("/manage/own/proof")
    assert mira.post("/manage/own/proof", password=PASSWORD).location == "/manage/own"
    taken.client.set_cookie("floorbell_manage", token, path="/manage")
    assert taken.get("/manage/log").status_code == 303 and mira.get("/manage/log").status_code == 200


def test_a_proof_is_password_and_code_and_each_code_once(shop: Shop, mira: Browser) -> None:
    codes = CODE.findall(add(mira, own()).text)
    mira.get("/manage/own/proof")
    for form in (
        {"password": PASSWORD},
        {"password": "wrong wrong", "code": codes[0]},
        {"password": PASSWORD, "code": "000000"},
    ):
        assert mira.post("/manage/own/proof", **form).status_code == 403
    assert "10 of 10 recovery codes" in mira.get("/manage/own").text
    assert mira.post("/manage/own/proof", password=PASSWORD, code=codes[0]).status_code == 303
    assert mira.post("/manage/own/proof", password=PASSWORD, code=codes[0]).status_code == 403
    said = audited(shop)
    assert "A wrong proof for Mira, asked from 127.0.0.1." in said


def test_a_proof_leads_nowhere_but_to_the_own_pages(mira: Browser) -> None:
    mira.get("/manage/own/proof")
    for then in ("https://evil.example", "//evil.example", "/manage/log", "own_end"):
        assert mira.post("/manage/own/proof", then=then, password=PASSWORD).location == "/manage/own"


def test_the_last_one_removed_leaves_the_password_alone(
    shop: Shop, mira: Browser, key: Authenticator
) -> None:
    (remove,) = REMOVE.findall(mira.get("/manage/own").text)
    assert mira.post(remove).status_code == 303
    assert "your password alone" in mira.get("/manage/own").text
    assert shop.read("SELECT count(*) FROM recovery_code") == [(0,)]
    assert Browser(shop.app).sign_in_at_desk("Mira").status_code == 303
    assert alone(shop, key)[1].status_code == 403
    assert mira.post(remove).status_code == 404


def test_nobody_removes_anothers(shop: Shop, mira: Browser, key: Authenticator) -> None:
    (remove,) = REMOVE.findall(mira.get("/manage/own").text)
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    sofia.get("/manage/own")
    assert sofia.post(remove).status_code == 404
    assert alone(shop, key)[1].status_code == 303


def test_a_reset_takes_passkeys_and_codes_too(
    shop: Shop, mira: Browser, key: Authenticator, second: Browser
) -> None:
    person = f"/manage/people/{shop.people['Mira'].id}"
    assert "Reset second factor" in second.get(person).text
    assert second.post(f"{person}/second_factor").status_code == 303
    assert shop.read("SELECT (SELECT count(*) FROM passkey), (SELECT count(*) FROM recovery_code)") == [
        (0, 0)
    ]
    assert mira.get("/manage/log").status_code == 303
    assert alone(shop, key)[1].status_code == 403
    assert "The second factor of Mira was reset: 1 passkey." in audited(shop)


def test_a_recovery_code_helps_whoever_lost_the_key(shop: Shop, mira: Browser) -> None:
    codes = CODE.findall(add(mira, own()).text)
    browser, form, page = typed(shop)
    assert "A recovery code" in page.text
    assert browser.post("/manage/sign-in/code", code=codes[2], **form).status_code == 303


def test_where_a_second_factor_is_required_a_passkey_is_one(
    tmp_path: Path, clock: Clock, hashes: tuple[str, str]
) -> None:
    with opened(tmp_path, clock, hashes, origin=ORIGIN, second_factor="required") as shop:
        browser = Browser(shop.app)
        browser.sign_in_at_desk("Mira")
        assert "make a passkey" in browser.get("/manage/own/second-factor").text
        assert add(browser, own()).status_code == 200
        assert browser.get("/manage/log").status_code == 200


def test_without_a_name_of_the_server_there_are_none_and_a_sentence_says_why(
    tmp_path: Path, clock: Clock, hashes: tuple[str, str]
) -> None:
    with opened(tmp_path, clock, hashes) as shop:
        browser = Browser(shop.app)
        assert "passkey" not in browser.get("/manage/sign-in").text
        assert browser.client.get("/manage/sign-in/passkey").status_code == 404
        browser.sign_in_at_desk("Mira")
        refused = browser.get("/manage/own/passkeys/new")
        assert refused.status_code == 409 and "set origin under [web]" in refused.text
        assert "Passkeys need a server that browsers reach by a name" in browser.get("/manage/own").text


def test_one_that_was_made_for_a_former_name_says_so(shop: Shop, mira: Browser, key: Authenticator) -> None:
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE passkey SET host = 'old.example'"))
    assert "Made for old.example" in mira.get("/manage/own").text
    _, _, page = typed(shop)
    assert "allowCredentials" not in offered(page) or offered(page)["allowCredentials"] == []


def test_an_origin_is_a_name_behind_https() -> None:
    for origin in NO_ORIGINS:
        assert "Passkeys need a name; an address of numbers is none." in (Web(origin=origin).fault() or "")
    for origin in ("", ORIGIN, f"{ORIGIN}:8443", "http://localhost:8080", "https://till-7"):
        assert Web(origin=origin).fault() is None


def test_stale_is_said_as_such(shop: Shop, mira: Browser) -> None:
    options = offered(mira.get("/manage/own/passkeys/new"))
    shop.clock.pass_(minutes=9, seconds=30)
    mira.get("/manage/own/passkeys/new")
    shop.clock.pass_(seconds=29)
    done = mira.post("/manage/own/passkeys/new", name="Mine", answer=own().make(options))
    assert done.status_code == 200
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    refused = sofia.post("/manage/own/passkeys/new", name="Mine", answer=own().make(options))
    assert refused.status_code == 403 and STALE in refused.text
