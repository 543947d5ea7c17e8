"""Incidents on the phone: a first report from a security request, and each person's own part afterwards."""

import re

import pytest
import sqlalchemy as sa

from edge.db.tables import interaction
from edge.handling import incidents, writing
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import New

from .conftest import STORE, Browser, Shop


@pytest.fixture
def phones(shop: Shop) -> dict[str, Browser]:
    found = {}
    for name in ("Ana", "Marc", "Igor"):
        found[name] = Browser(shop.app)
        found[name].sign_in(shop.people[name])
    return found


def over(shop: Shop, request: str, owner: str) -> None:
    values = {"state": "resolved", "owner": shop.people[owner].id, "closed_at": shop.clock.now}
    shop.write(
        lambda conn: conn.execute(sa.update(interaction).where(interaction.c.id == request).values(**values))
    )


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def written(shop: Shop) -> list[tuple[object, ...]]:
    return shop.read("SELECT number, kind, words, name, corrects FROM incident_entry ORDER BY number")


def test_who_answered_a_closed_security_request_is_asked_for_words_until_they_have_written(
    shop: Shop, phones: dict[str, Browser]
) -> None:
    alarm = shop.raise_request("Ana", "Igor", kind="security")
    assert "Nothing of yours is written down yet" not in phones["Igor"].get("/floor/").text
    over(shop, alarm, "Igor")
    shop.clock.pass_(minutes=2)
    board = phones["Igor"].get("/floor/").text
    assert f"/floor/incidents/new?request={alarm}" in board
    # Ana was called and did nothing; Marc was not called at all.
    assert "Nothing of yours" not in phones["Ana"].get("/floor/").text
    page = phones["Igor"].get(f"/floor/incidents/new?request={alarm}").text
    assert "<b>Threat</b> · Shoes" in page and page.count("<textarea") == 1
    assert page.count('<button class="button button-main"') == 1
    form = {name: hidden(page, name) for name in ("case", "entry", "request", "zone")}
    done = phones["Igor"].post("/floor/incidents/new", words="He shouted.\r\nThen he left.", **form)
    assert done.status_code == 303 and "/floor/incidents/" in done.location
    assert written(shop) == [(1, "statement", "He shouted.\nThen he left.", "Igor", None)]
    assert shop.read("SELECT request, classed_as, zone FROM incident") == [(alarm, "threat", "shoes")]
    saved = phones["Igor"].get(done.location).text
    assert "Saved, with your name." in saved and "Then he left." in saved and "2026-0001" in saved
    assert "Nothing of yours" not in phones["Igor"].get("/floor/").text
    # The same form sent again, because the answer was lost, writes nothing more.
    phones["Igor"].post("/floor/incidents/new", words="He shouted.\r\nThen he left.", **form)
    assert len(written(shop)) == 1


def test_whoever_writes_first_says_what_it_was_and_nobody_after_them(
    shop: Shop, phones: dict[str, Browser]
) -> None:
    alarm = shop.raise_request("Ana", "Igor", kind="security")
    over(shop, alarm, "Igor")
    for name, classed in (("Igor", "theft"), ("Ana", "injury")):
        page = phones[name].get(f"/floor/incidents/new?request={alarm}").text
        assert ("It was something else" in page) is (name == "Igor")
        form = {key: hidden(page, key) for key in ("case", "entry", "request", "zone")}
        phones[name].post("/floor/incidents/new", words="Hm.", **form, **{"class": classed})
    assert shop.read("SELECT classed_as FROM incident") == [("theft",)] and len(written(shop)) == 2


def test_whoever_was_not_called_learns_of_no_silent_request_and_of_no_incident(
    shop: Shop, phones: dict[str, Browser]
) -> None:
    alarm = shop.raise_request("Igor", kind="security")
    over(shop, alarm, "Igor")
    opened = str(shop.write(lambda conn: incidents.of_request(conn, STORE, alarm, shop.clock.now)))
    marc = phones["Marc"]
    for path in (f"/floor/incidents/new?request={alarm}", f"/floor/incidents/{opened}"):
        assert marc.get(path).status_code == 404
    forms: dict[str, dict[str, str]] = {
        f"/floor/incidents/{opened}/write": {"words": "Hm."},
        f"/floor/incidents/{opened}/tick": {"check": "police-called"},
        "/floor/incidents/new": {"request": alarm, "words": "Hm.", "zone": "shoes", "class": "theft"},
    }
    for path, form in forms.items():
        assert marc.post(path, **form).status_code == 404, path
    assert "2026-" not in marc.get("/floor/incidents").text and written(shop) == []
    assert "2026-0001" in phones["Igor"].get("/floor/incidents").text


def test_an_associate_reads_their_own_part_and_no_more(shop: Shop, phones: dict[str, Browser]) -> None:
    shop.raise_request("Ana")
    page = phones["Ana"].get("/floor/incidents/new").text
    form = {key: hidden(page, key) for key in ("case", "entry")}
    form |= {"class": "theft", "zone": "tills", "words": "Two jackets are gone."}
    opened = phones["Ana"].post("/floor/incidents/new", **form).location.split("?")[0]
    id_ = opened.rsplit("/", 1)[1]
    # From numbers that are missing they could tell what happened besides.
    assert all("2026-0001" not in phones["Ana"].get(path).text for path in (opened, "/floor/incidents"))
    said, sofia = Said(Kind.STATEMENT, "She seemed nervous."), shop.people["Sofia"].id
    shop.write(lambda conn: writing.write(conn, STORE, id_, sofia, said, shop.clock.now, "desk"))
    ana, igor = phones["Ana"].get(opened).text, phones["Igor"].get(opened).text
    assert "Two jackets" in ana and "nervous" not in ana
    assert "Two jackets" in igor and "nervous" in igor
    # Nor is a correction of somebody else's words anything that they can do.
    assert phones["Ana"].post(f"{opened}/write", words="Hm.", corrects="2").status_code == 404


def test_a_correction_and_a_tick_from_the_phone(shop: Shop, phones: dict[str, Browser]) -> None:
    page = phones["Ana"].get("/floor/incidents/new").text
    form = {key: hidden(page, key) for key in ("case", "entry")}
    form |= {"class": "injury", "zone": "tills", "words": "She fell on the wet floor."}
    opened = phones["Ana"].post("/floor/incidents/new", **form).location.split("?")[0]
    shop.clock.pass_(minutes=1)
    assert phones["Ana"].post(f"{opened}/write", words="It was dry.", corrects="1").status_code == 303
    again = phones["Ana"].post(f"{opened}/write", words="It was wet.", corrects="1")
    assert again.status_code == 409 and "correct that one" in again.text and "It was wet." in again.text
    shown = phones["Ana"].get(opened).text
    assert "Corrected by entry 2." in shown and "She fell on the wet floor." in shown
    phones["Ana"].post(f"{opened}/tick", check="first-aid")
    assert re.search(
        r"First aid given</b><span class=\"where\">Ana, \d\d:\d\d", phones["Ana"].get(opened).text
    )
    phones["Ana"].post(f"{opened}/tick", check="first-aid", undo="1")
    assert "Ana, 1" not in phones["Ana"].get(opened).text.split('id="checks"')[1]
    assert phones["Ana"].post(f"{opened}/tick", check="sing").status_code == 409


def test_the_account_that_was_asked_for_is_written_without_reading_the_complaint(
    shop: Shop, phones: dict[str, Browser]
) -> None:
    sofia, ana, now = shop.people["Sofia"].id, shop.people["Ana"].id, shop.clock.now
    made = New("0192f0e1-0000-7000-8000-00000000000a", "complaint", "shoes", now, sofia)

    def complain(conn: sa.Connection) -> None:
        incidents.open_by_hand(conn, STORE, sofia, made, now, "desk")
        said = Said(Kind.STATEMENT, "She was rude.", "A shopper")
        writing.write(conn, STORE, made.id, sofia, said, now, "desk")
        incidents.ask_account(conn, STORE, made.id, sofia, ana, now, "desk")

    shop.write(complain)
    page = phones["Ana"].get(f"/floor/incidents/{made.id}").text
    assert "the complaint names you" in page and "rude" not in page
    assert phones["Marc"].get(f"/floor/incidents/{made.id}").status_code == 404
    phones["Ana"].post(f"/floor/incidents/{made.id}/write", kind="account", words="I said we close at eight.")
    after = phones["Ana"].get(f"/floor/incidents/{made.id}").text
    assert "the complaint names you" not in after and "close at eight" in after
    # Nor do they say what was done about it.
    tick = phones["Ana"].post(f"/floor/incidents/{made.id}/tick", check="shopper-answered")
    assert 'id="checks"' not in after and tick.status_code == 403
    assert written(shop)[-1][1] == "account"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"words": " "}, "What is written has 0 signs; 1 to 4000 are allowed."),
        ({"class": "murder"}, "The class is &#39;murder&#39;; allowed are threat"),
        ({"zone": "moon"}, "The zone is &#39;moon&#39;; allowed are shoes, tills."),
        ({"at": "soon"}, "When is &#39;soon&#39;; it looks like 2026-03-01T14:30."),
        ({"at": "2026-03-09T10:00"}, "When it happened lies in the last 366 days and not in the future."),
        ({"case": "1"}, "load the page again"),
        ({"words": "x" * 4001}, "What is written has 4001 signs"),
    ],
)
def test_what_cannot_be_saved_is_named_and_what_was_typed_stays(
    shop: Shop, phones: dict[str, Browser], wrong: dict[str, str], sentence: str
) -> None:
    form = {"class": "theft", "zone": "tills", "words": "Two jackets are gone."} | wrong
    phones["Ana"].get("/floor/incidents/new")
    answer = phones["Ana"].post("/floor/incidents/new", **form)
    assert answer.status_code == 400 and sentence in answer.text and form["words"][:40] in answer.text
    assert written(shop) == [] and shop.read("SELECT id FROM incident") == []
