"""Access requests for other programs: opened, extended, answered; who asked and what a person sees stays at
the desk."""

from tests.unit.edge.web.conftest import Shop

from .conftest import Let

NEW = {
    "came": "email",
    "received_on": "2026-03-01",
    "contact": "a@example.org",
    "identity": "Signed mail",
    "zone": "shoes",
    "began_at": "2026-03-02T09:00:00Z",
    "ended_at": "2026-03-02T10:00:00Z",
}


def test_a_program_opens_extends_and_answers_one(shop: Shop, let: Let, kiosk: str) -> None:
    clip = shop.seal(shop.raise_request("Ana"), b"loud")
    asker = let("read:evidence", "act:evidence", "security", name="Post room")
    made = asker.post("/access-requests", **NEW)
    assert made.status_code == 201
    one = made.json["access_request"]
    assert (one["number"], one["due_on"], one["days_left"]) == ("2026-0001", "2026-04-01", 30)
    assert "a@example.org" not in made.text
    assert [(c["clip"], c["held"], c["shows_asker"]) for c in made.json["clips"]] == [(clip, True, False)]
    address = f"/access-requests/{one['id']}"
    told = {"told_on": "2026-03-02", "reason": "Many clips"}
    assert asker.post(f"{address}/extend", **told, based_on=7).status_code == 409
    longer = asker.post(f"{address}/extend", **told, based_on=one["revision"])
    assert longer.json["access_request"]["due_on"] == "2026-06-01"
    refused = asker.post(f"{address}/answer", how="footage", letter="Dear asker.")
    assert refused.status_code == 409 and "No clip is marked" in refused.json["detail"]
    answered = asker.post(f"{address}/answer", how="nothing")
    assert answered.json["access_request"]["state"] == "answered"
    assert answered.json["access_request"]["days_left"] is None
    assert asker.post(f"{address}/close").status_code == 200
    assert (
        asker.post(f"{address}/reopen", reason="Another clip").json["access_request"]["state"] == "extended"
    )
    assert [row["id"] for row in asker.get("/access-requests").json["access_requests"]] == [one["id"]]


def test_what_holds_silent_clips_too_is_for_those_who_see_them(let: Let) -> None:
    plain = let("read:evidence", "act:evidence")
    assert plain.get("/access-requests").status_code == 403
    assert plain.post("/access-requests", **NEW).status_code == 403
    reader = let("read:evidence", "security", name="Reader")
    assert reader.get("/access-requests").json == {"access_requests": []}
    assert reader.post("/access-requests", **NEW).status_code == 403


def test_what_cannot_be_opened_is_refused_in_a_sentence(let: Let) -> None:
    asker = let("read:evidence", "act:evidence", "security")
    late = asker.post("/access-requests", **NEW | {"ended_at": "2026-03-05T10:00:00Z"})
    assert late.status_code == 422 and "24 hours" in late.text
    assert asker.post("/access-requests", **NEW | {"received_on": "soon"}).status_code == 422
    first = {"began_at": "0001-01-01T00:00:00+14:00", "ended_at": "0001-01-01T10:00:00+14:00"}
    early = asker.post("/access-requests", **NEW | first)
    assert early.status_code == 422 and "fifty years" in early.text
