"""Every address that names something: what belongs to another store, to somebody else, or to those whom a
silent call pages, is not there. From the table of roles and addresses, so that a new address says here what
it names."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from deploy.demo import shop as demo
from deploy.provision import writing
from edge import create_app
from edge.config import EdgeConfig
from edge.db import tables
from edge.people import passkeys, sessions
from edge.people import store as people
from edge.people.details import ROLES
from edge.people.passkeys import Passkey
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web.access import COOKIES
from edge.web.admission import PAGES
from edge.web.api import admissions
from edge.web.api.routes import ROUTES
from edge.web.api.routing import Route
from edge.web.api.schemas import sample
from tests.rig import furnished

from .callers import FLEETING
from .conftest import TOKEN

TABLE = PAGES | admissions()
# What an argument of the pages names: things of furnished.furnish(), and of more() below.
NAMES: Mapping[str, tuple[str, ...]] = {
    "person_id": ("Marta", "Helen"),
    "request_id": ("waiting", "alarm", "called", "mine"),
    "interaction_id": ("waiting", "alarm", "done", "greeted"),
    "incident_id": ("case", "complaint"),
    "trouble_id": ("trouble",),
    "passkey_id": ("passkey",),
    "session_id": ("session",),
    "clip_id": ("sealed",),
    "hold_id": ("hold",),
    "export_id": ("exported",),
    "drill_id": ("drill_failed",),
    "delivery_id": ("outside",),
    "token_id": ("token",),
    "number": ("number",),
    "sign": ("done_sign", "open_sign"),
    "code": ("code",),
    "session": ("session",),
}
# The same where they are named alike: of the pages by their address, of the API by its first word.
OF_PAGES = {"manage.evidence_access": "access", "manage.device": "device", "manage.zones": "zone"}
OF_API = {
    "people": ("Marta",), "interactions": ("waiting", "alarm"), "evidence": ("sealed",), "holds": ("hold",),
    "exports": ("exported",), "incidents": ("case",), "drills": ("drill_failed",), "outside": ("outside",),
    "tokens": ("token",), "access-requests": ("access",), "troubles": ("trouble",), "devices": ("device",),
    "zones": ("zone",),
}  # fmt: skip
ACTS = {
    "manage.incidents_act": ("write", "close", "reopen", "link", "ask", "check"),
    "manage.evidence_access_act": ("extend", "answer", "close", "reopen"),
    "manage.device_act": ("move", "pager", "identify", "replay", "maintain", "revoke"),
    "manage.people_act": (
        "pin", "second_pin", "password", "disable", "enable", "presence", "second_factor",
    ),
}  # fmt: skip
NAME_NOTHING = {
    "static": "files of the program",
    "manage.own_act": "their own sign-in",
    "manage.devices_updates_do": "a release of this store, in the form",
    "manage.policy_one": "each store has each policy",
    "manage.policy_do": "each store has each policy",
    "api.policy_read": "each store has each policy",
    "api.policy_set": "each store has each policy",
    "api.policy_reset": "each store has each policy",
    "api.policy_preview": "each store has each policy",
    "manage.outside_test": "a channel of edge.toml",
    "api.outside_test": "a channel of edge.toml",
}
# Answered alike whether or not it is there: there is nothing to be seen any more, and no look at this clip.
ANSWERED_ALIKE = {"floor.trouble_seen": 303, "manage.evidence_video": 403, "api.footage": 403}
NEVER = "0193b0c0-0000-7000-8000-000000000000"
# Faulty before it is looked for: a form as empty as a test sends it, or a grant that is none.
SAYS_LESS = {400, 403, 409, 422}
FORM = {"text": "words", "reason": "because", "why": "because", "presence": "available", "outcome": "helped"}


@dataclass(frozen=True)
class Case:
    """One address with what it names filled in."""

    endpoint: str
    method: str
    path: str


class Two:
    """A furnished store, and another one in the same database whose people and programs ask for its
    things."""

    def __init__(self, config: EdgeConfig, names: dict[str, str]) -> None:
        self.names = names
        self.furnished = config
        self.own = create_app(config)
        self.other = create_app(msgspec.structs.replace(config, store="elsewhere", title="Another store"))
        self.now = datetime.now(UTC)

    def browser(self, app: Flask, role: str, person: str | None = None) -> FlaskClient:
        """Signed in on a phone and, if the role may, at the desk: as somebody new, or as this person."""
        client, store = app.test_client(), app.extensions["floorbell"].store
        with writing(self.furnished) as conn:
            someone = people.by_id(conn, store, person) if person else None
            someone = someone or people.add(conn, store, f"Somebody {role}", role, self.now)
            for audience, cookie in COOKIES.items():
                if audience == "floor" or someone.role in people.DESK_ROLES:
                    token = sessions.start(conn, someone, audience, self.now, 10, present=False, strong=True)
                    client.set_cookie(cookie, token, path=f"/{audience}")
        return client

    def program(self, app: Flask, *without: str) -> dict[str, str]:
        """The header of a token that may do everything but this."""
        secret = tokens.fresh()
        with writing(self.furnished) as conn:
            store, key = app.extensions["floorbell"].store, tokens.key_of(secret)
            scopes = [scope for scope in SCOPES if scope not in without]
            tokens.add(conn, store, f"All but {without}", scopes, key, "somebody", self.now)
        return {"Authorization": f"Bearer {secret}"}

    def kept(self) -> dict[str, int]:
        """A print of every row of the furnished store."""
        found = {}
        with self.own.extensions["floorbell"].read() as conn:
            for table in tables.metadata.sorted_tables:
                query = sa.select(table)
                if "store" in table.c:
                    query = query.where(table.c.store == self.furnished.store)
                found[table.name] = hash(tuple(sorted(map(repr, conn.execute(query)))))
        return found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    config = furnished.empty(tmp_path_factory.mktemp("o") / "s")
    names = furnished.furnish(config)
    found = Two(config, names | more(config, names))
    yield found
    for app in (found.own, found.other):
        app.extensions["floorbell"].stop()


def more(config: EdgeConfig, names: dict[str, str]) -> dict[str, str]:
    """What furnish() leaves out: Helen's session and passkey, a token, and what has no name there."""
    now = datetime.now(UTC)
    with writing(config) as conn:
        helen = people.by_id(conn, config.store, names["Helen"])
        assert helen is not None
        key = sessions.key_of(sessions.start(conn, helen, "manage", now, 10))
        made = Passkey(helen.id, b"one of hers", b"", "localhost", "Hers", 0, now)
        passkeys.put(conn, config.store, made)
        conn.execute(sa.text("UPDATE interaction SET silent = TRUE WHERE id = :id"), {"id": names["alarm"]})
        secret = tokens.key_of(tokens.fresh())
        tokens.add(conn, config.store, "Head office", ["read:log"], secret, "Helen", now)

        def one(query: str) -> str:
            return str(conn.execute(sa.text(query), {"id": names["done"]}).scalars().first())

        return {
            "session": key[:16],
            "passkey": made.id,
            "token": one("SELECT id FROM token WHERE name = 'Head office'"),
            "trouble": one("SELECT id FROM trouble"),
            "hold": one("SELECT id FROM hold"),
            "code": one("SELECT reference FROM interaction WHERE id = :id"),
            "device": "kiosk-tills",
            "zone": "tills",
        }


def cases(two: Two, only: str = "") -> Iterator[Case]:
    """Every address that names something, with each thing; KeyError for one that does not say what it
    names."""
    for rule in two.other.url_map.iter_rules():
        asked = re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
        if not asked or rule.endpoint in NAME_NOTHING or not rule.endpoint.startswith(only):
            continue
        values = [_values(rule.endpoint, rule.rule, argument) for argument in asked]
        for chosen in product(*values):
            path = rule.rule
            for argument, value in zip(asked, chosen, strict=True):
                path = re.sub(rf"<(\w+:)?{argument}>", two.names.get(value, value), path)
            for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
                yield Case(rule.endpoint, method, path)


def _values(endpoint: str, rule: str, argument: str) -> tuple[str, ...]:
    if argument == "act":
        return ACTS[endpoint]
    if argument == "kind":
        return ("help",)
    if argument in ("id", "name") and endpoint.startswith("api."):
        return OF_API[rule.split("/")[3]]
    if argument in ("name", "request_id") and endpoint.startswith("manage."):
        return (next(thing for part, thing in OF_PAGES.items() if endpoint.startswith(part)),)
    return NAMES[argument]


def ask(
    client: FlaskClient, case: Case, headers: Mapping[str, str], more: Mapping[str, Any] | None = None
) -> tuple[int, str]:
    if case.endpoint.startswith("api."):
        body = bodies().get(case.endpoint)
        body = {**body, **(more or {})} if isinstance(body, dict) else body
        found = client.open(case.path, method=case.method, json=body, headers=headers)
    elif case.method == "GET":
        found = client.get(case.path, headers={"Accept": "text/html"})
    else:
        room = case.path.split("/")[1]
        door = {"floor": "/floor/sign-in", "manage": "/manage/sign-in", "f": "/f/"}[room]
        token = TOKEN.findall(client.get(door, headers={"Accept": "text/html"}).text)[0]
        form = {"csrf_token": token, **FORM}
        found = client.post(case.path, data=form, headers={"Accept": "text/html", "Floorbell-Call": "1"})
    return found.status_code, found.text


def _lasting(text: str) -> str:
    """Without what differs between any two answers."""
    return FLEETING.sub("", text)


def of_api(route: Route, names: Mapping[str, str]) -> Iterator[str]:
    """The addresses of a route of the API, with what it names."""
    asked = re.findall(r"{(\w+)}", route.path)
    rule = f"/api/v1{route.path}"
    for chosen in product(*(_values(f"api.{route.name}", rule, argument) for argument in asked)):
        path = rule
        for argument, value in zip(asked, chosen, strict=True):
            path = path.replace(f"{{{argument}}}", names.get(value, value))
        yield path


def bodies() -> dict[str, Any]:
    """For each address of the API a body that it takes."""
    kinds = [route.body for route in ROUTES if route.body]
    found, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    by_kind = dict(zip(kinds, found, strict=True))
    return {f"api.{route.name}": sample(by_kind[route.body], schemas) for route in ROUTES if route.body}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_another_stores_is_not_there_for_anybody(two: Two, role: str) -> None:
    client, before, answers = two.browser(two.other, role), two.kept(), 0
    for case in cases(two):
        admission = TABLE[case.endpoint]
        if admission.audience == "token" or (admission.audience != "public" and not admission.lets_in(role)):
            continue
        if admission.audience == "manage" and role not in people.DESK_ROLES:
            continue
        if admission.audience == "public" and role != "manager":
            continue
        status, text = ask(client, case, {})
        if case.endpoint in ANSWERED_ALIKE:
            assert status == ANSWERED_ALIKE[case.endpoint]
        else:
            assert status == 404 or (case.method == "POST" and status in SAYS_LESS), (case, status)
        assert demo.TITLE not in text and "Marta" not in text, case
        answers += 1
    assert answers > 30 and two.kept() == before


def test_what_is_another_stores_is_not_there_for_any_program(two: Two) -> None:
    headers, before, answers = two.program(two.other), two.kept(), 0
    for case in cases(two, "api."):
        status, text = ask(two.other.test_client(), case, headers)
        if TABLE[case.endpoint].audience == "token":
            assert status == 404 or (case.method != "GET" and status in SAYS_LESS), (case, status, text)
            answers += status == 404
        assert demo.TITLE not in text and "Marta" not in text, case
    assert answers > 50 and two.kept() == before


def test_what_is_another_persons_own_is_not_there(two: Two) -> None:
    mine = [case for case in cases(two) if ".own_" in case.endpoint]
    theirs = {"floor.own_end", "manage.own_end", "manage.own_passkey_remove"}
    assert {case.endpoint for case in mine} == theirs
    client, before = two.browser(two.own, "admin"), two.kept()
    for case in mine:
        assert ask(client, case, {})[0] == 404, case
    assert two.kept() == before


def test_of_a_silent_call_an_associate_whom_it_does_not_page_finds_nothing(two: Two) -> None:
    client = two.browser(two.own, "associate")
    # A kiosk's, and Luka's own from his phone.
    silent, i = (two.names["alarm"], two.names["called"]), tables.interaction.c
    with two.own.extensions["floorbell"].read() as conn:
        codes = conn.execute(sa.select(i.reference).where(i.id.in_(silent), i.silent)).scalars().all()
    before, tried = two.kept(), 0
    for case in cases(two, "floor."):
        if alarm := next((one for one in silent if one in case.path), None):
            never = Case(case.endpoint, case.method, case.path.replace(alarm, NEVER))
            (status, text), known = ask(client, case, {}), ask(client, never, {})
            assert (status, _lasting(text)) == (known[0], _lasting(known[1])), case
            assert status in {404} | SAYS_LESS, case
            tried += 1
    for rule in two.own.url_map.iter_rules():
        looks = "GET" in (rule.methods or ()) and "stream" not in rule.endpoint
        if rule.endpoint.startswith("floor.") and looks and "<" not in rule.rule:
            text = client.get(rule.rule, headers={"Accept": "text/html"}).text
            assert not any(one in text for one in (*silent, *codes)), rule.rule
            tried += 1
    assert len(codes) == 2 and tried > 30 and two.kept() == before


def test_of_a_silent_call_a_program_without_the_scope_finds_nothing(two: Two) -> None:
    headers, client = two.program(two.own, "security"), two.own.test_client()
    alarm, before, tried = two.names["alarm"], two.kept(), 0
    for case in cases(two, "api."):
        admission = TABLE[case.endpoint]
        if alarm in case.path and admission.audience == "token":
            never = Case(case.endpoint, case.method, case.path.replace(alarm, NEVER))
            status, text = ask(client, case, headers)
            known = ask(client, never, headers)
            assert (status, text.replace(alarm, NEVER)) == known, case
            assert status in {404} | SAYS_LESS, case
            tried += 1
    assert tried > 8 and two.kept() == before
