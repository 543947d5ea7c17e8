"""Every role at every address, of this store and of another: answered as the one table says."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from edge.db.store_tables import person
from edge.drills.store import ROLE as RESPONDER
from edge.people import sessions
from edge.people import store as people
from edge.people.details import ROLES
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web import admission
from edge.web.access import COOKIES
from edge.web.admission import PAGES, Admission, NotInTheTable
from edge.web.api import admissions

from .conftest import STORE, Browser, Shop

TABLE = PAGES | admissions()
DESK = ("supervisor", "manager", "admin")


def addresses(shop: Shop) -> Iterator[tuple[str, str, str, Admission]]:
    """Endpoint, method, address and what the table says; each view only says that it was reached."""
    for rule in shop.app.url_map.iter_rules():
        shop.app.view_functions[rule.endpoint] = lambda **_: "reached"
        path = re.sub(r"<[^>]+>", "anything", rule.rule)
        for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
            yield rule.endpoint, method, path, TABLE[rule.endpoint]


def signed_in(shop: Shop, role: str, store: str) -> Browser:
    """A browser with a session on the floor and, if the role may, one at the desk, in this store."""
    browser, now = Browser(shop.app), shop.clock.now
    browser.get("/floor/sign-in")
    browser.get("/manage/sign-in")

    def begin(conn: sa.Connection) -> None:
        # Nobody adds the responder of drills by its role; the drills put it there.
        someone = people.add(conn, store, f"A new {role}", role if role in ROLES else "associate", now)
        conn.execute(person.update().where(person.c.id == someone.id).values(role=role))
        for audience, cookie in COOKIES.items():
            if audience == "floor" or role in DESK:
                token = sessions.start(conn, someone, audience, now, 10)
                browser.client.set_cookie(cookie, token, path=f"/{audience}")

    shop.write(begin)
    return browser


def answer(browser: Browser, method: str, path: str) -> tuple[int, str]:
    token = browser._tokens.get(path.split("/")[1], "")
    headers = {"Accept": "application/json"} | ({"X-CSRFToken": token} if method != "GET" else {})
    found = browser.client.open(path, method=method, headers=headers)
    return found.status_code, found.text


@pytest.mark.parametrize("role", (*ROLES, RESPONDER))
def test_every_role_reaches_what_the_table_says_and_is_told_why_it_does_not(shop: Shop, role: str) -> None:
    browser, tried = signed_in(shop, role, STORE), 0
    for endpoint, method, path, one in addresses(shop):
        if one.audience == "public":
            continue
        status, text = answer(browser, method, path)
        if one.audience == "token":
            assert status == 401, endpoint
        elif one.audience == "manage" and role not in DESK:
            assert (status, text) == (403, "You are signed out; sign in again."), endpoint
        elif one.lets_in(role):
            assert (status, text) == (200, "reached"), endpoint
        else:
            assert (status, text) == (403, one.refusal) and one.refusal, endpoint
        tried += 1
    assert tried > 200


@pytest.mark.parametrize("role", ROLES)
def test_a_session_of_another_store_reaches_nothing_here(shop: Shop, role: str) -> None:
    browser = signed_in(shop, role, "elsewhere")
    for endpoint, method, path, one in addresses(shop):
        if one.audience != "public":
            status, text = answer(browser, method, path)
            assert status in (401, 403) and text != "reached", endpoint


def test_a_token_reaches_what_its_scopes_open_and_only_in_its_own_store(shop: Shop) -> None:
    secrets = {name: tokens.fresh() for name in (*SCOPES, "all", "elsewhere")}

    def grant(conn: sa.Connection) -> None:
        for name, secret in secrets.items():
            store = "elsewhere" if name == "elsewhere" else STORE
            scopes = [one for one in SCOPES if name in ("all", "elsewhere") or one != name]
            tokens.add(conn, store, name, scopes, tokens.key_of(secret), "Mira", shop.clock.now)

    shop.write(grant)
    client, tried = shop.app.test_client(), 0
    for endpoint, method, path, one in addresses(shop):
        if one.audience != "token":
            continue
        # Each token but two lacks the one scope that it is named after.
        for name, secret in secrets.items():
            found = client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"})
            wanted = 401 if name == "elsewhere" else 403 if name in one.scopes else 200
            assert found.status_code == wanted, (endpoint, name)
        tried += 1
    assert tried > 70


def test_a_supervisor_is_kept_from_cameras_tokens_and_what_changes_the_store() -> None:
    kept = {name for name, one in PAGES.items() if one.audience == "manage" and not one.lets_in("supervisor")}
    parts = {name.removeprefix("manage.").split("_")[0] for name in kept}
    assert parts == {
        "evidence",
        "incidents",
        "people",
        "device",
        "devices",
        "drills",
        "zones",
        "policy",
        "outside",
        "tokens",
    }
    assert {"manage.evidence", "manage.evidence_video", "manage.incidents_export", "manage.tokens"} <= kept


def test_an_address_that_is_not_in_the_table_keeps_the_program_from_starting(shop: Shop) -> None:
    rules = [(rule.endpoint, frozenset(rule.methods or ())) for rule in shop.app.url_map.iter_rules()]
    admission.check(TABLE, rules)
    with pytest.raises(NotInTheTable, match=r"manage\.new says nowhere whom it lets in"):
        admission.check(TABLE, [*rules, ("manage.new", frozenset({"GET"}))])
    with pytest.raises(NotInTheTable, match=r"There is no address for manage\.log"):
        admission.check(TABLE, [rule for rule in rules if rule[0] != "manage.log"])
    reading = TABLE | {"manage.log": replace(TABLE["manage.log"], changes=True)}
    with pytest.raises(NotInTheTable, match=r"manage\.log changes something and takes GET"):
        admission.check(reading, rules)


def test_an_address_that_came_after_the_start_is_refused(shop: Shop, mira: Browser) -> None:
    # Flask itself takes no address after its first answer; a part that was put in earlier may have.
    shop.app._got_first_request = False
    shop.app.add_url_rule("/manage/new", "manage.new", lambda: "reached")
    found = mira.get("/manage/new")
    assert found.status_code == 403 and "reached" not in found.text


def test_no_change_of_a_page_is_made_without_the_token_of_its_form(shop: Shop) -> None:
    browser = signed_in(shop, "admin", STORE)
    # They have a proof of their own that they come from here (application.py).
    exempt = {"floor.call", "floor.locked_renewed", "floor.locked_told"}
    tried = 0
    for rule in shop.app.url_map.iter_rules():
        one = TABLE[rule.endpoint]
        if one.changes and one.audience != "token":
            path = re.sub(r"<[^>]+>", "anything", rule.rule)
            found = browser.client.post(path, headers={"Accept": "text/html"})
            refused = found.status_code == 403 if rule.endpoint in exempt else found.status_code == 400
            assert refused and (rule.endpoint in exempt or "nothing was changed" in found.text), rule.endpoint
            tried += 1
    assert tried > 70
