"""Everything that the pages do can be done by the API: each address of theirs is here with what does it."""

from edge.web.api.routes import ROUTES
from tests.unit.edge.web.conftest import STORE, Shop

from .busy import aside, over
from .conftest import Let, Program

# A sentence is why there is nothing: a program has a token instead of a sign-in, and no screen.
UPDATES = "What runs on kiosks is decided at the desk and on the server."
SIGN_IN = "A program has a token; it does not sign in or out."
FORM = "An empty form, or one with what another address reads."
PART = "A part of another page."
BY_EYE = "Who is in a picture, and that nobody else can be recognised, only a person says."
PHONE = "Only the phone's own browser can be called while it is locked."
DOES: dict[str, tuple[str, ...] | str] = {
    "door.open_door": "It leads on.",
    "static": "Files of the pages.",
    "floor.names": SIGN_IN,
    "floor.pin": SIGN_IN,
    "floor.sign_in": SIGN_IN,
    "floor.sign_out": SIGN_IN,
    "floor.heard": "Only the phone itself can prove that it is reached.",
    "floor.manifest": "What a phone needs to install the page.",
    "floor.speak": "The words of the phone's own pages.",
    "floor.locked": PHONE,
    "floor.locked_state": PHONE,
    "floor.locked_on": PHONE,
    "floor.locked_trial": PHONE,
    "floor.locked_off": PHONE,
    "floor.locked_renewed": PHONE,
    "floor.locked_told": PHONE,
    "floor.worker": PHONE,
    "floor.pages": ("pages_list",),
    "floor.pages_part": PART,
    "floor.stream": ("stream",),
    "floor.acknowledge": ("interaction_acknowledge",),
    "floor.decline": ("interaction_decline",),
    "floor.attend": ("interaction_attend",),
    "floor.hand_over": ("interaction_hand_over",),
    "floor.take_back": ("interaction_take_back",),
    "floor.supervisor": ("interaction_supervisor",),
    "floor.call_off": ("interaction_call_off",),
    "floor.resolve": ("interaction_resolve",),
    "floor.trouble_seen": ("trouble_seen",),
    "floor.ask_safe": ("interaction_ask_safe",),
    "floor.answer_safe": ("interaction_answer_safe",),
    "floor.quiet": FORM,
    "floor.sure": FORM,
    "floor.call": ("security_call",),
    "floor.quiet_take_back": "It takes the caller's own PIN, which no program has.",
    "floor.second_pin": ("person_second_pin",),
    "floor.supervisor_to": ("supervisor_call",),
    "floor.colleagues": ("floor_read",),
    "floor.delivered": ("pages_delivered",),
    "floor.seen": ("pages_seen",),
    "floor.feedback": FORM,
    "floor.looks": ("person_looks",),
    "floor.feedback_do": ("feedback_add",),
    "floor.incident_list": ("incidents_search",),
    "floor.incident_new": FORM,
    "floor.incident_new_do": ("incident_open", "incident_write"),
    "floor.incident_one": ("incident_read",),
    "floor.incident_write": ("incident_write",),
    "floor.incident_tick": ("incident_tick",),
    "floor.presence_part": PART,
    "floor.say": ("presence_say",),
    "manage.sign_in_page": SIGN_IN,
    "manage.sign_in": SIGN_IN,
    "manage.sign_out": SIGN_IN,
    "manage.sign_in_code": SIGN_IN,
    "manage.sign_in_asked": SIGN_IN,
    "manage.sign_in_passkey": SIGN_IN,
    "manage.first_admin": SIGN_IN,
    "manage.first_admin_do": SIGN_IN,
    "floor.own": SIGN_IN,
    "floor.own_end": SIGN_IN,
    "manage.own": SIGN_IN,
    "manage.own_factor": SIGN_IN,
    "manage.own_factor_do": SIGN_IN,
    "manage.own_act": SIGN_IN,
    "manage.own_proof": SIGN_IN,
    "manage.own_proof_do": SIGN_IN,
    "manage.own_passkey": SIGN_IN,
    "manage.own_passkey_do": SIGN_IN,
    "manage.own_passkey_remove": SIGN_IN,
    "manage.own_end": SIGN_IN,
    "manage.home": "It leads on.",
    "manage.log": ("interactions_search",),
    "manage.export_csv": ("log_csv",),
    "manage.export_xlsx": ("log_xlsx",),
    "manage.floor": ("floor_read", "devices_list"),
    "manage.charts": ("report_answers", "report_ratings"),
    "manage.feedback": ("feedback_list",),
    "manage.feedback_new": FORM,
    "manage.feedback_new_do": ("feedback_add",),
    "manage.interaction": ("interaction_read",),
    "manage.incidents": ("incidents_search",),
    "manage.incidents_csv": ("incidents_search",),
    "manage.incidents_new": FORM,
    "manage.incidents_new_do": ("incident_open", "incident_write"),
    "manage.incidents_one": ("incident_read",),
    # Who people are, which the form 'identify' says, stays at the desk.
    "manage.incidents_act": (
        "incident_write", "incident_tick", "incident_correct", "incident_close", "incident_reopen",
        "incident_link", "incident_ask_account",
    ),
    "manage.reach": ("reach_list",),
    "manage.drills": ("drills_list", "plan_read"),
    "manage.drills_do": ("drill_run", "plan_set", "agreed_set"),
    "manage.drills_one": ("drill_read",),
    "manage.drills_result": ("drill_result",),
    "manage.evidence": ("evidence_list", "exports_list"),
    "manage.evidence_export": ("export_ask",),
    "manage.incidents_export": ("incident_export",),
    "manage.evidence_bundle": ("export_read",),
    "manage.evidence_download": ("export_download",),
    "manage.evidence_clip": ("evidence_read",),
    "manage.evidence_view": ("evidence_view",),
    "manage.evidence_video": "The address that evidence_view gives is the same to a program.",
    "manage.evidence_hold": ("evidence_hold",),
    "manage.evidence_ask": ("hold_ask_release",),
    "manage.evidence_release": ("hold_release",),
    "manage.evidence_access": ("access_requests_list",),
    "manage.evidence_access_new": FORM,
    "manage.evidence_access_new_do": ("access_request_open",),
    "manage.evidence_access_one": ("access_request_read",),
    "manage.evidence_access_act": (
        "access_request_extend", "access_request_answer", "access_request_close", "access_request_reopen",
        "hold_ask_release", "hold_release",
    ),
    "manage.evidence_access_clip": BY_EYE,
    "manage.evidence_access_look": BY_EYE,
    "manage.evidence_access_mark": BY_EYE,
    "manage.evidence_access_save": BY_EYE,
    "manage.evidence_access_watch": BY_EYE,
    "manage.evidence_access_watched": BY_EYE,
    "manage.evidence_access_copy": BY_EYE,
    "manage.evidence_access_file": "What goes to the asker is handed over by a person, who signs in.",
    "manage.stream": ("stream",),
    "manage.devices": ("devices_list", "refused_list"),
    "manage.strip": PART,
    "manage.device_aside": ("refused_read",),
    "manage.device_one": ("device_read",),
    "manage.device_act": (
        "device_move", "device_pager", "device_identify", "device_replay", "device_maintain",
        "device_revoke",
    ),
    "manage.devices_updates": UPDATES,
    "manage.devices_updates_do": UPDATES,
    "manage.people": ("people_list",),
    "manage.people_add": FORM,
    "manage.people_add_do": ("person_add",),
    "manage.people_import": FORM,
    "manage.people_import_look": ("people_plan",),
    "manage.people_import_do": ("people_import",),
    "manage.people_template": "A file to begin with; the document names its columns.",
    "manage.people_one": ("person_read",),
    "manage.people_one_do": ("person_change",),
    "manage.people_act": (
        "person_pin", "person_second_pin", "person_password", "person_disable", "person_enable",
        "person_presence", "person_second_factor",
    ),
    "manage.people_session_end": ("session_end",),
    "manage.zones": ("zones_list",),
    "manage.zones_add": ("zone_add",),
    "manage.zones_change": ("zone_change",),
    "manage.zones_remove": ("zone_remove",),
    "manage.policy": ("policies_list",),
    "manage.policy_one": ("policy_read", "policy_preview"),
    "manage.policy_do": ("policy_set", "policy_reset", "policy_preview"),
    "manage.outside": ("outside_list", "outside_channels"),
    "manage.outside_one": ("outside_read",),
    "manage.outside_test": ("outside_test",),
    "manage.changes": ("changes_list",),
    "manage.tokens": ("tokens_list",),
    "manage.tokens_add": ("token_add",),
    "manage.tokens_revoke": ("token_revoke",),
    "shopper.find": FORM,
    "shopper.look_up": ("feedback_by_code",),
    "shopper.ask": ("feedback_by_code",),
    "shopper.give": ("feedback_give",),
    "health.alive": "It is for programs already.",
    "health.ready": "It is for programs already.",
    "metrics.scrape": "It is for programs already.",
    "wellknown.security_txt": "It is for programs already.",
}  # fmt: skip


def test_every_address_of_the_pages_says_what_of_the_api_does_the_same(shop: Shop) -> None:
    addresses = {rule.endpoint for rule in shop.app.url_map.iter_rules()}
    pages = {endpoint for endpoint in addresses if not endpoint.startswith("api.")}
    assert pages == DOES.keys(), "Put a new address here with what does it in edge/web/api/routes.py."


def test_what_is_named_is_there_and_changes_where_the_page_changes(shop: Shop) -> None:
    methods = {route.name: route.method for route in ROUTES}
    changing = {rule.endpoint for rule in shop.app.url_map.iter_rules() if "POST" in rule.methods}
    for endpoint, does in DOES.items():
        if isinstance(does, tuple):
            assert methods.keys() >= set(does), endpoint
            if endpoint in changing and endpoint != "shopper.look_up":
                assert any(methods[name] != "GET" for name in does), endpoint


def test_each_button_of_the_pages_that_have_many_is_there() -> None:
    for endpoint, acts in {
        "manage.device_act": {"move", "pager", "identify", "replay", "maintain", "revoke"},
        "manage.people_act": {
            "pin",
            "second_pin",
            "password",
            "disable",
            "enable",
            "presence",
            "second_factor",
        },
    }.items():
        assert {name.split("_", 1)[1] for name in DOES[endpoint]} == acts


def test_a_refused_message_is_read_whole(shop: Shop, all_scopes: Program, kiosk: str) -> None:
    aside(shop, kiosk, "help", b"\xffnonsense")
    (listed,) = all_scopes.get("/refused-messages").json["messages"]
    whole = all_scopes.get(f"/refused-messages/{listed['id']}").json
    assert whole["payload"] == "/25vbnNlbnNl" and len(whole["sha256"]) == 64 and whole["device"] == kiosk
    for number in ("999", "0", "x", "9" * 40):
        assert all_scopes.get(f"/refused-messages/{number}").status_code == 404


def test_a_shopper_rates_by_code_through_another_program(shop: Shop, all_scopes: Program, let: Let) -> None:
    request = shop.raise_request("Ana")
    code = str(shop.read("SELECT reference FROM interaction WHERE id = :id", id=request)[0][0])
    assert all_scopes.post(f"/feedback/by-code/{code}", score=4).status_code == 409
    over(shop, request, "resolved")
    asked = all_scopes.get(f"/feedback/by-code/{code.lower()}").json
    assert (asked["interaction"], asked["reference"], asked["rated"]) == (request, code, False)
    given = all_scopes.post(f"/feedback/by-code/{code}", score=2, words=" Slow. ")
    assert given.status_code == 201 and given.json["rated"] is True
    assert all_scopes.post(f"/feedback/by-code/{code}", score=4).status_code == 409
    (score,) = all_scopes.get("/feedback").json["scores"]
    assert (score["score"], score["source"], score["about"]) == (2, "code", request)
    (change,) = all_scopes.get("/changes", what="request").json["changes"]
    assert (change["what"], change["subject"], change["actor"]) == ("request.rated", code, "Head office")
    assert all_scopes.get("/feedback/by-code/ZZZ-ZZZ").status_code == 404
    assert let("read:log").post(f"/feedback/by-code/{code}", score=4).status_code == 403


def test_a_policy_that_somebody_changed_meanwhile_is_not_given_back_to_the_file(
    shop: Shop, all_scopes: Program
) -> None:
    before = all_scopes.get("/policies/help").json
    changed = before["policy"] | {"ceiling_s": 300}
    all_scopes.put("/policies/help", policy=changed)
    stale = all_scopes.ask("DELETE", f"/policies/help?based_on={before['based_on']}")
    assert stale.status_code == 409 and all_scopes.get("/policies/help").json["policy"]["ceiling_s"] == 300
    with shop.services.read() as conn:
        assert conn.exec_driver_sql("SELECT store FROM setting").scalar() == STORE
