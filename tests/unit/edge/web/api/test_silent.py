"""A token without the scope security never learns of a silent request."""

import csv
import io
import itertools

import pytest
import sqlalchemy as sa

from edge.db.tables import interaction
from edge.handling.telling import Telling
from edge.interactions import index
from edge.interactions import store as requests
from edge.paging import feed
from tests.unit.edge.web.conftest import STORE, Shop

from .conftest import Let, Program


@pytest.fixture
def silent(shop: Shop) -> str:
    """A silent request that nobody has answered."""
    request = shop.raise_request("Igor", kind="security", note="umbrella")
    while shop.write(lambda conn: index.settle(conn, STORE)):
        pass
    return request


@pytest.fixture
def plain(let: Let) -> Program:
    """Everything but security."""
    return let("read:log", "read:reports", "read:store", "write:people", "act:requests")


@pytest.fixture
def trusted(let: Let) -> Program:
    return let("read:log", "read:store", "security")


def test_not_in_the_search_by_whatever_is_asked(
    shop: Shop, silent: str, plain: Program, trusted: Program
) -> None:
    igor = shop.people["Igor"].id
    for asked in ({}, {"kind": "security"}, {"q": "umbrella"}, {"person": igor}, {"zone": "shoes"}):
        assert plain.get("/interactions", **asked).json["interactions"] == []
        assert [one["id"] for one in trusted.get("/interactions", **asked).json["interactions"]] == [silent]


def test_not_by_its_own_address(silent: str, plain: Program, trusted: Program) -> None:
    hidden, unknown = plain.get(f"/interactions/{silent}"), plain.get("/interactions/nothing")
    assert hidden.status_code == unknown.status_code == 404 and hidden.json == unknown.json
    assert trusted.get(f"/interactions/{silent}").json["interaction"]["silent"] is True


def test_not_in_a_file(silent: str, plain: Program, trusted: Program) -> None:
    def ids(program: Program) -> list[str]:
        text = program.get("/interactions.csv").text.removeprefix("\ufeff")
        return [row["id"] for row in csv.DictReader(io.StringIO(text))]

    assert (ids(plain), ids(trusted)) == ([], [silent])


def test_not_on_the_floor_nor_in_what_keeps_somebody_busy(
    shop: Shop, silent: str, plain: Program, trusted: Program
) -> None:
    own(shop, silent, "Igor")
    assert plain.get("/floor").json["requests"] == []
    assert not any(person["busy_with"] for person in plain.get("/floor").json["people"])
    assert [one["id"] for one in trusted.get("/floor").json["requests"]] == [silent]


def test_not_in_the_reports(shop: Shop, plain: Program) -> None:
    # A loud request that a silent press has joined.
    shop.raise_request("Ana", silent=True)
    assert plain.get("/reports/answers").json["waiting"] == 0
    shop.raise_request("Ana")
    assert plain.get("/reports/answers").json["waiting"] == 1


def test_not_in_a_refusal(shop: Shop, silent: str, plain: Program) -> None:
    own(shop, silent, "Igor")
    answer = plain.post(f"/people/{shop.people['Igor'].id}/disable")
    assert answer.status_code == 409 and answer.json["detail"].startswith(
        "This cannot be done at this moment"
    )


def test_not_among_the_events_of_its_device(kiosk: str, plain: Program, trusted: Program) -> None:
    assert plain.get(f"/devices/{kiosk}").json["events"] is None
    assert trusted.get(f"/devices/{kiosk}").json["events"] == []


@pytest.mark.parametrize("replayed", [False, True])
def test_not_in_the_stream_live_or_in_replay(
    shop: Shop, silent: str, plain: Program, trusted: Program, replayed: bool
) -> None:
    loud = shop.raise_request("Ana")

    def tell(conn: sa.Connection) -> None:
        telling = Telling(STORE)
        for request in (silent, loud):
            telling.changed(requests.load(conn, STORE, request), [shop.people["Igor"].id])
        telling.device("kiosk-1", "online")
        telling.flush(conn, shop.clock.now)

    with shop.services.read() as conn:
        before = feed.head(conn, STORE)
    if replayed:
        shop.write(tell)
    heard = {}
    for name, program in (("plain", plain), ("trusted", trusted)):
        headers = {"Last-Event-ID": str(before)} if replayed else {}
        answer = program.ask("GET", "/stream", headers=headers, buffered=False)
        assert answer.mimetype == "text/event-stream"
        heard[name] = answer.response
    if not replayed:
        shop.write(tell)
        shop.services.hub.pump()
    said = {
        name: "".join(chunk.decode() for chunk in itertools.islice(stream, 3 if name == "plain" else 4))
        for name, stream in heard.items()
    }
    assert loud in said["plain"] and "kiosk-1" in said["plain"] and silent not in said["plain"]
    assert silent in said["trusted"] and loud in said["trusted"]


def own(shop: Shop, request: str, name: str) -> None:
    shop.write(
        lambda conn: conn.execute(
            sa.update(interaction)
            .where(interaction.c.id == request)
            .values(state="acknowledged", owner=shop.people[name].id)
        )
    )
