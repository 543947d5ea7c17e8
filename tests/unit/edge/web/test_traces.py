"""Every change that a program asks for leaves exactly the row in the audit that says who, what and through
what, or stands elsewhere as declared, and no secret is in its words. Each deed is done on the same furnished
store. What the desk and phones change by the same rules: test_traces_of_forms.py; what they change alone:
test_traces_of_pages.py."""

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from edge.web.api.routes import ROUTES

from .test_objects import Case, ask, of_api
from .traced import PROGRAM, Deed, Traced, expect, new, no_secret, opened

CUSTODY = "The custody log says it, which nobody can rewrite unseen, with who and why."
STORY = "It stands in the story of the access request, with who and through what; the audit is no second one."
OWN_ROW = "The page's own row says when; each phone does it for each page."
NOTHING = "Nothing is kept of what was sent."
MARTA, NADIA = {"person": "{Marta}"}, {"person": "{Nadia}"}
CALLED, LUKA = {"waiting": "called"}, {"Marta": "Luka"}
POLICY = {"steps": [{"after_s": 0, "who": ["best"]}], "ceiling_s": 300, "repeat_s": None}
FILE = "name,role,zones,languages,badge\nNina,associate,tills,,\n"
DEEDS: Mapping[str, Deed] = {
    "interaction_acknowledge": Deed(("request.acknowledged {waiting#}",), MARTA),
    "interaction_decline": Deed(("request.declined {waiting#}",), MARTA | {"reason": "too-far"}),
    "interaction_attend": Deed(("request.attended {mine#}",), MARTA, {"waiting": "mine"}),
    "interaction_resolve": Deed(
        ("request.resolved {mine#}",), MARTA, {"waiting": "mine"}, ("interaction_attend",)
    ),
    "interaction_hand_over": Deed(
        ("request.handed_over {mine#}",), MARTA | {"to": "{Luka}"}, {"waiting": "mine"}
    ),
    "interaction_take_back": Deed(
        ("request.taken_back {mine#}",), MARTA, {"waiting": "mine"}, ("interaction_hand_over",)
    ),
    "interaction_supervisor": Deed(("request.supervisor_called {mine#}",), MARTA, {"waiting": "mine"}),
    "interaction_call_off": Deed(
        ("request.called_off {interaction#}",), MARTA, {"waiting": "interaction"}, ("supervisor_call",)
    ),
    "interaction_ask_safe": Deed(("silent.asked_whether_safe {called#}",), NADIA, CALLED),
    "interaction_answer_safe": Deed(
        ("silent.answered_whether_safe {called#}",), {"person": "{Luka}", "safe": True}, CALLED
    ),
    "security_call": Deed(("silent.security_called {interaction#}",), MARTA),
    "supervisor_call": Deed(("person.supervisor_called Marta",), MARTA | {"zone": "tills"}),
    "pages_delivered": Deed(
        body={"pages": ["{page}"]},
        holds="SELECT count(*) FROM page WHERE id = '{page}' AND delivered_at IS NOT NULL",
        why=OWN_ROW,
    ),
    "pages_seen": Deed(
        body={"pages": ["{page}"]},
        holds="SELECT count(*) FROM page WHERE id = '{page}' AND seen_at IS NOT NULL",
        why=OWN_ROW,
    ),
    "presence_say": Deed(
        ("person.presence_said Luka",), {"presence": "busy", "minutes": None, "cover": None}, LUKA
    ),
    "feedback_add": Deed(("person.feedback_typed_in Nadia",), NADIA),
    "feedback_give": Deed(("request.rated {code}",)),
    "person_add": Deed(
        ("person.added Nina",), {"role": "associate", "zones": [], "name": "Nina", "badge": None}
    ),
    "people_plan": Deed(body={"csv": FILE}, why=NOTHING),
    "people_import": Deed(
        ("person.added Nina",), {"csv": FILE, "confirmed": "{confirmed}"}, first=("people_plan",)
    ),
    "session_end": Deed(("session.ended Nadia",), of={"Marta": "Nadia", "session": "key16"}, phone="Nadia"),
    "person_change": Deed(
        ("person.changed Luka",), {"role": "associate", "name": "Luka", "zones": ["tills"]}, LUKA
    ),
    "person_disable": Deed(("person.disabled Luka",), of=LUKA),
    "person_enable": Deed(("person.enabled Luka",), of=LUKA, first=("person_disable",)),
    "person_pin": Deed(("person.pin Luka",), of=LUKA),
    "person_second_pin": Deed(("silent.second_pin Luka",), of=LUKA),
    "person_password": Deed(("person.password Nadia",), of={"Marta": "Nadia"}),
    "person_second_factor": Deed(
        ("person.second_factor_reset Nadia",),
        of={"Marta": "Nadia"},
        before=("UPDATE passkey SET person = '{Nadia}'",),
    ),
    "person_presence": Deed(
        ("person.presence Nadia",),
        {"presence": "on_break"},
        {"Marta": "Nadia"},
        phone="Nadia",
    ),
    "evidence_view": Deed(elsewhere=("custody viewed {sealed}",), why=CUSTODY),
    "evidence_hold": Deed(elsewhere=("custody held {sealed}",), why=CUSTODY),
    "hold_ask_release": Deed(elsewhere=("custody release_asked {sealed}",), why=CUSTODY),
    "hold_release": Deed(elsewhere=("custody released {sealed}",), why=CUSTODY),
    "export_ask": Deed(
        body={"clips": ["{sealed}"]},
        elsewhere=("custody exported {sealed}", "custody exported {id}"),
        why=CUSTODY,
    ),
    "export_download": Deed(elsewhere=("custody downloaded {exported}",), why=CUSTODY),
    "access_request_open": Deed(
        body={"zone": "entrance", "received_on": "{today}", "began_at": "{hour_ago}", "ended_at": "{now}"},
        elsewhere=("access_step opened {access_request}",),
        why=STORY,
    ),
    "access_request_extend": Deed(
        body={"told_on": "{month_ago}"}, elsewhere=("access_step extended {access}",), why=STORY
    ),
    "access_request_answer": Deed(
        body={"how": "nothing", "letter": ""},
        before=("UPDATE access_clip SET chosen = FALSE WHERE request = '{access}'",),
        elsewhere=("access_step answered {access}",),
        why=STORY,
    ),
    "access_request_close": Deed(
        of={"access": "access_answered"}, elsewhere=("access_step closed {access_answered}",), why=STORY
    ),
    "access_request_reopen": Deed(
        of={"access": "access_answered"}, elsewhere=("access_step reopened {access_answered}",), why=STORY
    ),
    "incident_open": Deed(("incident.opened Theft",), NADIA | {"about": ""}),
    "incident_correct": Deed(("silent.incident_corrected Theft",), NADIA),
    "incident_write": Deed(
        ("silent.incident_written_into Threat",), NADIA | {"kind": "action", "words": "The door was locked."}
    ),
    "incident_tick": Deed(("silent.incident_ticked Threat",), NADIA | {"check": "witnesses-asked"}),
    "incident_close": Deed(("silent.incident_closed Threat",), NADIA | {"outcome": "police"}),
    "incident_reopen": Deed(("silent.incident_opened_again Threat",), NADIA, first=("incident_close",)),
    "incident_link": Deed(("silent.incident_linked Threat",), NADIA | {"code": "{code}"}),
    "incident_export": Deed(
        elsewhere=("custody exported {id}", "incident_step exported {case}"), why=CUSTODY
    ),
    "incident_ask_account": Deed(
        ("incident.account_asked_for Complaint about staff",), NADIA | {"of": "{Bia}"}, {"case": "complaint"}
    ),
    "zone_add": Deed(("zone.added cellar",), {"name": "cellar", "title": "Cellar"}),
    "zone_change": Deed(("zone.renamed tills",), {"title": "Pay here"}),
    "zone_remove": Deed(("zone.removed cellar",), of={"zone": "cellar"}, first=("zone_add",)),
    "device_move": Deed(("device.moved kiosk-tills",), {"zone": "entrance"}),
    "device_pager": Deed(("device.held kiosk-tills",), {"pager": True, "holder": None}),
    "device_identify": Deed(("device.identified kiosk-tills",)),
    "device_replay": Deed(
        ("device.replayed kiosk-tills",),
        before=(
            "UPDATE device SET heartbeat = json_set(heartbeat, '$.outbox', '{waiting}')"
            " WHERE name = 'kiosk-tills'",
        ),
    ),
    "device_revoke": Deed(("device.revoked kiosk-tills",)),
    "device_maintain": Deed(("device.maintained kiosk-tills",)),
    "trouble_seen": Deed(("person.trouble_seen Nadia",), NADIA),
    "drill_run": Deed(("drill.asked kiosk-entrance",), {"device": "kiosk-entrance"}),
    "plan_set": Deed(("drill.planned plan",), {"plan": {"at": "07:30"}}),
    "agreed_set": Deed(("drill.person Marta",)),
    "policy_set": Deed(("policy.changed help",), {"policy": POLICY}),
    "policy_reset": Deed(("policy.reset help",), first=("policy_set",)),
    "policy_preview": Deed(body={"zone": "tills", "policy": None}, why=NOTHING),
    "outside_test": Deed(("outside.tested guards",), of={"outside": "channel"}),
    "token_add": Deed(("token.added Another",), {"name": "Another", "scopes": ["read:log"]}),
    "token_revoke": Deed(("token.revoked Head office",)),
}
SECRETS = re.compile(r'"(?:pin|second_pin|password|secret|token)":\s*"([^"]+)"')


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    # A short name: the store's sockets stand in this folder, and the path of a socket may have 107 bytes.
    with opened(tmp_path_factory.mktemp("t") / "s") as found:
        yield found


def test_each_change_that_a_program_may_ask_for_says_where_its_trace_is() -> None:
    assert {route.name for route in ROUTES if route.method != "GET"} == DEEDS.keys()


@pytest.mark.parametrize("name", DEEDS)
def test_what_a_program_changes_leaves_exactly_its_trace(traced: Traced, name: str) -> None:
    traced.put_back()
    deed = DEEDS[name]
    for one in deed.first:
        _do(traced, one)
    if deed.phone:
        traced.browser(deed.phone, "floor")
    for statement in deed.before:
        traced.execute(statement)
    before, whole = traced.rows(), traced.whole() if deed.why == NOTHING else {}
    text = _do(traced, name)
    found = new(before, traced.rows())
    expect(traced, deed, found, PROGRAM, "api")
    no_secret(found, [*SECRETS.findall(text), traced.headers["Authorization"].split()[1]])
    if whole:
        assert whole == traced.whole()


def _do(traced: Traced, name: str) -> str:
    """The deed, which is not refused; what it answered is known by name from then on."""
    route = next(one for one in ROUTES if one.name == name)
    deed, client = DEEDS[name], traced.app.test_client()
    names = traced.names | {mine: traced.names.get(other, other) for mine, other in deed.of.items()}
    path = next(of_api(route, names))
    case = Case(f"api.{name}", route.method, path)
    status, text = ask(client, case, traced.headers, traced.filled(dict(deed.body)))
    assert status < 300, (name, status, text)
    answered = json.loads(text) if text.startswith("{") else {}
    for key, value in answered.items():
        id_ = value["id"] if isinstance(value, dict) and "id" in value else value
        if isinstance(id_, str):
            traced.call(key, id_)
    return text
