"""Calling security from a phone: the bar of every page, its call, taking it back, 'are you safe?'."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa

from edge.handling import incidents

from .callers import FLEETING, FROM_PAGE, alarms, hold, lines
from .conftest import PIN, STORE, Browser, Shop, sign_in

SHOWN = re.compile(r'data-(state|quiet)="[^"]*"')


def test_the_desk_reads_that_it_came_from_a_phone(shop: Shop, ana: Browser, mira: Browser) -> None:
    hold(ana)
    ((request,),) = shop.read("SELECT id FROM interaction WHERE kind = 'security'")
    page = mira.get(f"/manage/log/{request}").text
    assert "Called from a phone" in page and "<dd>a phone</dd>" in page and "Pressed" not in page


def test_the_bar_is_on_every_page_of_the_floor_also_on_one_that_refuses(shop: Shop, ana: Browser) -> None:
    parts = {"floor.manifest", "floor.pages_part", "floor.presence_part", "floor.stream", "floor.colleagues"}
    parts |= {"floor.locked_state", "floor.worker"}
    pages = [
        rule.rule.replace("<person_id>", shop.people["Marc"].id)
        for rule in shop.app.url_map.iter_rules()
        if rule.endpoint.startswith("floor.") and "GET" in rule.methods and rule.endpoint not in parts
    ]
    assert len(pages) > 5
    for page in [*pages, "/floor/colleagues", "/floor/nothing-here"]:
        assert ana.get(page).text.count('id="quiet"') == 1, page
    refused = ana.post("/floor/requests/nothing/acknowledge")
    assert refused.status_code == 404 and 'id="quiet"' in refused.text


def test_there_is_no_bar_where_nobody_is_signed_in_nor_in_other_rooms(shop: Shop, ana: Browser) -> None:
    stranger = Browser(shop.app)
    for browser, page in ((stranger, "/floor/sign-in"), (ana, "/f/"), (ana, "/manage/sign-in")):
        assert 'id="quiet"' not in browser.get(page).text


def test_a_call_sent_five_times_is_one_request_and_confirmed_each_time(shop: Shop, ana: Browser) -> None:
    id_ = uuid4()
    for _ in range(5):
        answer = hold(ana, id_)
        assert (answer.status_code, answer.headers["Floorbell-State"], answer.data) == (204, "sent", b"")
    assert alarms(shop) == [("raised", "hold", 1)]


def test_it_is_confirmed_only_once_it_is_committed_in_one_transaction(
    shop: Shop, ana: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, seen = shop.services.writer.run, []

    def counted(work: Callable[[sa.Connection], object]) -> object:
        seen.append(alarms(shop))
        return run(work)

    monkeypatch.setattr(shop.services.writer, "run", counted)
    assert hold(ana).status_code == 204
    assert seen == [[]] and len(alarms(shop)) == 1


def test_an_aged_form_token_does_not_stop_it_and_another_origin_does(shop: Shop, ana: Browser) -> None:
    ana.client.delete_cookie("floorbell_form", path="/floor")
    assert hold(ana).status_code == 204
    body = {"id": str(uuid4())}
    for headers in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Floorbell-Call": "1"},
    ):
        assert ana.client.post("/floor/quiet/call", data=body, headers=headers).status_code == 403
    # A browser that does not say where it comes from, and a plain form of ours.
    old = ana.client.post("/floor/quiet/call", data=body, headers={"Floorbell-Call": "1"})
    assert old.status_code == 204
    plain = ana.client.post("/floor/quiet/call", data=body, headers={"Sec-Fetch-Site": "same-origin"})
    assert plain.status_code == 303


def test_nothing_limits_how_often_it_is_called(shop: Shop, ana: Browser) -> None:
    for _ in range(6):
        ana.post("/floor/quiet/take-back", person=shop.people["Ana"].id, pin="9999")
    assert {hold(ana).status_code for _ in range(100)} == {204}
    assert alarms(shop) == [("raised", "hold", 100)]


@pytest.mark.parametrize("id_", ["", "nonsense", "1" * 500])
def test_a_call_without_an_id_is_refused_in_a_sentence(shop: Shop, ana: Browser, id_: str) -> None:
    answer = ana.client.post("/floor/quiet/call", data={"id": id_}, headers=FROM_PAGE)
    assert answer.status_code == 400 and "has no id" in answer.text and alarms(shop) == []


def test_nobody_who_is_not_signed_in_calls(shop: Shop) -> None:
    assert hold(Browser(shop.app)).status_code == 403 and alarms(shop) == []


def test_what_a_phone_kept_of_somebody_who_signed_out_is_theirs(shop: Shop, ana: Browser) -> None:
    answer = hold(ana, person=shop.people["Marc"].id, kept_s="42")
    assert (answer.status_code, answer.headers["Floorbell-State"]) == (204, "")
    assert shop.read("SELECT raised_by FROM interaction") == [(shop.people["Marc"].id,)]
    assert lines(shop, "kept") == [
        "Marc did this 42 s earlier; their phone had no connection.",
        "It came from a phone on which Ana is signed in by now.",
    ]
    assert hold(ana, person="nobody").status_code == 404


def test_without_scripts_it_takes_two_taps(shop: Shop, ana: Browser) -> None:
    page = ana.get("/floor/quiet/sure").text
    id_ = re.search(r'name="id" value="([^"]+)"', page)
    assert id_ is not None and alarms(shop) == []
    answer = ana.client.post(
        "/floor/quiet/call", data={"id": id_[1]}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 303 and alarms(shop) == [("raised", "hold", 1)]


def test_a_browser_that_says_nothing_of_itself_shows_by_the_forms_token_that_it_asks_from_here(
    shop: Shop, ana: Browser
) -> None:
    """Without TLS no browser says where a form stands."""
    ana.get("/floor/quiet/sure")
    forged = ana.client.post("/floor/quiet/call", data={"id": str(uuid4()), "csrf_token": "made-up"})
    assert forged.status_code == 403 and alarms(shop) == []
    assert ana.post("/floor/quiet/call", id=uuid4()).status_code == 303
    assert alarms(shop) == [("raised", "hold", 1)]
    foreign = {"Sec-Fetch-Site": "cross-site", "Floorbell-Call": "1"}
    assert ana.client.post("/floor/quiet/call", data={"id": str(uuid4())}, headers=foreign).status_code == 403


def test_the_callers_page_says_nothing_that_can_be_read_until_somebody_comes(
    shop: Shop, ana: Browser, sofia: Browser
) -> None:
    before = FLEETING.sub("", ana.get("/floor/").text)
    hold(ana)
    after = FLEETING.sub("", ana.get("/floor/").text)
    assert (
        before.replace('data-state=""', 'data-state="sent"').replace('data-quiet=""', 'data-quiet="sent"')
        == after
    )
    ((request,),) = shop.read("SELECT id FROM interaction")
    sofia.post(f"/floor/requests/{request}/acknowledge")
    page = ana.get("/floor/").text
    assert "Sofia is coming" in page and 'data-state="coming"' in page
    assert "Security: " not in page and "You called a supervisor" not in page and "data-waiting" not in page


def test_those_called_see_who_called_from_where_and_ask_with_one_tap(
    shop: Shop, ana: Browser, sofia: Browser
) -> None:
    igor = sign_in(shop, "Igor")
    hold(ana)
    hold(ana)
    page = sofia.get("/floor/").text
    assert "Security: place not known" in page and "Ana called" in page and "Urgent" in page
    assert "Nobody knows where Ana is; they work on the whole floor." in page
    ((request,),) = shop.read("SELECT id FROM interaction")
    due = shop.read("SELECT due_at FROM timer")
    sofia.post(f"/floor/requests/{request}/ask-safe")
    assert "Sofia asked Ana: no answer yet" in sofia.get("/floor/").text
    asked = ana.get("/floor/").text
    assert "Sofia: all well with you?" in asked and "data-waiting" not in asked and "safe?" not in asked
    assert ana.post(f"/floor/requests/{request}/answer-safe", answer="perhaps").status_code == 400
    ana.post(f"/floor/requests/{request}/answer-safe", answer="no")
    for browser in (sofia, igor):
        assert "Ana answered: not safe" in browser.get("/floor/").text
    assert "all well with you?" not in ana.get("/floor/").text
    assert shop.read("SELECT due_at FROM timer") == due
    igor.post(f"/floor/requests/{request}/acknowledge")
    assert "Igor is coming" in sofia.get("/floor/").text and "Ask: are you safe?" in sofia.get("/floor/").text


@pytest.mark.usefixtures("sofia")
def test_whoever_is_not_concerned_sees_nothing_of_it(shop: Shop, ana: Browser) -> None:
    marc = sign_in(shop, "Marc")
    hold(ana)
    ((request,),) = shop.read("SELECT id FROM interaction")
    for page in ("/floor/", "/floor/colleagues"):
        text = marc.get(page).text
        assert "Security: " not in text and request not in text and "Ana called" not in text
    assert marc.post(f"/floor/requests/{request}/ask-safe").status_code == 404
    assert marc.post(f"/floor/requests/{request}/answer-safe", answer="yes").status_code == 404


def test_taking_it_back_wants_the_callers_own_pin(shop: Shop, ana: Browser) -> None:
    hold(ana)
    ((request,),) = shop.read("SELECT id FROM interaction")
    ana.get("/floor/quiet")
    me = shop.people["Ana"].id
    assert ana.post(f"/floor/requests/{request}/call-off").status_code == 404
    wrong = ana.post("/floor/quiet/take-back", person=me, pin="9999")
    assert wrong.status_code == 403 and "That PIN is not right." in wrong.text
    assert ana.post("/floor/quiet/take-back", person=shop.people["Marc"].id, pin=PIN).status_code == 404
    assert [state for state, *_ in alarms(shop)] == ["raised"]
    assert ana.post("/floor/quiet/take-back", person=me, pin=PIN).status_code == 303
    assert [state for state, *_ in alarms(shop)] == ["cancelled"]
    assert lines(shop, "cancelled") == ["Ana needs nobody any more."]


def test_the_callers_phone_says_nothing_of_its_incident_until_others_have_ended_it(
    shop: Shop, ana: Browser, sofia: Browser
) -> None:
    igor = sign_in(shop, "Igor")
    pages = ("/floor/", "/floor/incidents", "/floor/looks")
    for caller in (ana, sofia):
        before = [SHOWN.sub("", FLEETING.sub("", caller.get(page).text)) for page in pages]
        hold(caller)
        while shop.write(lambda conn: incidents.open_due(conn, STORE, shop.clock())):
            pass
        assert [SHOWN.sub("", FLEETING.sub("", caller.get(page).text)) for page in pages] == before
        request = shop.read("SELECT id FROM interaction WHERE state = 'raised'")[0][0]
        igor.post(f"/floor/requests/{request}/acknowledge")
        igor.post(f"/floor/requests/{request}/resolve", outcome="handled")
        shown, mark = caller.get("/floor/incidents").text, 'class="case"'
        assert shown.count(mark) == before[1].count(mark) + 1
        assert caller.get(f"/floor/incidents/new?request={request}").status_code == 200


def test_guessing_there_and_at_the_door_is_one_budget(shop: Shop, ana: Browser) -> None:
    me = shop.people["Ana"]
    ana.get("/floor/quiet")
    for _ in range(5):
        assert ana.post("/floor/quiet/take-back", person=me.id, pin="9999").status_code == 403
    assert ana.post("/floor/quiet/second-pin", person=me.id, pin=PIN).status_code == 429
    # Without the field there is no second budget.
    assert ana.post("/floor/quiet/take-back", pin=PIN).status_code == 404
    assert ana.sign_in(me).status_code == 429
