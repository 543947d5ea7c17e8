"""The second PIN: it opens a session that looks as always, and calls security."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from edge.handling import raising
from edge.people import passwords
from edge.people import store as people
from edge.web.floor import quiet
from edge.web.logged import HEADER

from .callers import FLEETING, alarms, hold, lines
from .conftest import PIN, STORE, Browser, Shop, sign_in

SECOND = "7350"


@pytest.fixture(scope="session")
def second_hash() -> str:
    return passwords.hash_pin(SECOND)


@pytest.fixture
def with_second(shop: Shop, second_hash: str) -> None:
    """Ana and Sofia have a second PIN."""
    for name in ("Ana", "Sofia"):
        shop.write(
            lambda conn, who=shop.people[name].id: people.set_duress_pin(conn, STORE, who, second_hash)
        )


@pytest.mark.usefixtures("with_second")
def test_the_second_pin_takes_back_nothing_and_is_answered_the_same(shop: Shop, ana: Browser) -> None:
    me, answers = shop.people["Ana"].id, []
    for pin in (PIN, SECOND):
        hold(ana)
        ana.get("/floor/quiet")
        answer = ana.post("/floor/quiet/take-back", person=me, pin=pin)
        answers.append(
            (
                answer.status_code,
                answer.location,
                FLEETING.sub("", ana.get("/floor/quiet?done=take_back").text),
            )
        )
        answers[-1] += (FLEETING.sub("", ana.get("/floor/").text),)
    assert answers[0] == answers[1]
    assert sorted((state, count) for state, _, count in alarms(shop)) == [("cancelled", 1), ("raised", 2)]
    assert "somebody watches them" in str(lines(shop, raising.WATCHED))


@pytest.mark.usefixtures("with_second")
def test_once_somebody_is_there_either_pin_is_refused_in_the_same_words(shop: Shop) -> None:
    igor, answers = sign_in(shop, "Igor"), []
    for name, pin in (("Ana", PIN), ("Sofia", SECOND)):
        phone = sign_in(shop, name)
        hold(phone)
        request = shop.read("SELECT id FROM interaction WHERE state = 'raised'")[0][0]
        for act in ("acknowledge", "attend"):
            igor.post(f"/floor/requests/{request}/{act}")
        phone.get("/floor/quiet")
        answer = phone.post("/floor/quiet/take-back", person=shop.people[name].id, pin=pin)
        found = re.search(r'role="alert">([^<]+)<', answer.text)
        assert found is not None
        answers.append((answer.status_code, found[1]))
    assert answers[0] == answers[1] and answers[0][0] == 409


@pytest.mark.usefixtures("with_second")
def test_the_second_pin_opens_a_session_that_looks_as_always_and_calls_security(
    shop: Shop, sofia: Browser
) -> None:
    seen, by_chance = [], ("Set-Cookie", "Date", HEADER)
    for pin in (PIN, SECOND):
        phone = Browser(shop.app)
        answer = phone.sign_in(shop.people["Ana"], pin)
        cookies = [
            re.sub(r"^(\w+)=[^;]+; Expires=[^;]+", r"\1", one) for one in answer.headers.getlist("Set-Cookie")
        ]
        headers = {name: value for name, value in answer.headers if name not in by_chance}
        pages = [
            FLEETING.sub("", phone.get(page).text) for page in ("/floor/", "/floor/quiet", "/floor/incidents")
        ]
        seen.append((answer.status_code, headers, cookies, answer.text, pages))
    assert seen[0] == seen[1]
    assert alarms(shop) == [("raised", "duress", 1)]
    page = sofia.get("/floor/").text
    assert "Ana signed in with the second PIN: somebody watches them." in page
    assert "Ask: are you safe?" not in page
    sofia.post(f"/floor/requests/{shop.read('SELECT id FROM interaction')[0][0]}/acknowledge")
    assert FLEETING.sub("", phone.get("/floor/").text) == pages[0]


@pytest.mark.usefixtures("with_second")
@pytest.mark.parametrize("name", ["Ana", "Marc"])
@pytest.mark.parametrize("pin", [PIN, SECOND, "9999"])
def test_as_much_is_compared_whatever_is_typed_and_whoever_has_a_second_pin(
    shop: Shop, name: str, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, compare = [], passwords._is

    def counted(secret: str, hashed: str | None) -> bool:
        compared.append(hashed)
        return compare(secret, hashed)

    monkeypatch.setattr(passwords, "_is", counted)
    Browser(shop.app).sign_in(shop.people[name], pin)
    assert len(compared) == 2


@pytest.mark.usefixtures("with_second")
def test_as_much_is_written_with_either_pin_in_one_transaction_each(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, done = shop.services.writer.run, list[list[str]]()

    def listened(work: Callable[[sa.Connection], object]) -> object:
        done.append([])
        return run(lambda conn: told_of(conn, work))

    def told_of(conn: sa.Connection, work: Callable[[sa.Connection], object]) -> object:
        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            if "SAVEPOINT" not in statement:
                done[-1].append(statement)

        sa.event.listen(conn, "before_cursor_execute", note)
        return work(conn)

    monkeypatch.setattr(shop.services.writer, "run", listened)
    # The second time round their call is open already.
    for _ in range(2):
        done.clear()
        for name, pin in (("Ana", PIN), ("Ana", SECOND)):
            assert Browser(shop.app).sign_in(shop.people[name], pin).status_code == 303
        own, watched = done
        assert own == watched and any("INSERT INTO page" in statement for statement in own)
    done.clear()
    # Who has no second PIN cannot be told from who has one.
    Browser(shop.app).sign_in(shop.people["Marc"])
    assert len(done) == 1 and any("INSERT INTO page" in statement for statement in done[0])


def test_with_ones_own_pin_nothing_of_a_call_stays(shop: Shop) -> None:
    names = [name for (name,) in shop.read("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def rows() -> dict[object, object]:
        return {name: shop.read(f"SELECT * FROM {name}") for name in names}

    before = rows()
    sign_in(shop, "Ana")
    assert {name for name, there in rows().items() if there != before[name]} == {"session", "person"}


def test_a_call_that_cannot_be_rehearsed_keeps_nobody_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise KeyError

    monkeypatch.setattr(raising, "call", broken)
    assert Browser(shop.app).sign_in(shop.people["Ana"]).status_code == 303
    assert shop.read("SELECT count(*) FROM session") == [(1,)]


@pytest.mark.parametrize(
    ("second", "again", "sentence"),
    [
        (PIN, PIN, quiet.ALIKE),
        ("1142", "1142", quiet.ALIKE),
        ("2412", "2412", quiet.ALIKE),
        ("24115", "24115", quiet.ALIKE),
        ("7350", "7351", quiet.UNEQUAL),
        ("12", "12", quiet.PIN_RULE),
        ("7777", "7777", quiet.PIN_RULE),
    ],
)
def test_a_second_pin_that_a_slip_makes_is_refused_in_a_sentence(
    shop: Shop, ana: Browser, second: str, again: str, sentence: str
) -> None:
    ana.get("/floor/quiet")
    form = {"person": shop.people["Ana"].id, "pin": PIN, "second": second, "again": again}
    answer = ana.post("/floor/quiet/second-pin", **form)
    assert answer.status_code == 400 and sentence in answer.text
    assert shop.read("SELECT count(*) FROM person WHERE duress_hash IS NOT NULL") == [(0,)]


def test_a_person_sets_their_own_second_pin_and_nothing_shows_that_there_is_one(
    shop: Shop, ana: Browser
) -> None:
    before = FLEETING.sub("", ana.get("/floor/quiet").text)
    form = {"person": shop.people["Ana"].id, "pin": PIN, "second": SECOND, "again": SECOND}
    assert ana.post("/floor/quiet/second-pin", **(form | {"pin": "9999"})).status_code == 403
    assert ana.post("/floor/quiet/second-pin", **form).status_code == 303
    assert FLEETING.sub("", ana.get("/floor/quiet").text) == before
    assert shop.read("SELECT what, words FROM audit") == [("silent.second_pin", "Ana has a new second PIN.")]
    assert Browser(shop.app).sign_in(shop.people["Ana"], SECOND).status_code == 303
    assert alarms(shop) == [("raised", "duress", 1)]
    # Whoever makes them change it with the second one sees that it is changed, and changes nothing.
    form |= {"pin": SECOND, "second": "8046", "again": "8046"}
    assert ana.post("/floor/quiet/second-pin", **form).status_code == 303
    assert alarms(shop) == [("raised", "duress", 2)]
    assert Browser(shop.app).sign_in(shop.people["Ana"], "8046").status_code == 403


def test_the_desk_makes_a_second_pin_that_is_not_the_first(
    shop: Shop, mira: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([2411, 735012])
    monkeypatch.setattr(passwords.secrets, "randbelow", lambda _: next(drawn))
    # Six digits: the PIN of the trial store has four, so it is set to what is drawn first.
    first = passwords.hash_pin("002411")
    shop.write(lambda conn: people.set_pin(conn, STORE, shop.people["Ana"].id, first))
    page = mira.post(f"/manage/people/{shop.people['Ana'].id}/second_pin")
    assert "Second PIN" in page.text and "735012" in page.text
    assert shop.read("SELECT what FROM audit") == [("silent.second_pin",)]
