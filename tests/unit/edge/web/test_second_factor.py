"""The second factor at the desk: set up, asked for, used once, recovered, given up and reset."""

import html
import re
from base64 import b32decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from werkzeug.test import TestResponse

from edge.people import factors, totp
from edge.people import store as people
from edge.web.manage import second_factor

from .conftest import PASSWORD, STORE, Browser, Clock, Shop, opened

OFFERED = re.compile(r'name="offered" value="([0-9a-f]+)"')
TYPED = re.compile(r'class="typed"[^>]*>([A-Z2-7 ]+)<')
GRANT = re.compile(r'name="grant" value="([^"]+)"')
CODE = re.compile(r"<code>(\d-[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>")


@dataclass
class Phone:
    """An authenticator app."""

    clock: Clock
    secret: bytes

    def code(self, steps: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_at(self.clock.now) + steps)


def set_up(shop: Shop, browser: Browser) -> tuple[Phone, list[str]]:
    page = browser.get("/manage/own/second-factor").text
    (typed,), (offered,) = TYPED.findall(page), OFFERED.findall(page)
    phone = Phone(shop.clock, b32decode(typed.replace(" ", "")))
    done = browser.post("/manage/own/second-factor", offered=offered, code=phone.code())
    assert done.status_code == 200, done.text
    return phone, CODE.findall(done.text)


def password(shop: Shop, name: str = "Mira") -> tuple[Browser, str]:
    """A browser that typed the right password, and what lets it go on."""
    browser = Browser(shop.app)
    answer = browser.sign_in_at_desk(name)
    assert answer.status_code == 200 and browser.get("/manage/log").status_code == 303
    return browser, html.unescape(GRANT.findall(answer.text)[0])


def go_on(browser: Browser, grant: str, code: str, name: str = "Mira") -> TestResponse:
    return browser.post("/manage/sign-in/code", name=name, grant=grant, code=code)


def audited(shop: Shop) -> list[object]:
    return [row[0] for row in shop.read("SELECT what FROM audit WHERE what LIKE 'person.%' ORDER BY id")]


@pytest.fixture
def phone(shop: Shop, mira: Browser) -> Phone:
    found, _ = set_up(shop, mira)
    shop.clock.pass_(minutes=2)
    return found


@pytest.fixture
def strict(tmp_path: Path, clock: Clock, hashes: tuple[str, str]) -> Iterator[Shop]:
    """A store in which managers need a second factor."""
    with opened(tmp_path, clock, hashes) as shop:
        room = shop.services
        web = msgspec.structs.replace(room.config.web, second_factor="required")
        room.config = msgspec.structs.replace(room.config, web=web)
        yield shop


def test_a_manager_with_a_second_factor_signs_in_with_password_and_code(shop: Shop, phone: Phone) -> None:
    browser, grant = password(shop)
    assert go_on(browser, grant, phone.code()).location == "/manage/floor"
    assert browser.get("/manage/log").status_code == 200
    assert shop.read("SELECT count(*) FROM session WHERE strong") == [(2,)]


def test_a_code_counts_once_and_an_older_one_no_more(shop: Shop, phone: Phone) -> None:
    code = phone.code()
    assert go_on(*password(shop), code).status_code == 303
    refused = go_on(*password(shop), code)
    assert refused.status_code == 403 and "does not count" in refused.text
    assert go_on(*password(shop), phone.code(-1)).status_code == 403
    shop.clock.pass_(seconds=30)
    assert go_on(*password(shop), phone.code()).status_code == 303


def test_the_code_that_set_it_up_signs_nobody_in(shop: Shop, mira: Browser) -> None:
    phone, _ = set_up(shop, mira)
    assert go_on(*password(shop), phone.code()).status_code == 403


def test_a_code_without_the_password_or_with_anothers_opens_nothing(shop: Shop, phone: Phone) -> None:
    browser, grant = password(shop)
    assert go_on(Browser(shop.app), grant, phone.code()).status_code == 400
    assert go_on(browser, "", phone.code()).status_code == 403
    assert go_on(browser, "17-beef", phone.code()).status_code == 403
    assert go_on(browser, grant, phone.code(), name="Sofia").status_code == 403
    shop.clock.pass_(minutes=11)
    stale = go_on(browser, grant, phone.code())
    assert stale.status_code == 403 and "Type your password again" in stale.text


def test_a_new_password_ends_what_the_old_one_began(
    shop: Shop, phone: Phone, hashes: tuple[str, str]
) -> None:
    browser, grant = password(shop)
    shop.write(lambda conn: people.set_password(conn, STORE, shop.people["Mira"].id, hashes[0]))
    assert go_on(browser, grant, phone.code()).status_code == 403


def test_guessing_codes_is_slowed_down_as_guessing_passwords_is(shop: Shop, phone: Phone) -> None:
    browser, grant = password(shop)
    wrong = f"{(int(phone.code()) + 5) % 10**6:06}"
    assert [go_on(browser, grant, wrong).status_code for _ in range(6)] == [403] * 5 + [429]
    assert Browser(shop.app).sign_in_at_desk("Mira").status_code == 429


def test_each_of_ten_recovery_codes_signs_in_once(shop: Shop, mira: Browser) -> None:
    _, codes = set_up(shop, mira)
    assert len(set(codes)) == 10
    assert go_on(*password(shop), codes[3].upper().replace("-", " ")).status_code == 303
    assert go_on(*password(shop), codes[3]).status_code == 403
    assert go_on(*password(shop), codes[4][:-1] + "!").status_code == 403
    ((words,),) = shop.read("SELECT words FROM audit WHERE what = 'person.recovery_code_used'")
    assert words == "Mira signed in with a recovery code; 9 are left."


def test_neither_secrets_nor_codes_stand_in_the_database(shop: Shop, mira: Browser) -> None:
    phone, codes = set_up(shop, mira)
    ((sealed,),) = shop.read("SELECT sealed FROM second_factor")
    assert isinstance(sealed, bytes) and phone.secret not in sealed
    hashed = [row[0] for row in shop.read("SELECT code_hash FROM recovery_code")]
    assert len(hashed) == 10 and all(str(one).startswith("$argon2id$") for one in hashed)
    assert not any(factors.tidy(code) in str(one) for code in codes for one in hashed)
    with pytest.raises(factors.WrongKey):
        shop.services.seal.open(sealed, shop.people["Sofia"].id)


def test_with_the_key_lost_recovery_codes_still_let_in(shop: Shop, mira: Browser) -> None:
    phone, codes = set_up(shop, mira)
    shop.clock.pass_(minutes=2)
    shop.services.seal = factors.Seal("ab" * 32)
    refused = go_on(*password(shop), phone.code())
    assert refused.status_code == 403 and "Use a recovery code" in refused.text
    assert go_on(*password(shop), codes[0]).status_code == 303


def test_it_counts_only_once_a_code_has_proven_it(shop: Shop, mira: Browser) -> None:
    page = mira.get("/manage/own/second-factor").text
    offered = OFFERED.findall(page)[0]
    secret = shop.services.seal.open(bytes.fromhex(offered), shop.people["Mira"].id)
    late = totp.code_at(secret, totp.step_at(shop.clock.now) - 9)
    again = mira.post("/manage/own/second-factor", offered=offered, code=late)
    assert again.status_code == 400 and OFFERED.search(again.text)
    assert TYPED.findall(again.text) == TYPED.findall(page), "the phone that has scanned it needs no other"
    assert Browser(shop.app).sign_in_at_desk("Mira").status_code == 303
    for forged in ("", "zz", "00" * 40):
        assert mira.post("/manage/own/second-factor", offered=forged, code="123456").status_code == 400


def test_setting_it_up_ends_every_other_session_at_the_desk(shop: Shop, mira: Browser) -> None:
    other = Browser(shop.app)
    other.sign_in_at_desk("Mira")
    set_up(shop, mira)
    assert mira.get("/manage/log").status_code == 200
    assert other.get("/manage/log").status_code == 303


def test_it_is_given_up_with_a_code_and_not_without(shop: Shop, mira: Browser, phone: Phone) -> None:
    assert mira.get("/manage/own/second-factor").status_code == 409
    assert mira.post("/manage/own/give-up", code="000000").status_code == 403
    assert mira.post("/manage/own/give-up", code=phone.code()).location == "/manage/own"
    assert Browser(shop.app).sign_in_at_desk("Mira").status_code == 303
    assert audited(shop) == ["person.second_factor_set", "person.second_factor_given_up"]


def test_new_recovery_codes_end_the_earlier_ones(shop: Shop, mira: Browser) -> None:
    _, codes = set_up(shop, mira)
    renewed = CODE.findall(mira.post("/manage/own/codes", code=codes[0]).text)
    assert len(renewed) == 10 and not set(renewed) & set(codes)
    assert go_on(*password(shop), codes[1]).status_code == 403
    assert go_on(*password(shop), renewed[1]).status_code == 303


def test_codes_are_guessed_at_the_own_page_no_faster(shop: Shop, mira: Browser, phone: Phone) -> None:
    answers = [
        mira.post("/manage/own/give-up", code="000000", name=f"Somebody {turn}").status_code
        for turn in range(6)
    ]
    assert answers == [403] * 5 + [429]


def test_where_it_is_required_a_manager_reaches_nothing_before_it_is_set_up(strict: Shop) -> None:
    browser = Browser(strict.app)
    assert browser.sign_in_at_desk("Mira").status_code == 303
    for path in ("/manage/", "/manage/log", "/manage/evidence", "/manage/own"):
        assert browser.get(path).location == "/manage/own/second-factor"
    browser.get("/manage/own/second-factor")
    refused = browser.post("/manage/zones", name="cellar", title="Cellar")
    assert refused.status_code == 403 and "Set up your second factor first" in refused.text
    stream = browser.client.get("/manage/stream", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 403
    set_up(strict, browser)
    assert browser.get("/manage/log").status_code == 200


def test_a_supervisor_may_have_one_and_need_not(strict: Shop) -> None:
    browser = Browser(strict.app)
    browser.sign_in_at_desk("Sofia")
    assert browser.get("/manage/log").status_code == 200
    phone, _ = set_up(strict, browser)
    strict.clock.pass_(minutes=2)
    assert go_on(*password(strict, "Sofia"), phone.code(), "Sofia").status_code == 303


def test_given_up_where_it_is_required_it_is_set_up_anew(strict: Shop) -> None:
    browser = Browser(strict.app)
    browser.sign_in_at_desk("Mira")
    phone, _ = set_up(strict, browser)
    strict.clock.pass_(minutes=2)
    browser.get("/manage/own")
    browser.post("/manage/own/give-up", code=phone.code())
    assert browser.get("/manage/log").location == "/manage/own/second-factor"


def test_an_admin_resets_anothers_and_nobody_their_own(
    shop: Shop, mira: Browser, phone: Phone, second: Browser
) -> None:
    person = f"/manage/people/{shop.people['Mira'].id}"
    mira.get(person)
    own = mira.post(f"{person}/second_factor")
    assert own.status_code == 403 and "Nobody resets their own" in own.text
    assert "Reset second factor" in second.get(person).text
    assert second.post(f"{person}/second_factor").status_code == 303
    assert mira.get("/manage/log").status_code == 303, "out at once"
    assert Browser(shop.app).sign_in_at_desk("Mira").status_code == 303
    assert second.post(f"{person}/second_factor").status_code == 409
    assert audited(shop)[-1] == "person.second_factor_reset"


def test_a_manager_resets_a_supervisors_and_not_an_admins(shop: Shop, mira: Browser, second: Browser) -> None:
    set_up(shop, second)
    ((admin,),) = shop.read("SELECT id FROM person WHERE name = 'Adam'")
    mira.get(f"/manage/people/{admin}")
    assert mira.post(f"/manage/people/{admin}/second_factor").status_code == 403
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    set_up(shop, sofia)
    assert mira.post(f"/manage/people/{shop.people['Sofia'].id}/second_factor").status_code == 303


def test_a_stolen_database_row_of_another_person_proves_nothing(shop: Shop, phone: Phone) -> None:
    with shop.services.read() as conn:
        mine = factors.held(conn, STORE, shop.people["Mira"].id)
    assert mine and not second_factor.proves(shop.services, shop.people["Sofia"], phone.code())


def test_other_browsers_are_listed_and_one_is_signed_out(shop: Shop, mira: Browser) -> None:
    other = Browser(shop.app)
    other.client.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    )
    other.sign_in_at_desk("Mira")
    page = mira.get("/manage/own").text
    assert "Firefox on Windows" in page and page.count("this browser") == 1
    (end,) = re.findall(r'action="(/manage/own/sessions/[0-9a-f]+/end)"', page)
    assert mira.post(end).status_code == 303
    assert other.get("/manage/log").status_code == 303 and mira.get("/manage/log").status_code == 200
    assert mira.post(end).status_code == 404


def test_nobody_ends_anothers_session(shop: Shop, mira: Browser) -> None:
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    ((key,),) = shop.read(
        "SELECT token_sha256 FROM session WHERE person = :person", person=shop.people["Sofia"].id
    )
    mira.get("/manage/own")
    assert mira.post(f"/manage/own/sessions/{str(key)[:16]}/end").status_code == 404
    assert sofia.get("/manage/log").status_code == 200


def test_a_phone_with_an_open_request_is_not_signed_out_from_the_desk(shop: Shop) -> None:
    browser = Browser(shop.app)
    browser.sign_in(shop.people["Sofia"])
    browser.sign_in_at_desk("Sofia", PASSWORD)
    request = shop.raise_request("Sofia")
    browser.post(f"/floor/requests/{request}/acknowledge")
    page = browser.get("/manage/own").text
    (end,) = re.findall(r'action="(/manage/own/sessions/[0-9a-f]+/end)"', page)
    refused = browser.post(end)
    assert refused.status_code == 409 and "hand it over first" in refused.text
    assert browser.get("/floor/").status_code == 200
