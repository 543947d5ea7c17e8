"""What a program does for people: one wins, the log names the person, the audit the program."""

import pytest
import sqlalchemy as sa

from edge.db.store_tables import session
from edge.interactions.request import OUTCOMES
from edge.people import sessions
from edge.people import store as people
from tests.unit.edge.web.conftest import STORE, Shop

from .conftest import Let, Program


@pytest.fixture
def pager(let: Let) -> Program:
    return let("act:requests", "read:log", "read:store", name="Pagers")


@pytest.fixture
def here(shop: Shop) -> None:
    """Ana, Marc and Sofia are on the floor."""
    for name in ("Ana", "Marc", "Sofia"):
        shop.write(
            lambda conn, name=name: people.set_presence(  # type: ignore[misc]
                conn, STORE, shop.people[name].id, "available", shop.clock.now
            )
        )
        shop.write(
            lambda conn, name=name: sessions.start(  # type: ignore[misc]
                conn, shop.people[name], "floor", shop.clock.now, 10
            )
        )


def test_of_two_who_acknowledge_one_wins_and_the_other_is_told_who(shop: Shop, pager: Program) -> None:
    request = shop.raise_request("Ana", "Marc")
    won = pager.post(f"/interactions/{request}/acknowledge", person=shop.people["Ana"].id)
    assert (won.json["state"], won.json["owner_name"]) == ("acknowledged", "Ana")
    lost = pager.post(f"/interactions/{request}/acknowledge", person=shop.people["Marc"].id)
    assert lost.status_code == 409 and lost.json["holder"] == "Ana" and "Ana" in lost.json["detail"]


def test_the_log_says_who_and_the_audit_through_which_program(shop: Shop, pager: Program) -> None:
    request, ana = shop.raise_request("Ana"), shop.people["Ana"].id
    pager.post(f"/interactions/{request}/acknowledge", person=ana)
    pager.post(f"/interactions/{request}/attend", person=ana)
    done = pager.post(f"/interactions/{request}/resolve", person=ana, outcome="helped", note="Size 38")
    assert (done.json["state"], done.json["note"]) == ("resolved", "Size 38")
    lines = pager.get(f"/interactions/{request}").json["timeline"]
    assert [(line["what"], line["person"], line["through"]) for line in lines] == [
        (what, "Ana", "api") for what in ("acknowledged", "attended", "resolved")
    ]
    changes = pager.get("/changes", what="request").json["changes"]
    reference = done.json["reference"]
    assert [(one["actor"], one["words"]) for one in changes] == [
        ("Pagers", f"{reference} {what} for Ana.") for what in ("resolved", "attended", "acknowledged")
    ]


def test_what_a_request_does_not_allow_changes_nothing(shop: Shop, pager: Program) -> None:
    request, ana = shop.raise_request("Ana"), shop.people["Ana"].id
    wrong = pager.post(f"/interactions/{request}/resolve", person=ana, outcome="eaten")
    assert wrong.status_code == 409
    assert pager.post(f"/interactions/{request}/acknowledge", person="nobody").status_code == 404
    assert pager.post("/interactions/nothing/acknowledge", person=ana).status_code == 404
    assert pager.get(f"/interactions/{request}").json["interaction"]["state"] == "raised"
    assert pager.get("/changes", what="request").json["changes"] == []
    assert "helped" in OUTCOMES


def test_declining_and_a_warm_hand_over(shop: Shop, pager: Program, here: None) -> None:
    request, ana, marc = shop.raise_request("Ana", "Marc"), shop.people["Ana"].id, shop.people["Marc"].id
    assert pager.post(f"/interactions/{request}/decline", person=ana, reason="too-far").status_code == 200
    pager.post(f"/interactions/{request}/acknowledge", person=marc)
    asked = pager.post(f"/interactions/{request}/hand-over", person=marc, to=ana, note="Wants a receipt")
    assert asked.status_code == 200 and asked.json["owner_name"] == "Marc"
    pages = pager.get(f"/people/{ana}/pages").json["pages"]
    assert [page["asked"] for page in pages] == [True] and "Wants a receipt" in pages[0]["reason"]
    assert pager.post(f"/interactions/{request}/take-back", person=marc).status_code == 200
    assert pager.post(f"/interactions/{request}/supervisor", person=marc).status_code == 200
    assert [
        page["called"] for page in pager.get(f"/people/{shop.people['Sofia'].id}/pages").json["pages"]
    ] == [True]


def test_a_supervisor_is_called_to_a_place_and_called_off(shop: Shop, pager: Program, here: None) -> None:
    ana = shop.people["Ana"].id
    raised = pager.post("/supervisor", person=ana, zone="tills")
    assert raised.status_code == 201
    request = raised.json["interaction"]
    assert pager.post("/supervisor", person=ana, zone="tills").json["interaction"] == request
    assert pager.post(f"/interactions/{request}/call-off", person=ana).json["state"] == "cancelled"


def test_pages_are_read_and_said_to_be_delivered_and_seen(shop: Shop, pager: Program) -> None:
    request, ana, marc = shop.raise_request("Ana"), shop.people["Ana"].id, shop.people["Marc"].id
    (page,) = pager.get(f"/people/{ana}/pages").json["pages"]
    assert page["request"] == request and page["reason"] == "You are free and near"
    assert pager.post(f"/people/{marc}/pages/seen", pages=[page["page"]]).status_code == 204
    assert pager.post(f"/people/{ana}/pages/delivered", pages=[page["page"]]).status_code == 204
    assert pager.post(f"/people/{ana}/pages/seen", pages=[page["page"]]).status_code == 204
    (told,) = pager.get(f"/interactions/{request}").json["pages"]
    assert told["delivered_at"] and told["seen_at"]
    assert pager.get("/people/nobody/pages").status_code == 404


def test_what_a_person_says_of_themselves(shop: Shop, pager: Program, here: None) -> None:
    ana, marc = shop.people["Ana"].id, shop.people["Marc"].id
    assert pager.post(f"/people/{ana}/presence", presence="on_break", minutes=15).status_code == 204
    assert pager.post(f"/people/{ana}/presence", presence="on_break", minutes=14).status_code == 422
    assert pager.post(f"/people/{ana}/presence", presence="unreachable", cover=marc).status_code == 204
    assert pager.get(f"/people/{ana}").json["presence"] == "unreachable"


def test_a_silent_request_is_not_there_for_a_program_without_the_scope(
    shop: Shop, pager: Program, let: Let
) -> None:
    request, igor = shop.raise_request("Igor", kind="security"), shop.people["Igor"].id
    trusted = let("act:requests", "read:log", "read:store", "security", name="Alarm")
    assert pager.post(f"/interactions/{request}/acknowledge", person=igor).status_code == 404
    assert pager.get(f"/people/{igor}/pages").json["pages"] == []
    (page,) = trusted.get(f"/people/{igor}/pages").json["pages"]
    pager.post(f"/people/{igor}/pages/seen", pages=[page["page"]])
    assert trusted.get(f"/interactions/{request}").json["pages"][0]["seen_at"] is None
    assert trusted.post(f"/interactions/{request}/acknowledge", person=igor).json["silent"] is True
    assert trusted.get("/changes", what="silent").json["changes"][0]["actor"] == "Alarm"
    assert "Alarm" not in {one["actor"] for one in pager.get("/changes").json["changes"]}
    said = pager.post(f"/people/{igor}/presence", presence="unreachable", cover=shop.people["Ana"].id)
    assert said.status_code in (409, 422) and "-" not in said.json["detail"]


def test_feedback_is_typed_in_for_somebody_and_read_with_both_totals(shop: Shop, pager: Program) -> None:
    ana = shop.people["Ana"].id
    told = pager.post(
        "/feedback", person=ana, source="letter", score=1, zone="shoes", words="Waited long",
        answers={"wait": "long"}, at="2026-03-01T12:00:00Z",
    )  # fmt: skip
    assert told.status_code == 201
    found = pager.get("/feedback").json
    (opinion,) = found["scores"]
    assert (opinion["interaction"], opinion["entered_by"]) == (told.json["interaction"], "Ana")
    assert {one["judged"]: one["faces"]["1"] for one in found["totals"]} == {
        "counted": 1,
        "burst": 0,
        "staff": 0,
    }
    assert pager.get("/feedback", score="4").json["scores"] == []
    unknown = pager.post("/feedback", person=ana, source="desk", score=2, reference="ZZZ-999")
    assert unknown.status_code == 422 and "ZZZ-999" in unknown.json["detail"]
    with shop.services.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(session)).scalar() == 0
