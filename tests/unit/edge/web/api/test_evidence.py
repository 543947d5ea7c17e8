"""Evidence for other programs: the same deeds in the token's name; for most nothing of silent requests."""

import pytest

from broker.events import new_id
from edge.handling import incidents
from edge.tokens import store as tokens
from edge.web.footage import NO_GRANT
from tests.rig import footage
from tests.unit.edge.web.conftest import STORE, Shop

from .busy import hold, told_of
from .conftest import Let, Program

VIDEO = b"moving pictures"


@pytest.fixture
def loud(shop: Shop, kiosk: str) -> str:
    return shop.seal(shop.raise_request("Ana"), VIDEO)


@pytest.fixture
def silent(shop: Shop, kiosk: str) -> str:
    return shop.seal(shop.raise_request("Igor", kind="security"), b"silent")


@pytest.fixture
def plain(let: Let) -> Program:
    return let("read:evidence", "act:evidence", name="Insurance")


def test_a_look_is_written_down_and_gives_an_address_for_ten_minutes(
    shop: Shop, plain: Program, loud: str
) -> None:
    look = plain.post(f"/evidence/{loud}/view", reason="Case 7")
    assert look.status_code == 201
    assert shop.read("SELECT actor, reason FROM custody WHERE action = 'viewed'") == [
        ("Insurance", "Case 7 (api)")
    ]
    stranger, address = shop.app.test_client(), look.json["address"]
    assert stranger.get(address, headers={"Range": "bytes=0-5"}).data == VIDEO[:6]
    for wrong in (address + "0", address.split("?")[0], address.replace(loud, str(new_id(0)))):
        refused = stranger.get(wrong)
        assert refused.status_code == 403 and refused.json["detail"] == NO_GRANT
    shop.clock.pass_(minutes=10)
    assert stranger.get(address).status_code == 403


def test_the_address_dies_with_its_token(shop: Shop, plain: Program, loud: str) -> None:
    address = plain.post(f"/evidence/{loud}/view", reason="Case 7").json["address"]
    assert shop.app.test_client().get(address).data == VIDEO
    shop.write(lambda conn: tokens.revoke(conn, STORE, plain.token.id, shop.clock.now))
    assert shop.app.test_client().get(address).status_code == 403


def test_to_look_and_to_hold_take_more_than_to_read(let: Let, loud: str) -> None:
    reader = let("read:evidence")
    assert reader.get(f"/evidence/{loud}").status_code == 200
    assert reader.post(f"/evidence/{loud}/view", reason="Case 7").status_code == 403
    assert reader.post(f"/evidence/{loud}/hold", reason="Case 7").status_code == 403
    assert let("read:log", "read:store").get("/evidence").status_code == 403


def test_a_token_does_not_agree_with_itself(let: Let, plain: Program, loud: str) -> None:
    held = plain.post(f"/evidence/{loud}/hold", reason="Case 7").json
    (one,) = held["holds"]
    assert held["clip"]["held"] and one["held_name"] == "Insurance"
    assert plain.post(f"/holds/{one['id']}/ask-release", reason="Settled").status_code == 200
    own = plain.ask("POST", f"/holds/{one['id']}/release")
    assert own.status_code == 409 and "another person must agree" in own.json["detail"]
    other = let("read:evidence", "act:evidence").ask("POST", f"/holds/{one['id']}/release")
    assert other.status_code == 200 and not other.json["clip"]["held"]
    assert [entry["action"] for entry in other.json["custody"]] == [
        "sealed", "held", "release_asked", "released",
    ]  # fmt: skip


def test_clips_of_silent_requests_are_nowhere_for_most(
    shop: Shop, let: Let, plain: Program, loud: str, silent: str
) -> None:
    trusted = let("read:evidence", "act:evidence", "security")
    listed = plain.get("/evidence").json
    assert [clip["id"] for clip in listed["clips"]] == [loud] and listed["custody"] is None
    seen = trusted.get("/evidence").json
    assert {clip["id"] for clip in seen["clips"]} == {loud, silent} and seen["custody"]["size"] == 2
    assert seen["custody"]["stamp"] == {"size": 0, "at": None, "by": None, "trouble": None, "tried_at": None}
    held, nothing = hold(shop, silent, "Mira"), str(new_id(0))
    for path, body in (
        ("/evidence/{}/view", {"reason": "Case 7"}),
        ("/evidence/{}/hold", {"reason": "Case 7"}),
        ("/holds/{}/ask-release", {"reason": "Case 7"}),
        ("/holds/{}/release", None),
    ):
        hidden_id = held if "holds" in path else silent
        hidden, unknown = (
            plain.ask("POST", path.format(one), **({"json": body} if body else {}))
            for one in (hidden_id, nothing)
        )
        assert hidden.status_code == unknown.status_code == 404 and hidden.data == unknown.data, path
    hidden, unknown = (plain.get(f"/evidence/{one}") for one in (silent, nothing))
    assert hidden.status_code == unknown.status_code == 404 and hidden.data == unknown.data
    # Nor do gaps in the numbers of entries tell of them.
    assert [entry["index"] for entry in plain.get(f"/evidence/{loud}").json["custody"]] == [None]
    assert [entry["index"] for entry in trusted.get(f"/evidence/{loud}").json["custody"]] == [0]
    assert trusted.post(f"/evidence/{silent}/view", reason="Case 7").status_code == 201


def test_what_has_not_come_cannot_be_looked_at(shop: Shop, plain: Program, kiosk: str) -> None:
    clip = told_of(shop, shop.raise_request("Ana"))
    answer = plain.post(f"/evidence/{clip}/view", reason="Case 7")
    assert answer.status_code == 409 and "only sealed ones" in answer.json["detail"]
    assert plain.post(f"/evidence/{clip}/view", reason="  ").status_code == 422
    assert [one["id"] for one in plain.get("/evidence", state="announced").json["clips"]] == [clip]


def test_an_export_is_asked_for_made_and_fetched_by_a_token_that_may_see_silent_requests(
    shop: Shop, let: Let, plain: Program, loud: str, silent: str
) -> None:
    assert plain.post("/exports", clips=[loud], reason="Case 7").status_code == 403
    trusted = let("read:evidence", "act:evidence", "security", name="Police desk")
    asked = trusted.post("/exports", clips=[loud, silent], reason="Case 7")
    assert (asked.status_code, asked.json["state"], asked.json["actor"]) == (201, "asked", "Police desk")
    address = f"/exports/{asked.json['id']}"
    early = trusted.ask("POST", f"{address}/download")
    assert early.status_code == 409 and "the export is asked" in early.json["detail"]
    footage.make_bundles(shop.services)
    ready = trusted.get(address).json
    assert ready["state"] == "ready" and len(ready["keys"]) == 2 and len(ready["head_root"]) == 64
    bundle = trusted.ask("POST", f"{address}/download")
    assert bundle.mimetype == "application/zip" and len(bundle.data) == ready["bytes"]
    assert shop.custody()[-1] == ("downloaded", "Police desk", "The bundle of 2 clips (api)")
    assert [one["id"] for one in trusted.get("/exports").json["exports"]] == [ready["id"]]
    assert trusted.post("/exports", clips=[str(new_id(0))], reason="Case 7").status_code == 404
    unsealed = told_of(shop, shop.raise_request("Ana"))
    assert trusted.post("/exports", clips=[unsealed], reason="Case 7").status_code == 409


def test_what_an_incident_keeps_is_said_and_of_a_silent_one_only_where_it_may_be_known(
    shop: Shop, let: Let, loud: str
) -> None:
    alarm = shop.raise_request("Igor", kind="security")
    shop.write(lambda conn: incidents.of_request(conn, STORE, alarm, shop.clock.now))
    plain, whole = let("read:evidence"), let("read:evidence", "security", name="Police")
    # The silent alarm's incident pulls the loud clip of the same place: a plain token hears nothing of it.
    assert whole.get(f"/evidence/{loud}").json["clip"]["kept_by"] == {"number": "2026-0001", "until": None}
    assert plain.get(f"/evidence/{loud}").json["clip"]["kept_by"] is None
    shop.write(lambda conn: conn.exec_driver_sql(f"UPDATE interaction SET silent = 0 WHERE id = '{alarm}'"))
    assert plain.get("/evidence").json["clips"][0]["kept_by"] == {"number": None, "until": None}


def test_an_incident_is_exported_by_a_token_that_may_export_and_may_know_of_it(
    shop: Shop, let: Let, plain: Program
) -> None:
    request = shop.raise_request("Igor", kind="security")
    made = shop.write(lambda conn: incidents.of_request(conn, STORE, request, shop.clock.now))
    address = f"/incidents/{made}/export"
    assert plain.post(address, reason="Case 7").status_code == 403
    deaf = let("read:evidence", "act:evidence", name="Deaf")
    trusted = let("read:evidence", "act:evidence", "security", name="Police desk")
    assert deaf.post(address, reason="Case 7").status_code == 403
    told_of(shop, request)
    asked = trusted.post(address, reason="Case 7")
    assert (asked.status_code, asked.json["incident"], asked.json["clips"]) == (201, made, [])
    (left,) = asked.json["left_out"]
    assert left.endswith("The kiosk has told of it; it has not come to the store server yet.")
    footage.make_bundles(shop.services)
    assert trusted.get(f"/exports/{asked.json['id']}").json["state"] == "ready"
    assert shop.read("SELECT name, through FROM incident_step WHERE what = 'exported'") == [
        ("Police desk", "api")
    ]
