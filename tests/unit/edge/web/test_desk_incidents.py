"""Incidents at the desk: the list by its address, one with all its parts, and every form of it."""

import csv
import io
import re

import pytest
import sqlalchemy as sa

from edge.db.incident_tables import incident
from edge.handling import incidents

from .conftest import STORE, Browser, Shop
from .test_floor_incidents import hidden, written


@pytest.fixture
def sofia(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Sofia")
    return visitor


def opened(browser: Browser, shop: Shop, classed: str = "theft", words: str = "He ran.", **more: str) -> str:
    """The address of an incident that is opened by hand."""
    page = browser.get("/manage/incidents/new").text
    form = {name: hidden(page, name) for name in ("case", "entry")}
    at = f"{shop.clock.now.astimezone():%Y-%m-%dT%H:%M}"
    done = browser.post(
        "/manage/incidents/new", zone="shoes", at=at, words=words, **form, **{"class": classed}, **more
    )
    assert done.status_code == 303, done.text
    return done.location


def test_one_is_opened_by_hand_and_stands_in_the_list(shop: Shop, mira: Browser) -> None:
    at = opened(mira, shop, said_by="A shopper in a grey coat")
    text = mira.get(at).text
    assert "A shopper in a grey coat" in text and "He ran." in text and "2026-0001" in text
    listed = mira.get("/manage/incidents").text
    assert "2026-0001" in listed and "Theft" in listed and at in listed
    assert written(shop)[0][:4] == (1, "statement", "He ran.", "Mira")


def test_the_list_is_narrowed_by_its_address(shop: Shop, mira: Browser) -> None:
    theft, injury = opened(mira, shop), opened(mira, shop, "injury", "She fell, 100% wet floor.")
    mira.get(injury)
    mira.post(f"{injury}/close", outcome="settled")

    def found(query: str) -> set[str]:
        return set(
            re.findall(r"/manage/incidents/[0-9a-f-]{36}", mira.get(f"/manage/incidents?{query}").text)
        )

    assert found("") == {theft, injury}
    assert found("state=open") == found("class=theft") == found("q=ran") == found("q=2026-0001") == {theft}
    assert found("state=closed") == found("q=100%25") == {injury}
    assert found("zone=tills") == found("from=2026-03-03") == set() and found("to=2026-03-02") == {
        theft,
        injury,
    }
    for wrong in ("state=lost", "class=murder", "from=soon", "before=x"):
        refused = mira.get(f"/manage/incidents?{wrong}")
        assert refused.status_code == 400 and "The address says" in refused.text
    rows = list(
        csv.DictReader(
            io.StringIO(mira.get("/manage/incidents.csv?state=closed").text.removeprefix("\ufeff"))
        )
    )
    assert [(r["number"], r["class"], r["outcome"], r["entries"]) for r in rows] == [
        ("2026-0002", "injury", "settled", "1")
    ]


def test_everything_is_written_with_who_and_when_and_corrected_by_a_further_entry(
    shop: Shop, mira: Browser
) -> None:
    at = opened(mira, shop)
    for form in (
        {"kind": "person", "words": "About 30, red cap", "role": "witness"},
        {"kind": "loss", "words": "Two jackets", "amount": "249,90"},
        {"kind": "action", "words": "The door was locked"},
        {"kind": "loss", "words": "One jacket", "amount": "124.95", "corrects": "3"},
    ):
        assert mira.post(f"{at}/write", **form).status_code == 303
    text = mira.get(at).text
    for shown in (
        "Witness",
        "249.90 EUR",
        "124.95 EUR",
        "Amount in EUR",
        "The door was locked",
        'Corrected by <a href="#entry-5">',
    ):
        assert shown in text, shown
    # What is lost is counted without what was corrected.
    assert "<dt>Lost, as far as is known</dt><dd>124.95 EUR</dd>" in text
    wrong = mira.post(f"{at}/write", kind="loss", words="A hat", amount="much")
    assert (
        wrong.status_code == 400
        and "it looks like 249, 249.90 or 249,90" in wrong.text
        and "A hat" in wrong.text
    )
    assert mira.post(f"{at}/write", kind="poem", words="O").status_code == 400
    assert len(written(shop)) == 5


def test_who_somebody_is_needs_a_reason_and_is_shown_to_the_desk_alone(shop: Shop, sofia: Browser) -> None:
    at = opened(sofia, shop)
    sofia.post(f"{at}/write", kind="person", words="About 30, red cap", role="shopper")
    refused = sofia.post(f"{at}/identify", number="2", identity="J. Doe", reason=" ")
    assert (
        refused.status_code == 400 and "The reason has 0 signs" in refused.text and "J. Doe" in refused.text
    )
    sofia.post(f"{at}/identify", number="2", identity="J. Doe", reason="The police ask for it.")
    assert "<b>J. Doe</b>" in sofia.get(at).text
    igor = Browser(shop.app)
    igor.sign_in(shop.people["Igor"])
    phone = igor.get(at.replace("/manage/", "/floor/")).text
    assert "red cap" in phone and "Doe" not in phone
    shop.services.errands.record_noted()
    looks = shop.read(
        "SELECT what, subject, actor, through, words FROM audit WHERE subject = :id", id=at[-36:]
    )
    assert [row[:4] for row in looks] == [("incident.identities_shown", at[-36:], "Sofia", "desk")]
    assert "Doe" not in str(looks)


def test_closing_and_opening_again_and_whoever_is_late_is_told_who_was_first(
    shop: Shop, mira: Browser, sofia: Browser
) -> None:
    at = opened(mira, shop)
    seen = hidden(sofia.get(at).text, "based_on")
    mira.post(f"{at}/write", kind="statement", words="A second one.")
    stale = sofia.post(f"{at}/close", outcome="police", note="File 12", based_on=seen)
    assert stale.status_code == 409 and "Mira wrote down a statement" in stale.text
    assert 'value="File 12"' in stale.text
    assert sofia.post(f"{at}/close", outcome="police", note="File 12").status_code == 303
    late = mira.post(f"{at}/close", outcome="settled")
    assert late.status_code == 409 and "Sofia closed it: Handed to the police." in late.text
    assert mira.post(f"{at}/tick", check="police-called").status_code == 409
    assert mira.post(f"{at}/reopen", reason="").status_code == 409
    assert mira.post(f"{at}/reopen", reason="A witness has come.").status_code == 303
    text = mira.get(at).text
    for line in ("Mira opened it.", "Sofia closed it", "Mira opened it again: “A witness has come.”"):
        assert line in text
    assert shop.read("SELECT state, outcome FROM incident") == [("open", None)]


def test_the_checklist_follows_the_class(shop: Shop, mira: Browser) -> None:
    at = opened(mira, shop)
    mira.post(f"{at}/tick", check="stock-checked")
    local = f"{shop.clock.now.astimezone():%Y-%m-%dT%H:%M:%S}"
    changed = mira.post(f"{at}/correct", zone="shoes", at=local, **{"class": "injury"})
    assert changed.status_code == 303
    text = mira.get(at).text
    assert "class Theft → Injury." in text and "First aid given" in text
    # What was ticked before is still told.
    assert re.search(r"Stock checked</b><span class=\"where\">Mira, ", text)


def test_an_interactions_page_leads_to_its_incidents_and_opens_one(shop: Shop, mira: Browser) -> None:
    request = shop.raise_request("Ana")
    page = mira.get(f"/manage/log/{request}").text
    assert f"/manage/incidents/new?about={request}" in page
    form = mira.get(f"/manage/incidents/new?about={request}").text
    kept = {name: hidden(form, name) for name in ("case", "entry", "about")}
    at = f"{shop.clock.now.astimezone():%Y-%m-%dT%H:%M}"
    done = mira.post("/manage/incidents/new", zone="shoes", at=at, **kept, **{"class": "complaint"})
    assert done.status_code == 303 and written(shop) == []
    assert f"/manage/log/{request}" in mira.get(done.location).text
    assert done.location in mira.get(f"/manage/log/{request}").text
    assert mira.get("/manage/incidents/new?about=nothing").status_code == 404


def test_a_security_request_has_one_incident_also_where_it_is_opened_by_hand(
    shop: Shop, mira: Browser
) -> None:
    alarm = shop.raise_request("Igor", kind="security")
    form = mira.get(f"/manage/incidents/new?about={alarm}").text
    kept = {name: hidden(form, name) for name in ("case", "entry", "about")}
    at = f"{shop.clock.now.astimezone():%Y-%m-%dT%H:%M}"
    done = mira.post("/manage/incidents/new", zone="shoes", at=at, words="", **kept, **{"class": "threat"})
    shop.write(lambda conn: incidents.open_due(conn, STORE, shop.clock.now))
    assert done.status_code == 303 and shop.read("SELECT request FROM incident") == [(alarm,)]
    assert "Open an incident" not in mira.get(f"/manage/log/{alarm}").text


def test_another_request_is_linked_by_its_code_and_its_clips_come_along(
    shop: Shop, mira: Browser, alarm: str, clip: str
) -> None:
    shop.clock.pass_(hours=3)
    at = opened(mira, shop)
    (code,) = shop.read("SELECT reference FROM interaction WHERE id = :id", id=alarm)[0]
    refused = mira.post(f"{at}/link", code="ZZZ-ZZZ")
    assert refused.status_code == 400 and "Nothing in the log has the code" in refused.text
    assert mira.post(f"{at}/link", code=str(code).lower()).status_code == 303
    text = mira.get(at).text
    assert f"/manage/log/{alarm}" in text and f"/manage/evidence/{clip}" in text and "silent request" in text


def test_a_supervisor_sees_no_clips_and_asks_for_an_account(
    shop: Shop, mira: Browser, sofia: Browser, alarm: str, clip: str
) -> None:
    page = mira.get(f"/manage/incidents/new?about={alarm}").text
    kept = {name: hidden(page, name) for name in ("case", "entry", "about")}
    at = f"{shop.clock.now.astimezone():%Y-%m-%dT%H:%M}"
    done = mira.post("/manage/incidents/new", zone="shoes", at=at, **kept, **{"class": "threat"}).location
    assert f"/manage/evidence/{clip}" in mira.get(done).text
    text = sofia.get(done).text
    assert clip not in text and "Only a manager or an admin sees what cameras have recorded." in text
    assert sofia.post(f"{done}/ask-account", of=shop.people["Ana"].id).status_code == 409
    complaint = opened(sofia, shop, "complaint", "She was rude.")
    assert sofia.post(f"{complaint}/ask-account", of=shop.people["Ana"].id).status_code == 303
    assert "not written yet" in sofia.get(complaint).text


def test_nobody_of_another_room_gets_in_and_a_form_without_its_token_changes_nothing(
    shop: Shop, mira: Browser
) -> None:
    at = opened(mira, shop)
    stranger = Browser(shop.app)
    assert stranger.get(at).location == "/manage/sign-in"
    assert stranger.client.post(f"{at}/close", data={"outcome": "settled"}).status_code in (400, 403)
    assert mira.client.post(f"{at}/close", data={"outcome": "settled"}).status_code == 400
    assert mira.post(f"{at}/sing").status_code == 404
    assert mira.get("/manage/incidents/nothing").status_code == 404
    assert shop.read("SELECT state FROM incident") == [("open",)]


def test_a_clip_is_kept_while_its_incident_is_open_and_for_a_time_after_and_says_so(
    shop: Shop, mira: Browser, alarm: str, clip: str
) -> None:
    pages = [f"/manage/evidence/{clip}", "/manage/evidence", f"/manage/log/{alarm}"]
    own = {page: mira.get(page).text for page in pages}
    assert all("until 31 May 2026" in text and "while incident" not in text for text in own.values())
    shop.write(lambda conn: incidents.of_request(conn, STORE, alarm, shop.clock.now))
    at = mira.get(f"/manage/log/{alarm}").text
    case = re.findall(r"/manage/incidents/[0-9a-f-]{36}", at)[0]
    for page in [*pages, case]:
        text = mira.get(page).text
        assert "while incident 2026-0001 is open" in text and "until 31 May" not in text, page
    shop.clock.pass_(hours=2)
    shop.write(
        lambda conn: conn.execute(sa.update(incident).values(state="closed", closed_at=shop.clock.now))
    )
    assert "with incident 2026-0001 until 31 May 2026" in mira.get(pages[0]).text
