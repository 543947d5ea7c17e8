"""The log by the API: search, pages of it, one with its timeline, the floor, files, the stream's end."""

import itertools

from edge.interactions.exporting import COLUMNS
from edge.tokens import store as tokens
from tests.unit.edge.web.conftest import STORE, Shop

from .conftest import Let, Program


def test_the_search_takes_the_filters_of_the_desk(shop: Shop, all_scopes: Program) -> None:
    first = shop.raise_request("Ana")
    shop.clock.pass_(minutes=1)
    second = shop.raise_request("Marc", zone="tills", state="missed")

    def found(**asked: object) -> list[str]:
        return [one["id"] for one in all_scopes.get("/interactions", **asked).json["interactions"]]

    assert found() == [second, first]
    assert found(zone="tills") == found(state="missed") == [second]
    assert found(person=shop.people["Ana"].id) == [first]
    assert found(**{"from": "2026-03-02T10:00:30Z"}) == [second]
    assert found(to="2026-03-02T10:01:00Z") == [first]


def test_pages_of_the_log_hold_each_entry_once(shop: Shop, all_scopes: Program) -> None:
    raised = set()
    for number in range(25):
        raised.add(shop.raise_request())
        shop.clock.pass_(seconds=number % 2)
    found: list[str] = []
    before = ""
    for _ in range(4):
        page = all_scopes.get("/interactions", limit=7, before=before).json
        found += [one["id"] for one in page["interactions"]]
        before = page["next"] or ""
    assert not before and len(found) == 25 and set(found) == raised


def test_one_interaction_with_its_timeline_and_pages(shop: Shop, all_scopes: Program) -> None:
    request = shop.raise_request("Ana", "Marc")
    whole = all_scopes.get(f"/interactions/{request}").json
    assert whole["interaction"]["topic"] == "fitting-room" and whole["interaction"]["raised_at"]
    assert {page["person_name"] for page in whole["pages"]} == {"Ana", "Marc"}
    assert (whole["timeline"], whole["ratings"], whole["earlier_pages"]) == ([], [], 0)


def test_the_floor_says_who_waits_and_who_is_there(shop: Shop, all_scopes: Program) -> None:
    request = shop.raise_request("Ana")
    floor = all_scopes.get("/floor").json
    (waiting,) = floor["requests"]
    assert waiting["id"] == request and [one["name"] for one in waiting["called"]] == ["Ana"]
    assert {one["name"] for one in floor["people"]} == shop.people.keys()


def test_the_log_as_files(shop: Shop, all_scopes: Program) -> None:
    shop.raise_request("Ana")
    lines = all_scopes.get("/interactions.csv").text.splitlines()
    assert len(lines) == 2 and lines[0].removeprefix("\ufeff").split(",") == list(COLUMNS)
    assert all_scopes.get("/interactions.xlsx").data.startswith(b"PK")


def test_a_stream_ends_when_its_token_is_revoked(shop: Shop, let: Let) -> None:
    program = let("read:log")
    answer = program.ask("GET", "/stream", buffered=False)
    shop.write(lambda conn: tokens.revoke(conn, STORE, program.token.id, shop.clock.now))
    assert len(list(itertools.islice(answer.response, 3))) == 1


def test_a_head_of_the_stream_holds_no_place(shop: Shop, let: Let) -> None:
    assert let("read:log").ask("HEAD", "/stream").status_code == 200
    assert shop.services.hub.open_streams == 0
