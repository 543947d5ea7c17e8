"""A token without the scope security never learns of a silent request."""

import csv
import io
import itertools

import openpyxl
import pytest
import sqlalchemy as sa

from broker.events import new_id
from edge.db.tables import interaction
from edge.handling.telling import Telling
from edge.interactions import index
from edge.interactions import store as requests
from edge.paging import feed
from edge.web.logged import HEADER
from tests.unit.edge.web.conftest import STORE, Shop

from .busy import COVERED, aside, case, standing
from .conftest import Let, Program


@pytest.fixture(params=["kiosk", "phone"])
def silent(shop: Shop, request: pytest.FixtureRequest) -> str:
    """A silent request that nobody has answered, of a kiosk or of somebody's phone."""
    more: dict[str, object] = {}
    if request.param == "phone":
        more = {"device": "phone", "topic": "hold", "raised_by": shop.people["Ana"].id}
    request_id = shop.raise_request("Igor", kind="security", note="umbrella", **more)
    while shop.write(lambda conn: index.settle(conn, STORE)):
        pass
    return request_id


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


def test_no_act_tells_it_from_a_request_that_never_was(
    shop: Shop, silent: str, plain: Program, let: Let
) -> None:
    igor, sofia, nothing = shop.people["Igor"].id, shop.people["Sofia"].id, str(new_id(0))
    before = shop.read("SELECT * FROM interaction")
    for act, body in {
        "acknowledge": {},
        "attend": {},
        "resolve": {"outcome": "helped"},
        "decline": {"reason": "busy"},
        "hand-over": {"to": sofia},
        "take-back": {},
        "supervisor": {},
        "call-off": {},
        "ask-safe": {},
        "answer-safe": {"safe": True},
    }.items():
        for person in (igor, sofia, shop.people["Ana"].id):
            answers = [
                plain.post(f"/interactions/{id_}/{act}", person=person, **body) for id_ in (silent, nothing)
            ]
            assert [one.status_code for one in answers] == [404, 404], (act, answers[0].json)
            assert answers[0].data == answers[1].data
            # The request's own id is by chance.
            told = [{name: said for name, said in one.headers if name != HEADER} for one in answers]
            assert told[0] == told[1]
    assert shop.read("SELECT * FROM interaction") == before
    # Nor does whoever may not even read the log.
    poor = let("read:store")
    hidden, unknown = (poor.get(f"/interactions/{id_}") for id_ in (silent, nothing))
    assert hidden.status_code == unknown.status_code == 403 and hidden.data == unknown.data


def test_nobody_calls_security_with_it_nor_finds_a_call_by_calling_a_supervisor(
    shop: Shop, plain: Program, let: Let
) -> None:
    ana, id_ = shop.people["Ana"].id, "01890a5d-ac96-774b-bcce-b302099a8057"
    assert plain.post("/security", person=ana, id=id_).status_code == 403
    trusted = let("act:requests", "security")
    called = [trusted.post("/security", person=ana, id=id_, kept_s=3) for _ in range(2)]
    assert [one.status_code for one in called] == [201, 201] and called[0].json == called[1].json
    other = plain.post("/supervisor", person=ana, zone="shoes")
    assert other.status_code == 201 and other.json != called[0].json


def test_the_caller_is_asked_and_answers_by_programs_that_may_know_of_it(shop: Shop, let: Let) -> None:
    ana, sofia = shop.people["Ana"].id, shop.people["Sofia"].id
    trusted = let("act:requests", "read:log", "security")
    call = {"person": ana, "id": "01890a5d-ac96-774b-bcce-b302099a8057"}
    request = trusted.post("/security", **call).json["interaction"]
    assert trusted.post(f"/interactions/{request}/answer-safe", person=ana, safe=True).status_code == 409
    assert trusted.post(f"/interactions/{request}/ask-safe", person=sofia).status_code == 200
    assert trusted.post(f"/interactions/{request}/answer-safe", person=ana, safe=False).status_code == 200
    said = [line["words"] for line in trusted.get(f"/interactions/{request}").json["timeline"]]
    assert said[-2:] == ["Sofia asks whether the caller is safe.", "Ana answers: I am not safe."]


def test_not_by_its_code(shop: Shop, silent: str, plain: Program) -> None:
    code = str(shop.read("SELECT reference FROM interaction WHERE id = :id", id=silent)[0][0])
    hidden, unknown = (plain.get(f"/feedback/by-code/{one}") for one in (code, "000-000"))
    assert hidden.status_code == 404 and hidden.data == unknown.data
    hidden, unknown = (plain.post(f"/feedback/by-code/{one}", score=1) for one in (code, "000-000"))
    assert hidden.status_code == 404 and hidden.data == unknown.data
    typed = plain.post("/feedback", person=shop.people["Ana"].id, source="desk", score=1, reference=code)
    assert typed.status_code == 422 and "No request of the last" in typed.json["detail"]


def test_not_on_the_phone_of_whom_it_pages(shop: Shop, silent: str, plain: Program, let: Let) -> None:
    igor = shop.people["Igor"].id
    trusted = let("act:requests", "security")
    assert plain.get(f"/people/{igor}/pages").json["pages"] == []
    (page,) = trusted.get(f"/people/{igor}/pages").json["pages"]
    for what in ("delivered", "seen"):
        assert plain.post(f"/people/{igor}/pages/{what}", pages=[page["page"]]).status_code == 204
    assert shop.read("SELECT state FROM page") == [("pending",)]


def test_not_in_the_changes(shop: Shop, silent: str, plain: Program, let: Let) -> None:
    trusted = let("act:requests", "security", "read:store")
    igor = shop.people["Igor"].id
    assert trusted.post(f"/interactions/{silent}/acknowledge", person=igor).status_code == 200
    assert plain.get("/changes", what="silent").json["changes"] == []
    assert [one["what"] for one in plain.get("/changes", by=trusted.token.name).json["changes"]] == []
    assert [one["what"] for one in trusted.get("/changes", what="silent").json["changes"]]


def test_not_in_a_file(silent: str, plain: Program, trusted: Program) -> None:
    def ids(program: Program) -> list[str]:
        text = program.get("/interactions.csv").text.removeprefix("\ufeff")
        return [row["id"] for row in csv.DictReader(io.StringIO(text))]

    def cells(program: Program) -> list[str]:
        sheet = openpyxl.load_workbook(io.BytesIO(program.get("/interactions.xlsx").data)).active
        return [str(cell.value) for row in sheet.iter_rows(min_row=2) for cell in row]

    assert (ids(plain), ids(trusted)) == ([], [silent])
    assert cells(plain) == [] and silent in cells(trusted)


def test_not_as_an_incident_nor_by_the_numbers_of_others(
    shop: Shop, silent: str, plain: Program, trusted: Program, let: Let
) -> None:
    hidden, shown = case(shop, "Igor", silent), case(shop, "Mira")
    poor = let("read:incidents", "act:incidents", "read:log", "read:store")
    rich = let("read:incidents", "act:incidents", "security")

    def listed(program: Program, **asked: str) -> list[tuple[str, str | None]]:
        found = program.get("/incidents", **asked).json["incidents"]
        return [(one["id"], one["number"]) for one in found]

    assert sorted(listed(rich)) == sorted([(hidden, "2026-0001"), (shown, "2026-0002")])
    assert listed(poor) == listed(poor, q="rude") == [(shown, None)]
    assert listed(poor, q="2026-0001") == listed(poor, q="2026-0002") == []
    assert listed(rich, q="2026-0001") == [(hidden, "2026-0001")]
    nothing, mira = str(new_id(0)), shop.people["Mira"].id
    answers = [poor.get(f"/incidents/{id_}") for id_ in (hidden, nothing)]
    for act, body in {
        "entries": {"kind": "statement", "words": "It was loud."},
        "check": {"check": "police-called"},
        "close": {"outcome": "settled"},
        "reopen": {"reason": "Because."},
        "link": {"code": "ZZZ-ZZZ"},
        "ask-account": {"of": mira},
    }.items():
        answers = [poor.post(f"/incidents/{id_}/{act}", person=mira, **body) for id_ in (hidden, nothing)]
        assert [one.status_code for one in answers] == [404, 404], act
        assert answers[0].data == answers[1].data
    new = {"person": mira, "class": "theft", "zone": "shoes", "happened_at": shop.clock.now.isoformat()}
    for about in (silent, nothing):
        assert poor.post("/incidents", about=about, **new).status_code == 404
    code = str(shop.read("SELECT reference FROM interaction WHERE id = :id", id=silent)[0][0])
    for id_ in (code, silent):
        assert poor.post(f"/incidents/{shown}/link", person=mira, code=id_).status_code == 422
    # What a program did to a silent one is named to those who may know of it.
    assert rich.post(f"/incidents/{hidden}/check", person=mira, check="police-called").status_code == 200
    assert poor.get("/changes").json["changes"] == [
        one for one in trusted.get("/changes").json["changes"] if not one["what"].startswith("silent")
    ]
    assert [one["what"] for one in trusted.get("/changes", what="silent").json["changes"]] == [
        "silent.incident_ticked"
    ]


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


def test_not_in_what_was_refused_nor_in_the_numbers_of_events(
    shop: Shop, plain: Program, trusted: Program
) -> None:
    standing(shop, "kiosk-1", "shoes")
    aside(shop, "kiosk-1", "security", b"broken")
    aside(shop, "kiosk-1", "cancel", b"broken too")
    everything = [one["id"] for one in trusted.get("/refused-messages").json["messages"]]
    shown = [one["id"] for one in plain.get("/refused-messages").json["messages"]]
    assert (len(everything), len(shown)) == (3, 1)
    assert [one["id"] for one in plain.get("/devices/kiosk-1").json["refused"]] == shown
    for number in set(everything) - set(shown):
        hidden, unknown = (plain.get(f"/refused-messages/{n}") for n in (number, 10**9))
        assert hidden.status_code == 404 and hidden.data == unknown.data
        assert trusted.get(f"/refused-messages/{number}").status_code == 200
    assert "oldest_open_seq" not in plain.get("/devices/kiosk-1").json["heartbeat"]
    assert trusted.get("/devices/kiosk-1").json["heartbeat"]["oldest_open_seq"] == 9


def test_not_in_what_a_device_says_is_wrong_with_it(shop: Shop, plain: Program, trusted: Program) -> None:
    standing(shop, "kiosk-1", "shoes")
    for program, faults in ((plain, 1), (trusted, 3)):
        (listed,) = program.get("/devices").json["devices"]
        whole = program.get("/devices/kiosk-1").json
        assert len(listed["faults"]) == len(whole["device"]["faults"]) == faults
        assert listed["faults"][0] == COVERED
        assert ("stuck" in whole["heartbeat"], len(whole["heartbeat"]["faults"])) == (
            faults == 3,
            faults // 2 + 1,
        )


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
