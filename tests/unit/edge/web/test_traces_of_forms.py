"""Forms of the desk and of phones that change what a program may change too (api/test_parity.py): by the same
rules they leave the same rows, through desk or phone; what has a history of its own stands there."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO

import pytest

from edge.web.admission import PAGES

from .api.test_parity import DOES
from .conftest import TOKEN
from .posted import Form, Ready, phone, posts
from .test_traces import CUSTODY, FILE, OWN_ROW, STORY
from .traced import Deed, Traced, expect, new, no_secret, opened

HISTORY = "It stands in the timeline of the request, with who, when and through what."
CASE_FILE = "It stands in the incident itself, with who, when and through what."
OWN_PRESENCE = "Their own word of themselves, which the desk shows with its time."
WHY = {"reason": "Agreed with the manager."}
ASKED = "/manage/access-requests/{access}"
ANSWERED = "/manage/access-requests/{access_answered}"
CLIP = "/manage/evidence/{sealed}"
CASE = "/manage/incidents/{case}"
NOTED = "SELECT count(*) FROM timeline WHERE through = '{}' AND what = '{}' AND person = '{}'"
CALL = "01a00000-0000-7000-8000-00000000000a"


def desk(audit: str, page: str, act: str = "", **more: object) -> Form:
    """A form of `page` that goes to itself, or to an act below it."""
    return Form((audit,), page=f"/manage{page}", post=f"/manage{page}{act}", **more)  # type: ignore[arg-type]


def person(name: str, act: str, kind: str = "", **more: object) -> Form:
    return desk(f"{kind or f'person.{act}'} {name}", f"/people/{{{name}}}", f"/{act}", **more)


def device(act: str, kind: str, **more: object) -> Form:
    return desk(f"device.{kind} kiosk-tills", "/device/kiosk-tills", f"/{act}", **more)


def request(name: str, act: str, what: str, who: str = "Marta", **more: object) -> Form:
    """What somebody does on a phone with a request of theirs."""
    kept = (f"timeline {what} {{{name}}}",)
    return phone((), "/floor/", f"/floor/requests/{{{name}}}/{act}", who, elsewhere=kept, why=HISTORY, **more)


def case(act: str, *kept: str, who: str = "Helen", **more: object) -> Form:
    return Form(
        who=who, page=CASE, post=f"{CASE}/{act}", elsewhere=tuple(f"{one} {{case}}" for one in kept),
        why=CASE_FILE, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def asked(page: str, act: str, *kept: str, **more: object) -> Form:
    return Form(page=page, post=page + act, elsewhere=kept, why=STORY, **more)  # type: ignore[arg-type]


def clip(act: str, *kept: str, **more: object) -> Form:
    return Form(page=CLIP, post=CLIP + act, elsewhere=kept, why=CUSTODY, **more)  # type: ignore[arg-type]


def file_looked_at(traced: Traced) -> Ready:
    """A file of people was looked at, and is to be taken as it was shown."""
    browser, page = traced.browser("Helen"), "/manage/people/import"
    token = TOKEN.findall(browser.get(page).text)[0]
    form = {"csrf_token": token, "file": (BytesIO(FILE.encode()), "people.csv")}
    shown = browser.client.post(page, data=form, headers={"Accept": "text/html"}).text
    (confirmed,) = re.findall(r'name="confirmed" value="([^"]+)"', shown)
    return Ready(browser, page, page + "/confirm", {"text": FILE, "confirmed": confirmed})


# By endpoint; behind a colon, which of its deeds.
DEEDS: Mapping[str, Form] = {
    "manage.people_add_do": desk(
        "person.added Nina", "/people/add", body={"name": "Nina", "role": "manager", "languages": "en"},
        before=("UPDATE person SET role = 'admin' WHERE id = '{Helen}'",),
    ),
    "manage.people_import_do": Form(("person.added Nina",), ready=file_looked_at),
    "manage.people_one_do": desk(
        "person.changed Luka", "/people/{Luka}",
        body={"name": "Luka", "role": "associate", "languages": "en", "zones": ["tills"]},
    ),
    "manage.people_act:pin": person("Luka", "pin"),
    "manage.people_act:second_pin": person("Luka", "second_pin", "silent.second_pin"),
    "manage.people_act:password": person("Nadia", "password"),
    "manage.people_act:disable": person("Bia", "disable", "person.disabled"),
    "manage.people_act:presence": person("Nadia", "presence", body={"presence": "on_break"}, phone="Nadia"),
    "manage.people_act:second_factor": person(
        "Nadia", "second_factor", "person.second_factor_reset",
        before=("UPDATE passkey SET person = '{Nadia}'",),
    ),
    "manage.people_session_end": desk(
        "session.ended Nadia", "/people/{Nadia}", "/sessions/{other16}/end", phone="Nadia"
    ),
    "manage.tokens_add": desk(
        "token.added Another", "/tokens", body={"name": "Another", "scopes": "read:log"}
    ),
    "manage.tokens_revoke": desk("token.revoked Head office", "/tokens", "/{token}/revoke"),
    "manage.zones_add": desk("zone.added cellar", "/zones", body={"name": "cellar", "title": "Cellar"}),
    "manage.zones_change": desk(
        "zone.renamed tills", "/zones", "/tills", body={"title": "Pay here", "neighbours": ["fitting-rooms"]}
    ),
    "manage.zones_remove": desk(
        "zone.removed cellar", "/zones", "/cellar/remove", first=("manage.zones_add",)
    ),
    "manage.device_act:move": device("move", "moved", body={"zone": "entrance"}),
    "manage.device_act:pager": device("pager", "held", body={"holder": "nobody"}),
    "manage.device_act:maintain": device("maintain", "maintained"),
    "manage.device_act:resume": device("resume", "maintained"),
    "manage.device_act:revoke": device("revoke", "revoked", body=WHY),
    "manage.drills_do": desk(
        "drill.asked kiosk-entrance", "/drills",
        body={"do": "run", "device": "kiosk-entrance", "kind": "help", "responder": "test"},
    ),
    "manage.drills_do:people": desk("drill.person Marta", "/drills", body={"do": "people"}),
    "manage.policy_do": desk(
        "policy.changed help", "/policy/help",
        body={"do": "save", "after-0": "0", "who-0": "best", "ceiling": "300", "repeat": ""},
    ),
    "manage.policy_do:file": desk(
        "policy.reset help", "/policy/help", body={"do": "file"}, first=("manage.policy_do",)
    ),
    "manage.outside_test": desk("outside.tested guards", "/outside", "/channels/guards/test"),
    "manage.evidence_view": clip("/view", "custody viewed {sealed}", body=WHY),
    "manage.evidence_hold": clip("/hold", "custody held {sealed}", body=WHY),
    "manage.evidence_ask": clip("/holds/{hold}/ask", "custody release_asked {sealed}", body=WHY),
    "manage.evidence_release": clip(
        "/holds/{hold}/release", "custody released {sealed}",
        before=("UPDATE hold SET asked_by = '{Nadia}' WHERE id = '{hold}'",),
    ),
    "manage.evidence_export": clip("/export", "custody exported {sealed}", body=WHY),
    "manage.evidence_download": Form(
        page="/manage/evidence/exports/{exported}", post="/manage/evidence/exports/{exported}/download",
        elsewhere=("custody downloaded {exported}",), why=CUSTODY,
    ),
    "manage.incidents_export": case("export", "incident_step exported", body=WHY),
    "manage.evidence_access_new_do": Form(
        page="/manage/access-requests/new", post="/manage/access-requests/new",
        body={
            "came": "desk", "received": "{today}", "contact": "a@example.org", "identity": "Passport",
            "zone": "entrance", "from": "{from}", "to": "{to}", "case": CALL,
        },
        elsewhere=(f"access_step opened {CALL}",), why=STORY,
    ),
    "manage.evidence_access_act:extend": asked(
        ASKED, "/extend", "access_step extended {access}", body=WHY | {"told": "{month_ago}"}
    ),
    "manage.evidence_access_act:answer": asked(
        ASKED, "/answer", "access_step answered {access}", body={"how": "nothing"},
        before=("UPDATE access_clip SET chosen = FALSE WHERE request = '{access}'",),
    ),
    "manage.evidence_access_act:close": asked(ANSWERED, "/close", "access_step closed {access_answered}"),
    "manage.evidence_access_act:reopen": asked(
        ANSWERED, "/reopen", "access_step reopened {access_answered}", body=WHY
    ),
    "manage.evidence_access_act:ask-release": Form(
        page=ANSWERED, post=ANSWERED + "/ask-release", body=WHY, first=(),
        before=("UPDATE access_request SET state = 'closed' WHERE id = '{access_answered}'",),
        elsewhere=("custody release_asked {sealed}",), why=CUSTODY,
    ),
    "manage.incidents_new_do": Form(
        page="/manage/incidents/new", post="/manage/incidents/new",
        body={"class": "theft", "zone": "tills", "kind": "statement", "words": "Two jackets.", "case": CALL},
        elsewhere=(f"incident_step opened {CALL}", f"incident_entry statement {CALL}"), why=CASE_FILE,
    ),
    "manage.incidents_act:write": case(
        "write", "incident_entry action",
        body={"kind": "action", "words": "The door was locked.", "corrects": ""},
    ),
    "manage.incidents_act:identify": case(
        "identify", "incident_step identified", body=WHY | {"number": "4", "identity": "Jo Doe"},
        secret=("identity",),
    ),
    "manage.incidents_act:close": case("close", "incident_step closed", body={"outcome": "police"}),
    "manage.incidents_act:link": case("link", "incident_step linked", body={"code": "{code}"}),
    "manage.feedback_new_do": Form(
        page="/manage/feedback/new", post="/manage/feedback/new",
        body={"source": "desk", "score": "2", "words": "Slow.", "zone": "tills"},
        holds=NOTED.format("desk", "noted", "{Helen}"),
        why=HISTORY,
    ),
    "shopper.give": Form(
        who="None", room="f", page="/f/{done_sign}", post="/f/{done_sign}", body={"score": "2"},
        elsewhere=("timeline feedback {done}",), why=HISTORY,
    ),
    "floor.acknowledge": request("waiting", "acknowledge", "acknowledged"),
    "floor.decline": request("waiting", "decline", "declined", body={"reason": "too-far"}),
    "floor.attend": request("mine", "attend", "attended"),
    "floor.hand_over": request("mine", "hand-over", "handover_asked", body={"to": "{Luka}"}),
    "floor.take_back": request("mine", "take-back", "taken_back", first=("floor.hand_over",)),
    "floor.supervisor": request("mine", "supervisor", "supervisor_called"),
    "floor.resolve": request(
        "mine", "resolve", "resolved", body={"outcome": "helped"}, first=("floor.attend",)
    ),
    "floor.ask_safe": request("called", "ask-safe", "safe_asked", "Nadia"),
    "floor.answer_safe": request("called", "answer-safe", "safe_yes", "Luka", body={"answer": "yes"}),
    "floor.supervisor_to": phone(
        (), "/floor/", "/floor/supervisor", "Marta", body={"zone": "tills"},
        holds=NOTED.format("phone", "supervisor_called", "{Marta}"),
        why=HISTORY,
    ),
    "floor.call_off": request(
        "newest", "call-off", "cancelled", first=("floor.supervisor_to",)
    ),
    "floor.call": phone(
        (), "/floor/quiet/sure", "/floor/quiet/call", body={"id": CALL},
        holds=NOTED.format("phone", "called", "{Bia}"),
        why=HISTORY,
    ),
    "floor.second_pin": phone(
        ("silent.second_pin Bia",), "/floor/quiet", "/floor/quiet/second-pin",
        body={"person": "{Bia}", "pin": "3690", "second": "7402", "again": "7402"}, secret=("pin", "second"),
    ),
    "floor.say": phone(
        (), "/floor/", "/floor/presence", body={"presence": "busy"},
        holds="SELECT count(*) FROM person WHERE id = '{Bia}' AND presence = 'busy'", why=OWN_PRESENCE,
    ),
    "floor.delivered": phone(
        (), "/floor/", "/floor/pages/delivered", "Marta", body={"pages": "{page}"},
        holds="SELECT count(*) FROM page WHERE id = '{page}' AND delivered_at IS NOT NULL", why=OWN_ROW,
    ),
    "floor.seen": phone(
        (), "/floor/", "/floor/pages/seen", "Marta", body={"pages": "{page}"},
        holds="SELECT count(*) FROM page WHERE id = '{page}' AND seen_at IS NOT NULL", why=OWN_ROW,
    ),
    "floor.trouble_seen": phone(
        (), "/floor/", "/floor/troubles/{trouble}/seen", "Nadia", elsewhere=("timeline seen {trouble}",),
        why=HISTORY,
    ),
    "floor.feedback_do": phone(
        (), "/floor/feedback", "/floor/feedback", body={"source": "desk", "score": "2", "words": "Slow."},
        holds=NOTED.format("phone", "noted", "{Bia}"),
        why=HISTORY,
    ),
    "floor.incident_new_do": phone(
        (), "/floor/incidents/new", "/floor/incidents/new",
        body={"class": "theft", "zone": "tills", "words": "Two jackets.", "case": CALL},
        elsewhere=(f"incident_step opened {CALL}", f"incident_entry statement {CALL}"), why=CASE_FILE,
    ),
    "floor.incident_write": phone(
        (), "/floor/incidents/{complaint}", "/floor/incidents/{complaint}/write", "Luka",
        body={"kind": "account", "words": "I was at the till."},
        elsewhere=("incident_entry account {complaint}",), why=CASE_FILE,
    ),
    "floor.incident_tick": phone(
        (), "/floor/incidents/{case}", "/floor/incidents/{case}/tick", "Omar",
        body={"check": "witnesses-asked"},
        elsewhere=("incident_step ticked {case}",), why=CASE_FILE,
    ),
}  # fmt: skip
# What is only looked at, or taken out of the store, and leaves a row all the same.
LOOKS = {
    CASE: "silent.identities_shown {case}",
    "/manage/log.csv": "export.taken the log as CSV",
    "/manage/log.xlsx": "export.taken the log as XLSX",
    "/manage/incidents.csv": "export.taken the list of incidents as CSV",
}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with opened(tmp_path_factory.mktemp("t") / "s") as found:
        yield found


def test_each_form_that_a_program_can_do_too_is_here() -> None:
    both = {name for name, one in PAGES.items() if one.changes and not isinstance(DOES[name], str)}
    assert both == {name.partition(":")[0] for name in DEEDS}


@pytest.mark.parametrize("name", DEEDS)
def test_a_form_leaves_exactly_its_trace(traced: Traced, name: str) -> None:
    posts(traced, DEEDS, name)


@pytest.mark.parametrize("page", LOOKS)
def test_a_look_at_what_few_may_see_leaves_exactly_its_trace(traced: Traced, page: str) -> None:
    traced.put_back()
    browser, before = traced.browser("Helen"), traced.rows()
    answer = browser.client.get(traced.filled(page), headers={"Accept": "text/html"}, buffered=True)
    assert answer.status_code == 200
    found = new(before, traced.rows())
    expect(traced, Deed((LOOKS[page],)), found, "Helen", "desk")
    no_secret(found, ["J. Doe"])
