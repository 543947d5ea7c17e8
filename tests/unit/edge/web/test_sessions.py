"""Sessions after the sign-in: how long they last, who sees and ends them, and what is written down of it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge.tokens import store as tokens

from .conftest import PASSWORD, STORE, Browser, Clock, Shop, opened

END = re.compile(r'action="(/[a-z]+/(?:own|people/[0-9a-f-]+)/sessions/[0-9a-f]+/end)"')


@pytest.fixture
def idle(tmp_path: Path, clock: Clock, hashes: tuple[str, str]) -> Iterator[Shop]:
    """A store whose desk signs out whoever does nothing for half an hour."""
    with opened(tmp_path, clock, hashes, desk_idle_minutes=30) as shop:
        yield shop


def audited(shop: Shop) -> list[object]:
    shop.services.errands.record_noted()
    query = "SELECT through, words FROM audit WHERE what LIKE 'session.%' ORDER BY id"
    return [tuple(row) for row in shop.read(query)]


def works(shop: Shop, browser: Browser) -> bool:
    """Whether this deed at the desk is let in; what it puts off is written down."""
    answer = browser.get("/manage/log")
    shop.services.errands.record_ends()
    return answer.status_code == 200


def test_the_desk_signs_out_whoever_does_nothing_and_nobody_who_works(idle: Shop) -> None:
    mira = Browser(idle.app)
    mira.sign_in_at_desk("Mira")
    for _ in range(3):
        idle.clock.pass_(minutes=29)
        assert works(idle, mira)
    idle.clock.pass_(minutes=30)
    assert not works(idle, mira)


def test_what_a_page_draws_by_itself_keeps_nobody_signed_in(idle: Shop) -> None:
    mira = Browser(idle.app)
    mira.sign_in_at_desk("Mira")
    idle.clock.pass_(minutes=20)
    assert mira.get("/manage/floor", **{"HX-Request": "true"}).status_code == 200
    mira.client.get("/manage/devices/strip", headers={"Accept": "*/*"})
    idle.services.errands.record_ends()
    idle.clock.pass_(minutes=10)
    assert not works(idle, mira)


def test_however_much_is_done_a_session_dies_with_the_shift(idle: Shop) -> None:
    mira = Browser(idle.app)
    mira.sign_in_at_desk("Mira")
    for _ in range(23):
        idle.clock.pass_(minutes=26)
        assert works(idle, mira)
    ((until,),) = idle.read("SELECT expires_at - started_at FROM session")
    assert timedelta(microseconds=int(str(until))) == timedelta(hours=10)
    idle.clock.pass_(minutes=2)
    assert not works(idle, mira)


def test_a_phone_stays_signed_in_however_long_it_lies_still(idle: Shop) -> None:
    ana = Browser(idle.app)
    ana.sign_in(idle.people["Ana"])
    idle.clock.pass_(hours=9, minutes=59)
    assert ana.get("/floor/").status_code == 200
    idle.clock.pass_(minutes=2)
    assert ana.get("/floor/").status_code == 303


def test_a_sign_in_is_another_session_whatever_cookie_the_browser_had(shop: Shop, visitor: Browser) -> None:
    visitor.client.set_cookie("floorbell_manage", "chosen-by-somebody-else", path="/manage")
    visitor.sign_in_at_desk("Mira")
    first = visitor.client.get_cookie("floorbell_manage", path="/manage").value
    assert first != "chosen-by-somebody-else"
    visitor.sign_in_at_desk("Mira")
    assert visitor.client.get_cookie("floorbell_manage", path="/manage").value != first
    assert shop.read("SELECT count(*) FROM session") == [(1,)]


def test_an_associate_sees_their_phones_and_signs_one_out(shop: Shop, ana: Browser) -> None:
    other = Browser(shop.app)
    other.sign_in(shop.people["Ana"])
    page = ana.get("/floor/own").text
    assert page.count("This is where you are now.") == 1
    (end,) = END.findall(page)
    assert ana.post(end).location == "/floor/own?done=ended"
    assert other.get("/floor/").status_code == 303 and ana.get("/floor/").status_code == 200
    assert ana.post(end).status_code == 404


def test_nobody_signs_out_another_persons_phone_from_a_phone(shop: Shop, ana: Browser, marc: Browser) -> None:
    ((key,),) = shop.read("SELECT token_sha256 FROM session WHERE person = :p", p=shop.people["Marc"].id)
    ana.get("/floor/own")
    assert ana.post(f"/floor/own/sessions/{str(key)[:16]}/end").status_code == 404
    assert marc.get("/floor/").status_code == 200


def test_a_manager_sees_where_somebody_is_signed_in_and_ends_it(
    shop: Shop, mira: Browser, ana: Browser
) -> None:
    (end,) = END.findall(mira.get(f"/manage/people/{shop.people['Ana'].id}").text)
    assert mira.post(end).status_code == 303
    assert ana.get("/floor/").status_code == 303
    assert shop.read("SELECT presence FROM person WHERE name = 'Ana'") == [("off",)]
    assert ("desk", "Ana was signed out of a phone (A browser, since 10:00 UTC).") in audited(shop)


def test_the_last_phone_of_whoever_is_coming_is_not_ended(shop: Shop, mira: Browser, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    (end,) = END.findall(mira.get(f"/manage/people/{shop.people['Ana'].id}").text)
    refused = mira.post(end)
    assert refused.status_code == 409 and "A new PIN signs Ana out meanwhile." in refused.text
    second = Browser(shop.app)
    second.sign_in(shop.people["Ana"])
    assert mira.post(end).status_code == 303 and second.get("/floor/").status_code == 200


def test_who_ends_whose_is_as_with_passwords(shop: Shop, mira: Browser, second: Browser) -> None:
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    ((admin, key),) = shop.read(
        "SELECT p.id, s.token_sha256 FROM person p JOIN session s ON s.person = p.id WHERE p.name = 'Adam'"
    )
    assert not END.findall(mira.get(f"/manage/people/{admin}").text), "an admin's are an admin's"
    end = f"/manage/people/{admin}/sessions/{str(key)[:16]}/end"
    assert mira.post(end).status_code == 403
    assert not END.findall(sofia.get(f"/manage/people/{shop.people['Ana'].id}").text)
    sofia.get("/manage/people")
    assert sofia.post(end).status_code == 403
    assert END.findall(second.get(f"/manage/people/{shop.people['Mira'].id}").text)


def test_sign_ins_on_phones_and_sign_outs_are_written_down(shop: Shop, ana: Browser) -> None:
    ana.post("/floor/sign-out")
    assert audited(shop) == [
        ("phone", "Ana signed out of a phone."),
        ("phone", "Ana signed in on a phone, asked from 127.0.0.1."),
    ]


def test_a_new_password_ends_what_the_old_one_began(shop: Shop, mira: Browser, second: Browser) -> None:
    second.get(f"/manage/people/{shop.people['Mira'].id}")
    assert second.post(f"/manage/people/{shop.people['Mira'].id}/password").status_code == 200
    assert mira.get("/manage/log").status_code == 303


def test_programs_with_the_scope_see_who_has_a_second_factor_and_who_is_signed_in(
    shop: Shop, mira: Browser
) -> None:
    secrets = {name: tokens.fresh() for name in ("admin", "read:store", "write:people")}

    def grant(name: str) -> None:
        key = tokens.key_of(secrets[name])
        shop.write(lambda conn: tokens.add(conn, STORE, name, [name], key, "Mira", shop.clock.now))

    for name in secrets:
        grant(name)
    client = shop.app.test_client()

    def ask(scope: str, path: str, method: str = "GET") -> tuple[int, dict[str, list[dict[str, object]]]]:
        headers = {"Authorization": f"Bearer {secrets[scope]}"}
        found = client.open(f"/api/v1/people{path}", method=method, headers=headers)
        return found.status_code, found.json or {}

    id_ = shop.people["Sofia"].id
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia", PASSWORD)
    status, found = ask("admin", "-second-factors")
    assert status == 200 and [one["name"] for one in found["people"]] == ["Mira", "Sofia"]
    assert not any(one["authenticator_app"] or one["passkeys"] for one in found["people"])
    (one,) = ask("admin", f"/{id_}/sessions")[1]["sessions"]
    assert (one["audience"], one["second_factor"]) == ("manage", False)
    assert ask("read:store", "-second-factors")[0] == ask("read:store", f"/{id_}/sessions")[0] == 403
    assert ask("write:people", f"/{id_}/sessions/{one['id']}/end", "POST")[0] == 204
    assert sofia.get("/manage/log").status_code == 303
