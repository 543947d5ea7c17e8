"""Every change leaves a trace that says who, what and when: in the audit, in the custody log, or in the story
of the request, incident or access request that it is about. Tried with each change that a program may ask
for, on a furnished store; pages do the same through the same rules (api/test_parity.py)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from deploy.provision import writing
from edge import create_app
from edge.db import tables
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web.admission import PAGES
from edge.web.api.routes import ROUTES
from edge.web.services import Services
from tests.rig import furnished

from .api.test_parity import DOES
from .test_objects import Case, ask, more, of_api

TRACES = ("audit", "custody", "timeline", "incident_step", "incident_entry", "access_step")
# What the sample of a body lacks to be done in this store; names in braces stand for what furnish() made.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "person_add": {"role": "associate", "zones": [], "name": "Nina"},
    "person_change": {"role": "associate", "name": "Luka", "zones": ["tills"]},
    "export_ask": {"clips": ["{sealed}"]},
    "zone_add": {"name": "cellar", "title": "Cellar"},
    "drill_run": {"device": "kiosk-entrance"},
    "device_move": {"zone": "entrance"},
    "incident_tick": {"check": "police-called"},
    "incident_close": {"outcome": "police"},
    "incident_link": {"code": "{code}"},
}
# Done, and not written down by itself: why.
LEAVES_NONE = {
    "pages_delivered": "the page's own row says when",
    "pages_seen": "the page's own row says when",
    "people_plan": "keeps nothing of what it was sent",
    "policy_preview": "keeps nothing of what it was sent",
    "plan_set": "the plan is what it was",
}
# What this store refuses, in the order of the table. Their own tests have stores that do it.
REFUSED = (
    "interaction_decline", "interaction_hand_over", "interaction_take_back", "interaction_supervisor",
    "interaction_call_off", "interaction_ask_safe", "interaction_answer_safe",
    "people_import", "session_end", "person_password", "person_second_factor", "person_presence",
    "hold_release", "export_download",
    "access_request_open", "access_request_extend", "access_request_answer", "access_request_close",
    "access_request_reopen",
    "incident_write", "incident_ask_account",
    "zone_remove", "device_replay", "device_maintain", "policy_set", "outside_test",
)  # fmt: skip
# Changes of the pages that no program asks for: the kind of their row in the audit, or why there is none.
PAGES_ALONE = {
    "floor.sign_in": "session.began",
    "floor.sign_out": "session.ended",
    "manage.sign_in": "session.began",
    "manage.sign_in_code": "session.began",
    "manage.sign_in_passkey": "session.began",
    "manage.sign_out": "session.ended",
    "manage.first_admin_do": "person.added",
    "manage.own_factor_do": "person.second_factor_set",
    "manage.own_act": "person.second_factor_given_up",
    "manage.own_end": "session.ended",
    "manage.own_proof_do": "session.proven",
    "manage.own_passkey_do": "person.passkey_added",
    "manage.own_passkey_remove": "person.passkey_removed",
    "floor.own_end": "session.ended",
    "manage.devices_updates_do": "release.rolled_out",
    "floor.quiet_take_back": "it stands in the request's timeline",
    "floor.speak": "the language of a phone, which its cookie keeps",
    "floor.heard": "a phone's answer to a beat",
    "floor.locked_on": "a phone's own switch, which the desk shows with its person",
    "floor.locked_trial": "a phone's own switch, which the desk shows with its person",
    "floor.locked_off": "a phone's own switch, which the desk shows with its person",
    "floor.locked_renewed": "a phone's own switch, which the desk shows with its person",
    "floor.locked_told": "what a phone says of its pushes; each try has a row",
    "manage.evidence_access_file": "it stands in the custody log",
    "manage.evidence_access_look": "it stands in the custody log",
    "manage.evidence_access_mark": "it stands in the story of the access request",
    "manage.evidence_access_save": "it stands in the story of the access request",
    "manage.evidence_access_watch": "it stands in the custody log",
    "manage.evidence_access_watched": "it stands in the story of the access request",
}


def test_whatever_a_program_changes_leaves_a_trace(tmp_path_factory: pytest.TempPathFactory) -> None:
    # A short name: the store's sockets stand in this folder, and the path of a socket may have 107 bytes.
    config = furnished.empty(tmp_path_factory.mktemp("t") / "s")
    names = furnished.furnish(config)
    names |= more(config, names) | {"Marta": names["Luka"]}
    secret = tokens.fresh()
    with writing(config) as conn:
        key = tokens.key_of(secret)
        tokens.add(conn, config.store, "Everything", list(SCOPES), key, "Helen", datetime.now(UTC))
    app, refused, traceless = create_app(config), [], []
    room, headers = app.extensions["floorbell"], {"Authorization": f"Bearer {secret}"}
    for route in ROUTES:
        if route.method == "GET":
            continue
        # The other one that routes of requests name is silent, and its calls are other people's.
        path = next(one for one in of_api(route, names) if names["alarm"] not in one)
        before = _traces(room)
        case = Case(f"api.{route.name}", route.method, path)
        status, text = ask(app.test_client(), case, headers, _more(route.name, route.body, names))
        assert status < 500, (route.name, text)
        if status >= 400:
            refused.append(route.name)
        elif _traces(room) == before:
            traceless.append(route.name)
    room.stop()
    assert set(traceless) <= set(LEAVES_NONE)
    # What time of day and the machine's pace decide may be refused as well, or not.
    assert len(refused) < len(REFUSED) + 8


def test_each_change_that_only_pages_make_says_where_its_trace_is() -> None:
    alone = {name for name, one in PAGES.items() if one.changes and isinstance(DOES[name], str)}
    assert alone == PAGES_ALONE.keys()


def _more(route: str, body: Any, names: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in BODIES.get(route, {}).items():
        found[name] = (
            [one.format(**names) for one in value] if isinstance(value, list) else value.format(**names)
        )
    if body is not None and "person" in body.__struct_fields__:
        found["person"] = names["Nadia"]
    return found


def _traces(room: Services) -> list[int]:
    with room.read() as conn:
        counts = [sa.select(sa.func.count()).select_from(tables.metadata.tables[one]) for one in TRACES]
        return [conn.execute(count).scalar_one() for count in counts]
