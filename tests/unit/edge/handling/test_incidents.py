"""Incidents on both databases: opened by requests and by hand, numbered, written into, and their clips."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

import edge
from broker.events import HelpRequested, SecurityRequested, new_id
from edge.db.engine import connect
from edge.db.evidence_tables import clip
from edge.db.incident_tables import incident, incident_due, incident_entry
from edge.db.keyset import Cursor
from edge.errors import Faulty, NotFound, Refused
from edge.evidence import clips
from edge.handling import acting, evidence, incidents, keeping, writing
from edge.handling.basis import NotAllowed
from edge.handling.telling import Telling
from edge.handling.writing import Said
from edge.incidents import entries, links, listing, store
from edge.incidents.rules import AFTER, BEFORE, Kind
from edge.incidents.store import New
from edge.retention import Retention
from tests.rig import footage
from tests.rig.footage import Shot
from tests.unit.edge.conftest import STORE, Clock, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


class Desk:
    """Whoever does something about incidents, each time in a transaction of its own."""

    def __init__(self, conn: sa.Connection, clock: Clock, people: dict[str, str]) -> None:
        self.conn, self.clock, self.people = conn, clock, people

    def open(self, who: str, zone: str = "shoes", classed: str = "theft", **more: str) -> str:
        id_ = str(new_id(int(self.clock().timestamp() * 1000)))
        new = New(id_, classed, zone, self.clock(), self.people[who])
        with self.conn.begin():
            return incidents.open_by_hand(
                self.conn, STORE, self.people[who], new, self.clock(), "desk", **more
            )

    def say(self, who: str, about: str, words: str = "He ran.", kind: Kind = Kind.STATEMENT, **more) -> str:
        with self.conn.begin():
            said = Said(kind, words, **more)
            return writing.write(self.conn, STORE, about, self.people[who], said, self.clock(), "desk")

    def do(self, work, about: str, who: str, *how: object):
        with self.conn.begin():
            return work(self.conn, STORE, about, self.people[who], *how, self.clock(), "desk")

    def due(self) -> bool:
        with self.conn.begin():
            return incidents.open_due(self.conn, STORE, self.clock())

    def rows(self, table: sa.Table = incident) -> list[dict[str, object]]:
        with self.conn.begin():
            return [dict(row._mapping) for row in self.conn.execute(sa.select(table))]

    def clip(self, cause: str, after: timedelta, zone: str = "shoes", device: str = "kiosk-1") -> str:
        """Ten seconds, seen by a camera so long after now."""
        shot = Shot(STORE, device, zone, cause, self.clock() + after, b"x")
        with self.conn.begin():
            return footage.announce(self.conn, shot, self.clock())[0]

    def seal(self, clip_id: str) -> None:
        with self.conn.begin():
            found = clips.find(self.conn, STORE, clip_id)
            assert found is not None
            evidence.seal(self.conn, Telling(STORE), STORE, found, Retention(), self.clock())

    def linked(self, about: str) -> set[str]:
        with self.conn.begin():
            return set(links.clips_of(self.conn, about))


@pytest.fixture
def desk(conn: sa.Connection, clock: Clock, small_store: SmallStore) -> Desk:
    return Desk(conn, clock, small_store.people)


@pytest.fixture
def alarm(server: Server, kiosk: Kiosk) -> str:
    press = kiosk.event(SecurityRequested("hold", True))
    server.take(press)
    return str(id_of(press))


def test_a_press_only_marks_that_an_incident_is_due_and_it_is_opened_in_a_quiet_moment(
    desk: Desk, alarm: str, clock: Clock
) -> None:
    assert desk.rows() == [] and [r["request"] for r in desk.rows(incident_due)] == [alarm]
    pressed_at = clock()
    clock.forward(3)
    assert desk.due() and not desk.due()
    (row,) = desk.rows()
    assert (row["request"], row["classed_as"], row["zone"]) == (alarm, "threat", "shoes")
    assert (row["happened_at"], row["opened_at"], row["opened_by"]) == (pressed_at, clock(), None)
    assert desk.rows(incident_due) == []
    with desk.conn.begin():
        (found,) = links.of_interaction(desk.conn, STORE, alarm)
    assert store.numbered(*found[1:]) == "2026-0001"


def test_a_second_press_opens_no_second_one_and_a_drill_and_help_none(
    server: Server, kiosk: Kiosk, desk: Desk, alarm: str
) -> None:
    server.take(kiosk.event(SecurityRequested("hold", True)))
    server.take(kiosk.event(SecurityRequested("hold", True), drill=True))
    server.take(kiosk.event(HelpRequested("till", "en")))
    desk.due()
    assert [row["request"] for row in desk.rows()] == [alarm]


def test_nobody_makes_an_incident_of_a_drill(server: Server, kiosk: Kiosk, desk: Desk) -> None:
    calls = [kiosk.event(SecurityRequested("hold", True), drill=True)]
    calls += [kiosk.event(HelpRequested("till", "en"), drill=True)]
    for call in calls:
        server.take(call)
        with pytest.raises(Refused, match="a drill"):
            desk.open("Mira", about=str(id_of(call)))
    assert desk.rows() == []
    opened = desk.open("Mira")
    with pytest.raises(Refused, match="a drill"):
        desk.do(incidents.link, opened, "Mira", str(id_of(calls[0])))
    with desk.conn.begin():
        assert links.requests_of(desk.conn, opened) == []


def test_whoever_writes_before_the_quiet_moment_opens_it_and_it_stays_one(desk: Desk, alarm: str) -> None:
    opened = desk.open("Igor", about=alarm)
    desk.due()
    assert [row["id"] for row in desk.rows()] == [opened] == [desk.open("Mira", about=alarm)]


def test_an_associate_who_was_not_called_opens_nothing_from_a_silent_request(desk: Desk, alarm: str) -> None:
    with desk.conn.begin():
        called = {name for name, id_ in desk.people.items() if acting.pages.was_paged(desk.conn, alarm, id_)}
    assert "Carla" not in called
    with pytest.raises(NotFound):
        desk.open("Carla", about=alarm)
    assert desk.rows() == []


def test_numbers_have_no_gap_also_when_an_opening_fails(desk: Desk, clock: Clock) -> None:
    first = desk.open("Ana")
    with pytest.raises(RuntimeError), desk.conn.begin():
        new = New(str(new_id(1)), "theft", "shoes", clock(), desk.people["Ana"])
        incidents.open_by_hand(desk.conn, STORE, desk.people["Ana"], new, clock(), "desk")
        raise RuntimeError("the disk was full")
    second = desk.open("Ana")
    clock.forward(366 * 86400)
    third = desk.open("Ana")
    rows = {row["id"]: (row["year"], row["number"]) for row in desk.rows()}
    assert [rows[one] for one in (first, second, third)] == [(2026, 1), (2026, 2), (2027, 1)]


def test_many_who_open_at_once_get_numbers_one_after_the_other(small_store: SmallStore, desk: Desk) -> None:
    engine, start = connect(small_store.url, write=True), threading.Barrier(4)

    def run(n: int) -> None:
        with engine.connect() as conn:
            mine = Desk(conn, desk.clock, desk.people)
            start.wait(30)
            for _ in range(5):
                mine.open("Ana")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    engine.dispose()
    assert sorted(int(str(row["number"])) for row in desk.rows()) == list(range(1, 21))


def test_of_two_who_close_at_once_one_wins_and_the_other_is_told_who(
    small_store: SmallStore, desk: Desk
) -> None:
    engine, start = connect(small_store.url, write=True), threading.Barrier(2)
    about = desk.open("Sofia")
    desk.say("Sofia", about)

    def close(who: str) -> str:
        with engine.connect() as conn:
            mine = Desk(conn, desk.clock, desk.people)
            start.wait(30)
            try:
                mine.do(incidents.close, about, who, "settled", "", 2)
            except Refused as error:
                return error.holder or ""
            return "won"

    with ThreadPoolExecutor(2) as pool:
        said = dict(zip(("Sofia", "Mira"), pool.map(close, ("Sofia", "Mira")), strict=True))
    engine.dispose()
    (winner,) = [who for who, word in said.items() if word == "won"]
    assert [word for word in said.values() if word != "won"] == [winner]


def test_the_form_that_is_sent_twice_writes_once(desk: Desk) -> None:
    about, id_ = desk.open("Ana"), str(new_id(5))
    assert desk.say("Ana", about, id=id_) == desk.say("Ana", about, id=id_) == id_
    with pytest.raises(Refused, match="written already"):
        desk.say("Sofia", about, id=id_)
    assert len(desk.rows(incident_entry)) == 1


def test_a_statement_is_corrected_by_a_further_one_and_stays_as_it_was_said(desk: Desk) -> None:
    about = desk.open("Ana")
    desk.say("Ana", about, "He had a red cap.", said_by="A shopper in a grey coat")
    before = desk.rows(incident_entry)
    desk.say("Ana", about, "The cap was blue.", said_by="A shopper in a grey coat", corrects=1)
    with desk.conn.begin():
        written = entries.of_incident(desk.conn, about)
    assert desk.rows(incident_entry)[:1] == before and entries.corrected_by(written) == {1: 2}
    with pytest.raises(Refused, match="correct that one"):
        desk.say("Sofia", about, "Green.", corrects=1)
    with pytest.raises(NotFound):
        desk.say("Bo", about, "Green.", corrects=2)


def test_the_database_itself_refuses_to_change_a_word(desk: Desk) -> None:
    about = desk.open("Ana")
    desk.say("Ana", about)
    for table in ("incident_entry", "incident_step"):
        with pytest.raises(sa.exc.DBAPIError, match="is not changed"), desk.conn.begin():
            desk.conn.execute(sa.text(f"UPDATE {table} SET words = 'He sang.'"))


def test_no_line_of_the_program_changes_or_deletes_a_statement(sqlite_only: None) -> None:
    forbidden = re.compile(
        r"(update|delete)\(\s*incident_(entry|step)\b|(UPDATE|DELETE FROM) incident_(entry|step)\b"
        r"|incident_(entry|step)\.(update|delete)\("
    )
    sources = list(Path(edge.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    assert [str(path) for path in sources if forbidden.search(path.read_text())] == []


def test_an_account_is_written_by_whom_it_was_asked_of_and_read_by_no_other_associate(desk: Desk) -> None:
    about = desk.open("Sofia", classed="complaint")
    desk.say("Sofia", about, "She was rude to me.", said_by="A shopper")
    with pytest.raises(NotFound):
        desk.say("Ana", about, "I said nothing.", kind=Kind.ACCOUNT)
    desk.do(incidents.ask_account, about, "Mira", desk.people["Ana"])
    desk.do(incidents.ask_account, about, "Mira", desk.people["Bo"])
    desk.say("Ana", about, "I said that we close at eight.", kind=Kind.ACCOUNT)
    with pytest.raises(Refused, match="Nobody has asked you"):
        desk.say("Sofia", about, "She did.", kind=Kind.ACCOUNT, corrects=2)
    with desk.conn.begin():
        written = entries.of_incident(desk.conn, about)
        shown = {
            name: [e.number for e in writing.shown_to(acting.who_is(desk.conn, STORE, id_), written)]
            for name, id_ in desk.people.items()
        }
        theirs = {name for name, id_ in desk.people.items() if listing.concerns(desk.conn, STORE, about, id_)}
    assert shown == {"Ana": [2], "Bo": [], "Carla": [], "Sofia": [1, 2], "Igor": [1, 2], "Mira": [1, 2]}
    assert theirs == {"Ana", "Bo", "Sofia"}


def test_people_losses_and_identities_are_for_those_who_work_on_it(desk: Desk) -> None:
    about = desk.open("Ana")
    with pytest.raises(NotAllowed, match="as a statement"):
        desk.say("Ana", about, "Two jackets", kind=Kind.LOSS)
    with pytest.raises(Faulty, match="role is 'boss'; allowed are shopper"):
        desk.say("Igor", about, "He shouted.", role="boss")
    desk.say("Igor", about, "Two jackets", kind=Kind.LOSS, amount_cents=24_900)
    desk.say("Igor", about, "About 30, grey coat", kind=Kind.PERSON, role="shopper")
    with pytest.raises(NotAllowed):
        desk.do(writing.identify, about, "Igor", 2, "J. Doe, ID 12", "For the police.")
    with pytest.raises(Faulty, match="reason has 0 signs"):
        desk.do(writing.identify, about, "Sofia", 2, "J. Doe, ID 12", " ")
    with pytest.raises(Faulty, match="nobody involved"):
        desk.do(writing.identify, about, "Sofia", 1, "J. Doe", "Because.")
    desk.do(writing.identify, about, "Sofia", 2, "J. Doe, ID 12", "For the police.")
    with desk.conn.begin():
        (who,) = entries.identities(desk.conn, about).values()
        said = " ".join(step.words for step in store.steps(desk.conn, about))
    assert (who.identity, who.reason, who.name) == ("J. Doe, ID 12", "For the police.", "Sofia")
    assert "Doe" not in said and "For the police." in said


def test_clips_of_the_place_around_the_time_are_pulled_before_and_after_the_opening(
    desk: Desk, clock: Clock
) -> None:
    length, other = timedelta(seconds=10), str(UUID(int=9))
    near = [
        desk.clip(other, -BEFORE - length + timedelta(seconds=1)),
        desk.clip(other, AFTER - timedelta(seconds=1)),
    ]
    desk.clip(other, -BEFORE - length - timedelta(seconds=1))
    desk.clip(other, timedelta(0), "tills", "till-1")
    about = desk.open("Ana")
    assert desk.linked(about) == set(near)
    late = desk.clip(other, timedelta(seconds=5))
    desk.clip(other, AFTER + timedelta(seconds=1))
    assert desk.linked(about) == {*near, late}


def test_clips_of_its_request_and_of_presses_that_joined_it_are_pulled_whenever_they_were(
    server: Server, kiosk: Kiosk, desk: Desk, alarm: str
) -> None:
    desk.due()
    (row,) = desk.rows()
    again = kiosk.event(SecurityRequested("hold", True))
    server.take(again)
    far = timedelta(hours=2)
    mine = {desk.clip(alarm, far), desk.clip(str(id_of(again)), far)}
    desk.clip(str(UUID(int=9)), far)
    assert desk.linked(str(row["id"])) == mine


def test_another_place_or_time_pulls_other_clips(desk: Desk, clock: Clock) -> None:
    other = str(UUID(int=9))
    here, there = desk.clip(other, timedelta(0)), desk.clip(other, timedelta(0), "tills", "till-1")
    about = desk.open("Ana")
    assert desk.linked(about) == {here}
    desk.do(incidents.correct, about, "Sofia", "theft", "tills", clock(), None)
    assert desk.linked(about) == {there}


def test_clips_of_an_open_incident_stay_and_those_of_a_closed_one_for_its_time(
    desk: Desk, clock: Clock
) -> None:
    retention = Retention(incident_hours=48)
    kept, loose = desk.clip(str(UUID(int=9)), timedelta(0)), desk.clip(str(UUID(int=9)), timedelta(hours=-2))
    for one in (kept, loose):
        desk.seal(one)
    about = desk.open("Sofia")

    def purged() -> set[str]:
        with desk.conn.begin():
            keeping.purge_due(desk.conn, STORE, retention, clock())
            keeping.purge_for_room(desk.conn, STORE, retention, 10**12, clock())
        return {str(row["id"]) for row in desk.rows(clip) if row["state"] == "purged"}

    clock.forward(400 * 86400)
    assert purged() == {loose}
    desk.do(incidents.close, about, "Sofia", "false-alarm", "", None)
    clock.forward(47 * 3600)
    assert purged() == {loose}
    clock.forward(2 * 3600)
    assert purged() == {loose, kept}


def test_an_incident_is_silent_as_long_as_one_of_its_requests_is(
    server: Server, kiosk: Kiosk, desk: Desk
) -> None:
    press = kiosk.event(SecurityRequested("hold", False))
    server.take(press)
    desk.due()
    (row,) = desk.rows()

    def seen(silent: bool) -> list[str]:
        with desk.conn.begin():
            filters = listing.Filters(with_silent=silent)
            return [one.id for one in listing.search(desk.conn, STORE, filters, None, 9)]

    assert seen(False) == seen(True) == [row["id"]]
    # A silent press joins the loud request: from then on it is one.
    server.take(kiosk.event(SecurityRequested("hold", True)))
    assert (seen(False), seen(True)) == ([], [row["id"]])
    with desk.conn.begin(), pytest.raises(NotFound):
        listing.one(desk.conn, STORE, str(row["id"]), silent=False)


def test_the_list_is_narrowed_and_goes_on_by_place(desk: Desk, clock: Clock) -> None:
    made = []
    for n in range(5):
        clock.forward(60)
        made.append(desk.open("Ana", "shoes" if n % 2 else "tills", "theft" if n < 3 else "injury"))
    desk.say("Ana", made[1], "Two JACKETS, 100% wool")
    desk.do(incidents.close, made[4], "Sofia", "false-alarm", "", None)

    def found(before: Cursor | None = None, limit: int = 9, **asked: object) -> list[int]:
        with desk.conn.begin():
            rows = listing.search(desk.conn, STORE, listing.Filters(with_silent=True, **asked), before, limit)  # type: ignore[arg-type]
        return [made.index(row.id) for row in rows]

    assert found() == [4, 3, 2, 1, 0]
    assert found(state="closed") == [4] and found(classed_as="theft") == [2, 1, 0]
    assert found(zone="shoes") == [3, 1] and found(text="jackets") == [1] and found(text="100%") == [1]
    assert found(text="2026-0003") == [2] and found(text="%") == [1]
    with desk.conn.begin():
        (last,) = listing.search(desk.conn, STORE, listing.Filters(), None, 2)[1:]
    assert found(Cursor.parse(str(last.cursor)), 2) == [2, 1]
