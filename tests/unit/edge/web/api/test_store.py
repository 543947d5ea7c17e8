"""People, zones, devices, policies, tokens and reports by the API: as the desk does, in the same audit."""

import pytest

from tests.unit.edge.web.conftest import Shop

from .conftest import Let, Program


def test_a_person_is_added_with_secrets_that_are_shown_once(shop: Shop, all_scopes: Program) -> None:
    added = all_scopes.post(
        "/people", name="Nora", role="supervisor", zones=["shoes"], languages=["ca", "en"]
    )
    assert added.status_code == 201
    assert len(added.json["pin"]) == 6 and len(added.json["password"]) == 19
    nora = added.json["person"]
    read = all_scopes.get(f"/people/{nora['id']}").json
    assert read == nora and read["has_pin"] and "pin_hash" not in read
    (change,) = all_scopes.get("/changes", what="person").json["changes"]
    assert (change["actor"], change["through"], change["what"]) == ("Head office", "api", "person.added")


def test_a_stale_change_is_refused_with_who_was_first(shop: Shop, all_scopes: Program) -> None:
    ana = shop.people["Ana"].id
    based_on = all_scopes.get(f"/people/{ana}").json["based_on"]
    details = {"role": "associate", "zones": ["tills"]}
    changed = all_scopes.put(f"/people/{ana}", name="Anna", based_on=based_on, **details)
    assert changed.json["name"] == "Anna" and changed.json["zones"] == ["tills"]
    stale = all_scopes.put(f"/people/{ana}", name="Ana", based_on=based_on, **details)
    assert stale.status_code == 409
    assert "Head office changed it meanwhile" in stale.json["detail"]


def test_a_token_has_a_managers_rights_and_no_more(all_scopes: Program) -> None:
    answer = all_scopes.post("/people", name="Boss", role="admin")
    assert answer.status_code == 403 and "Only an admin" in answer.json["detail"]


def test_new_secrets_disabling_and_presence(shop: Shop, all_scopes: Program) -> None:
    ana, sofia = shop.people["Ana"].id, shop.people["Sofia"].id
    assert len(all_scopes.post(f"/people/{ana}/pin").json["secret"]) == 6
    assert len(all_scopes.post(f"/people/{sofia}/password").json["secret"]) == 19
    assert all_scopes.post(f"/people/{ana}/password").status_code == 409
    nowhere = all_scopes.put(f"/people/{ana}/presence", presence="available")
    assert nowhere.status_code == 409 and "signed in on no phone" in nowhere.json["detail"]
    assert all_scopes.post(f"/people/{ana}/disable").json["active"] is False
    everyone = [one["name"] for one in all_scopes.get("/people", all="true").json["people"]]
    active = [one["name"] for one in all_scopes.get("/people").json["people"]]
    assert set(everyone) - set(active) == {"Ana"}
    assert all_scopes.post(f"/people/{ana}/enable").json["active"] is True


def test_a_file_of_people_is_looked_at_before_it_is_carried_out(all_scopes: Program) -> None:
    file = "name,role,zones\nNora,associate,shoes\nAna,associate,tills\n"
    plan = all_scopes.post("/people-file/plan", csv=file).json
    assert [line["verdict"] for line in plan["lines"]] == ["add", "change"] and not plan["faults"]
    wrong = all_scopes.post("/people-file/import", csv=file, confirmed="other")
    assert wrong.status_code == 409
    done = all_scopes.post("/people-file/import", csv=file, confirmed=plan["confirmed"]).json
    assert [one["name"] for one in done["added"]] == ["Nora"] and done["changed"] == 1
    faulty = all_scopes.post("/people-file/plan", csv="name,role\nX,boss\n").json
    assert faulty["faults"][0]["line"] == 2 and faulty["faults"][0]["column"] == "role"


def test_zones_are_added_renamed_and_removed(shop: Shop, all_scopes: Program, kiosk: str) -> None:
    assert all_scopes.post("/zones", name="roof", title="Roof").status_code == 201
    assert all_scopes.post("/zones", name="roof", title="Roof").status_code == 422
    assert all_scopes.put("/zones/roof", title="Terrace").json["title"] == "Terrace"
    assert all_scopes.delete("/zones/roof").status_code == 204
    used = all_scopes.delete("/zones/shoes")
    assert used.status_code == 409 and kiosk in used.json["detail"]
    assert [zone["name"] for zone in all_scopes.get("/zones").json["zones"]] == ["shoes", "tills"]
    assert all_scopes.delete("/zones/roof").status_code == 404


def test_a_device_is_read_moved_and_asked(all_scopes: Program, kiosk: str) -> None:
    (listed,) = all_scopes.get("/devices").json["devices"]
    assert (listed["name"], listed["status"], listed["silence_s"]) == (kiosk, "unknown", None)
    moved = all_scopes.put(f"/devices/{kiosk}/zone", zone="tills", based_on=listed["based_on"])
    assert moved.json["device"]["zone"] == "tills"
    assert all_scopes.put(f"/devices/{kiosk}/zone", zone="roof").status_code == 422
    ana = next(one["id"] for one in all_scopes.get("/people").json["people"] if one["name"] == "Ana")
    held = all_scopes.put(f"/devices/{kiosk}/pager", pager=True, holder=ana).json["device"]
    assert (held["pager"], held["holder"], held["holder_name"]) == (True, ana, "Ana")
    assert all_scopes.put(f"/devices/{kiosk}/pager", pager=True, holder="nobody").status_code == 404
    wrong = all_scopes.put(f"/devices/{kiosk}/pager", pager=False, holder=ana)
    assert wrong.status_code == 422 and "only a pager has a holder" in wrong.json["detail"]
    assert not all_scopes.put(f"/devices/{kiosk}/pager", pager=False).json["device"]["pager"]
    silent = all_scopes.post(f"/devices/{kiosk}/identify")
    assert silent.status_code == 409 and "not heard" in silent.json["detail"]
    assert all_scopes.post(f"/devices/{kiosk}/maintenance", on=True).status_code == 204
    assert all_scopes.get("/devices/none").status_code == 404
    assert all_scopes.get("/refused-messages").json == {"messages": []}


def test_a_device_is_revoked_with_a_reason_once(all_scopes: Program, kiosk: str) -> None:
    assert all_scopes.post(f"/devices/{kiosk}/revoke").status_code == 422
    assert all_scopes.post(f"/devices/{kiosk}/revoke", reason="x").status_code == 422
    done = all_scopes.post(f"/devices/{kiosk}/revoke", reason="Stolen from the entrance.")
    assert done.json["device"]["status"] == "revoked"
    assert all_scopes.post(f"/devices/{kiosk}/revoke", reason="Again.").status_code == 409
    assert all_scopes.post("/devices/none/revoke", reason="Stolen.").status_code == 404
    (change,) = all_scopes.get("/changes", what="device").json["changes"]
    assert change["words"] == f"{kiosk} was revoked: Stolen from the entrance."


def test_a_policy_is_previewed_set_and_given_back_to_the_file(shop: Shop, all_scopes: Program) -> None:
    before = all_scopes.get("/policies/help").json
    assert before["set_at"] is None
    policy = before["policy"] | {"ceiling_s": 300}
    preview = all_scopes.post("/policies/help/preview", zone="shoes", policy=policy).json
    assert [step["after_s"] for step in preview["steps"]] == [0, 15, 30, 45]
    done = all_scopes.put("/policies/help", policy=policy, based_on=before["based_on"]).json
    assert done["policy"]["ceiling_s"] == 300 and done["set_at"]
    endless = all_scopes.put("/policies/security", policy=policy)
    assert endless.status_code == 422 and "without an end" in endless.json["detail"]
    assert all_scopes.delete("/policies/help").json["set_at"] is None
    assert all_scopes.get("/policies/lunch").status_code == 404
    assert {one["kind"] for one in all_scopes.get("/policies").json["policies"]} >= {"help", "security"}


def test_tokens_make_and_revoke_no_more_than_they_may(let: Let) -> None:
    admin = let("admin", "read:log")
    made = admin.post("/tokens", name="Wall", scopes=["read:log"])
    assert made.status_code == 201 and made.json["secret"].startswith("fb_")
    assert admin.post("/tokens", name="More", scopes=["security"]).status_code == 403
    listed = admin.get("/tokens")
    assert {one["name"] for one in listed.json["tokens"]} == {"Wall", "Program 1"}
    assert made.json["secret"] not in listed.text
    assert admin.delete(f"/tokens/{made.json['token']['id']}").status_code == 204
    assert admin.delete("/tokens/nothing").status_code == 404


def test_the_reports_are_distributions(shop: Shop, all_scopes: Program) -> None:
    start = shop.clock.now
    shop.clock.pass_(seconds=10)
    shop.raise_request(
        raised_at=start, state="resolved", acknowledged_at=shop.clock.now, closed_at=shop.clock.now
    )
    shop.raise_request(raised_at=start, state="missed", closed_at=shop.clock.now)
    found = all_scopes.get("/reports/answers", **{"from": "2026-03-02"}).json
    assert (found["answered"]["total"], found["answered"]["never"], found["missed"]) == (2, 1, 1)
    assert found["answered"]["quantiles"][0] == {"share": 0.5, "seconds": 10.0}
    assert found["answered"]["quantiles"][1]["seconds"] is None
    days = all_scopes.get("/reports/ratings", **{"from": "2026-03-01", "to": "2026-03-02"}).json["days"]
    assert [day["total"] for day in days] == [0, 0]
    assert all_scopes.get("/reports/answers", **{"from": "2020-01-01"}).status_code == 422


@pytest.mark.parametrize("what", ["person", "zone", "device", "policy", "token"])
def test_changes_are_read_by_kind_and_in_pages(all_scopes: Program, what: str) -> None:
    all_scopes.post("/zones", name="roof", title="Roof")
    page = all_scopes.get("/changes", what=what, limit=1).json
    assert all(change["what"].startswith(f"{what}.") for change in page["changes"])
    if page["next"]:
        assert all_scopes.get("/changes", what=what, before=page["next"]).json["changes"] == []
