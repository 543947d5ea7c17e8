"""Incidents by another program: what it reads, and what it does for a person, with that person's rights."""

import pytest

from tests.unit.edge.web.conftest import Shop

from .busy import case
from .conftest import Let, Program


@pytest.fixture
def program(let: Let) -> Program:
    return let("read:incidents", "act:incidents", "security", "read:store", name="Head office")


def test_one_is_opened_written_into_closed_and_opened_again(shop: Shop, program: Program) -> None:
    sofia, at = shop.people["Sofia"].id, shop.clock.now.isoformat()
    made = program.post("/incidents", person=sofia, **{"class": "theft"}, zone="shoes", happened_at=at)
    assert made.status_code == 201
    of = f"/incidents/{made.json['incident']['id']}"
    assert made.json["incident"]["number"] == "2026-0001"
    told = program.post(f"{of}/entries", person=sofia, kind="statement", words="He ran.", said_by="A shopper")
    assert told.status_code == 200
    loss = program.post(f"{of}/entries", person=sofia, kind="loss", words="Two jackets", amount_cents=24_900)
    again = program.post(f"{of}/entries", person=sofia, kind="loss", words="One jacket", corrects=2)
    assert loss.status_code == again.status_code == 200
    assert [e["currency"] for e in again.json["entries"]] == [None, "EUR", None]
    assert [e["corrected_by"] for e in again.json["entries"]] == [None, 3, None]
    ticked = program.post(f"{of}/check", person=sofia, check="stock-checked").json
    assert [c["name"] for c in ticked["checks"] if c["check"] == "stock-checked"] == ["Sofia"]
    stale = program.post(f"{of}/close", person=sofia, outcome="police", based_on=1)
    assert stale.status_code == 409 and stale.json["holder"] == "Sofia"
    closed = program.post(f"{of}/close", person=sofia, outcome="police", note="File 12").json["incident"]
    assert (closed["state"], closed["outcome"]) == ("closed", "police")
    late = program.post(f"{of}/close", person=sofia, outcome="police")
    assert late.status_code == 409 and "Sofia closed it" in late.json["detail"]
    assert (
        program.post(f"{of}/reopen", person=sofia, reason="A witness came.").json["incident"]["state"]
        == "open"
    )
    whole = program.get(of).json
    assert [line["what"] for line in whole["timeline"]] == [
        "opened", "written", "written", "written", "ticked", "closed", "reopened",
    ]  # fmt: skip
    assert {line["through"] for line in whole["timeline"]} == {"api"}
    assert program.get("/changes", what="incident").json["changes"][0]["actor"] == "Head office"


def test_a_program_has_the_rights_of_whom_it_acts_for(shop: Shop, program: Program, let: Let) -> None:
    of = f"/incidents/{case(shop, 'Mira')}"
    ana, igor = shop.people["Ana"].id, shop.people["Igor"].id
    assert program.post(f"{of}/entries", person=ana, kind="statement", words="Hm.").status_code == 404
    refused = program.post(f"{of}/close", person=igor, outcome="settled")
    assert refused.status_code == 403 and "supervisor" in refused.json["detail"]
    reader = let("read:incidents")
    assert reader.get(of).status_code == 200
    assert reader.post(f"{of}/check", person=igor, check="police-called").status_code == 403


def test_the_list_is_asked_as_at_the_desk(shop: Shop, program: Program) -> None:
    first = case(shop, "Mira")
    shop.clock.pass_(hours=2)
    second = case(shop, "Sofia", closed=True)

    def found(**asked: object) -> list[str]:
        return [one["id"] for one in program.get("/incidents", **asked).json["incidents"]]

    assert found() == [second, first] and found(state="open") == [first]
    assert found(**{"class": "theft"}) == [] and found(**{"class": "complaint", "zone": "shoes"}) == [
        second,
        first,
    ]
    page = program.get("/incidents", limit=1).json
    assert [one["id"] for one in program.get("/incidents", before=page["next"]).json["incidents"]] == [first]
    assert program.get("/incidents", state="lost").status_code == 422
    assert program.get("/incidents", before="nonsense").status_code == 422


def test_who_people_are_never_leaves_by_the_api(shop: Shop, program: Program) -> None:
    from edge.handling import writing

    of, mira = case(shop, "Mira"), shop.people["Mira"].id
    program.post(f"/incidents/{of}/entries", person=mira, kind="person", words="Grey coat", role="shopper")

    def identify(conn: object) -> None:
        who = 2, "J. Doe", "For the police.", shop.clock.now, "desk"
        writing.identify(conn, "trial", of, mira, *who)  # type: ignore[arg-type]

    shop.write(identify)
    answer = program.get(f"/incidents/{of}").text
    assert "Grey coat" in answer and "Doe" not in answer
