"""Troubles in the database: told once, in the log, shown to whoever was told, and over once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from broker.events import Tampered, new_id
from broker.messages import Heartbeat
from edge.audit.store import Actor
from edge.db import supervision_tables as tables
from edge.db.store_tables import session
from edge.db.tables import interaction, quarantine
from edge.devices import store as devices
from edge.errors import NotFound
from edge.handling import commanding, incidents, supervising
from edge.handling.telling import Telling
from edge.incidents.store import New
from edge.people import store as people
from edge.reports import tallies
from edge.supervision import backups
from edge.supervision import store as troubles
from edge.supervision.facts import Server as Own
from tests.unit.edge.conftest import START, STORE, Clock, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server


class Guard:
    """A store whose supervision looks every 2 s; kiosk-1 beats as long as `beats` is set, and every phone but
    those in `locked` answers."""

    def __init__(self, conn: sa.Connection, clock: Clock, ids: dict[str, str]) -> None:
        self.server, self.clock, self.ids = Server(conn, clock), clock, ids
        self.kiosk = Kiosk(self.server)
        self.own = Own(START)
        self.beats: dict[str, Any] | None = {}
        self.locked: set[str] = set()
        # What supervising.anything said before each look, and whether that look wrote.
        self.foreseen: list[tuple[bool, bool]] = []
        self.written: list[str] = []
        sa.event.listen(conn.engine, "before_cursor_execute", lambda *args: self._note(args[2]))
        with conn.begin():
            for name in ids:
                self.sign_in(name)

    def sign_in(self, name: str) -> None:
        """On a phone of the floor, for a day."""
        now = self.clock()
        values = {"person": self.ids[name], "audience": "floor", "started_at": now}
        self.server.conn.execute(
            sa.insert(session).values(
                token_sha256=f"{name}-{now}", store=STORE, expires_at=now + timedelta(days=1), **values
            )
        )

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds / 2)):
            self.kiosk.wait(2)
            self.look()

    def look(self) -> None:
        conn, now, telling = self.server.conn, self.clock(), Telling(STORE)
        with conn.begin():
            if self.beats is not None:
                beat = Heartbeat(self.kiosk.boot, int(self.kiosk.uptime_s * 1000), **self.beats)
                devices.save_heartbeat(conn, STORE, "kiosk-1", beat, now)
            awake = [id_ for name, id_ in self.ids.items() if name not in self.locked]
            phones = sa.update(session).where(session.c.audience == "floor", session.c.person.in_(awake))
            conn.execute(phones.values(heard_at=now))
            foreseen, before = supervising.anything(conn, STORE, self.own, now), len(self.written)
            supervising.look(conn, telling, self.own, now)
            telling.flush(conn, now)
            self.foreseen.append((foreseen, len(self.written) > before))

    def _note(self, statement: str) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.written.append(statement)

    def told(self) -> list[tuple[str, str, bool]]:
        """(person, device, whether it is over by now), in the order of the names."""
        names = {id_: name for name, id_ in self.ids.items()}
        over = {row["id"]: row["over_at"] is not None for row in self.server.rows(tables.trouble)}
        rows = self.server.rows(tables.trouble_told)
        return sorted((names[r["person"]], "kiosk-1", over[r["trouble"]]) for r in rows)

    def log(self) -> list[str]:
        return self.server.words()

    def presence(self, name: str, presence: str) -> None:
        with self.server.conn.begin():
            people.set_presence(self.server.conn, STORE, self.ids[name], presence, self.clock())


@pytest.fixture
def guard(conn: sa.Connection, clock: Clock, small_store: SmallStore) -> Guard:
    guard = Guard(conn, clock, small_store.people)
    guard.run(10)
    return guard


def test_a_kiosk_that_falls_silent_is_told_of_within_20_s_once_and_its_return_once(guard: Guard) -> None:
    guard.beats = None
    guard.run(14)
    assert guard.told() == []
    guard.run(4)
    assert guard.told() == [("Mira", "kiosk-1", False)]
    guard.run(170)
    guard.beats = {}
    guard.run(64)
    assert guard.told() == [("Mira", "kiosk-1", True)]
    first, last = guard.log()
    assert first == "Told: Mira." and "was silent for 3 min 10 s." in last
    (row,) = guard.server.rows(interaction)
    assert (row["kind"], row["topic"], row["state"], row["zone"]) == (
        "trouble",
        "silent",
        "recorded",
        "shoes",
    )
    assert row["reason"].startswith("kiosk-1 has not been heard since ") and row["closed_at"] is not None
    mine = guard.server.audiences()[f"person:{guard.ids['Mira']}"]
    assert [news["over"] for news in mine] == [False, True]
    with guard.server.conn.begin():
        counted = tallies.totals(guard.server.conn, STORE)
    assert counted == {tallies.trouble("silent", silent=False): 1}


def test_without_a_manager_supervisors_are_told_and_the_manager_who_comes_hears_of_it_too(
    guard: Guard,
) -> None:
    guard.presence("Mira", "off")
    guard.presence("Sofia", "unreachable")
    guard.beats = None
    guard.run(30)
    assert guard.told() == [] and len(guard.server.rows(tables.trouble)) == 1
    guard.presence("Sofia", "busy")
    guard.run(10)
    assert guard.told() == [("Sofia", "kiosk-1", False)]
    with guard.server.conn.begin():
        until = guard.clock() + timedelta(hours=8)
        values = {"token_sha256": "x", "store": STORE, "person": guard.ids["Mira"], "audience": "manage"}
        guard.server.conn.execute(
            sa.insert(session).values(started_at=guard.clock(), expires_at=until, **values)
        )
    guard.run(10)
    assert [name for name, *_ in guard.told()] == ["Mira", "Sofia"]


def test_what_has_ended_before_anybody_came_is_only_in_the_log(guard: Guard) -> None:
    guard.presence("Mira", "off")
    guard.presence("Sofia", "off")
    guard.beats = None
    guard.run(40)
    guard.beats = {}
    guard.run(70)
    guard.presence("Mira", "available")
    guard.run(10)
    assert guard.told() == [] and len(guard.server.rows(interaction)) == 1


def test_a_phone_shows_it_until_it_is_seen_and_then_its_end_until_that_is_seen(guard: Guard) -> None:
    mira, server = guard.ids["Mira"], guard.server

    def shown() -> list[tuple[str, str | None]]:
        with server.conn.begin():
            found = troubles.for_phone(server.conn, STORE, mira, guard.clock())
        return [(one.what, one.ending and one.ending.split()[0]) for one in found]

    guard.beats = {"faults": ["The lamp cannot be driven."]}
    guard.run(14)
    (row,) = server.rows(tables.trouble)
    assert shown() == [("fault", None)]
    server.do(supervising.see, row["id"], mira, "phone")
    server.do(supervising.see, row["id"], mira, "phone")
    assert shown() == [] and guard.log() == ["Told: Mira.", "Mira has seen it."]
    guard.beats = {}
    guard.run(70)
    assert shown() == [("fault", "Well")]
    server.do(supervising.see, row["id"], mira, "phone")
    assert shown() == []
    with pytest.raises(NotFound):
        server.do(supervising.see, row["id"], guard.ids["Ana"], "phone")


def test_tampering_is_told_with_the_event_itself(guard: Guard) -> None:
    guard.server.take(guard.kiosk.event(Tampered("camera covered")))
    assert guard.told() == [("Mira", "kiosk-1", False)]
    guard.beats = {"camera": "ok", "faults": ["Something covers the camera, or it is quite dark."]}
    guard.server.take(guard.kiosk.event(Tampered("camera covered")))
    guard.run(300)
    assert guard.told() == [("Mira", "kiosk-1", False)]
    guard.beats = {"camera": "ok"}
    guard.run(200)
    assert guard.told() == [("Mira", "kiosk-1", True)]
    guard.server.take(guard.kiosk.event(Tampered("camera moved"), drill=True))
    assert len(guard.told()) == 1


def test_nobody_hears_of_a_kiosk_that_is_worked_on_and_everybody_of_what_is_wrong_afterwards(
    guard: Guard,
) -> None:
    manager = Actor("Mira", "desk", guard.ids["Mira"])
    guard.beats = None
    guard.run(30)

    def maintain(conn: sa.Connection, store: str, on: bool, now: Any) -> None:
        commanding.maintain(conn, store, manager, "kiosk-1", on, now)

    guard.server.do(maintain, True)
    guard.run(600)
    guard.server.take(guard.kiosk.event(Tampered("case opened")))
    guard.run(10)
    assert guard.told() == [("Mira", "kiosk-1", True)]
    assert guard.log()[-1] == "Somebody works on it now."
    with guard.server.conn.begin():
        assert troubles.for_phone(guard.server.conn, STORE, guard.ids["Mira"], guard.clock()) == []
    guard.server.do(maintain, False)
    guard.run(10)
    assert [over for *_, over in guard.told()].count(False) >= 1


def test_a_clock_that_is_off_says_by_how_much_and_a_jump_of_the_servers_is_no_silence(guard: Guard) -> None:
    for _ in range(10):
        guard.beats = {"at": guard.clock() + timedelta(seconds=9)}
        guard.run(2)
    (row,) = guard.server.rows(tables.trouble)
    assert row["words"] == "The clock of kiosk-1 and the store's differ by 7 s." and row["told_at"]
    guard.beats = None
    with guard.server.conn.begin():
        guard.clock.forward(3600)
        devices.shift_clocks(guard.server.conn, STORE, timedelta(hours=1))
        troubles.shift(guard.server.conn, STORE, timedelta(hours=1))
    guard.look()
    assert [row["what"] for row in guard.server.rows(tables.trouble)] == ["clock"]


def test_a_refused_message_that_may_be_a_silent_request_is_told_to_those_who_may_know_alone(
    guard: Guard,
) -> None:
    guard.presence("Mira", "off")

    def refuse(kind: str) -> None:
        topic = f"floorbell/v1/{STORE}/kiosk-1/event/{kind}"
        guard.server.take((topic, b"nonsense " + kind.encode()))

    refuse("security")
    guard.run(4)
    (row,) = guard.server.rows(tables.trouble)
    assert row["silent"] and guard.told() == []
    with guard.server.conn.begin():
        assert troubles.open_now(guard.server.conn, STORE, silent=False) == []
    assert len(guard.server.rows(quarantine)) == 1
    assert set(guard.server.audiences()) == {"silent"}
    guard.presence("Mira", "available")
    guard.run(4)
    assert guard.told() == [("Mira", "kiosk-1", False)]


def test_two_programs_that_look_at_once_tell_once(guard: Guard) -> None:
    guard.beats = None
    guard.run(20)
    with guard.server.conn.begin():
        (known,) = troubles.going_on(guard.server.conn, STORE)
        conn = guard.server.conn
        assert not troubles.change(conn, known, told_at=guard.clock())
        assert troubles.tell(conn, STORE, known.id, [guard.ids["Mira"]], guard.clock()) == []
        found = supervising.facts.Found(known.key, guard.clock(), "Again.")
        assert troubles.add(conn, STORE, found, 0, guard.clock()) is None


def phones(guard: Guard) -> list[tuple[str, str]]:
    """(who was told, the sentence) of every phone that did not answer."""
    names = {id_: name for name, id_ in guard.ids.items()}
    words = {row["id"]: row["words"] for row in guard.server.rows(tables.trouble, what="phone")}
    rows = guard.server.rows(tables.trouble_told)
    return sorted((names[row["person"]], words[row["trouble"]]) for row in rows if row["trouble"] in words)


def test_whose_phone_does_not_answer_at_the_beginning_of_the_shift_is_told_to_the_supervisor_once(
    guard: Guard,
) -> None:
    guard.locked.add("Ana")
    guard.presence("Ana", "off")
    guard.run(60)
    assert phones(guard) == []
    guard.presence("Ana", "available")
    guard.run(10)
    assert phones(guard) == []
    guard.run(6)
    ((who, words),) = phones(guard)
    assert who == "Sofia" and words.startswith("Ana is here since") and "has not answered" in words
    guard.run(120)
    assert len(phones(guard)) == 1
    guard.locked.clear()
    guard.run(120)
    assert guard.server.rows(tables.trouble, what="phone")[0]["over_at"] is not None


def test_a_phone_that_is_locked_later_is_no_news(guard: Guard) -> None:
    guard.locked = set(guard.ids)
    guard.run(300)
    assert phones(guard) == []


def test_whoever_is_available_without_a_phone_is_named_so(guard: Guard) -> None:
    with guard.server.conn.begin():
        guard.server.conn.execute(sa.delete(session).where(session.c.person == guard.ids["Bo"]))
    guard.presence("Bo", "available")
    guard.run(20)
    assert [words.endswith("is signed in on no phone.") for _, words in phones(guard)] == [True]


def test_an_incident_left_alone_reminds_whoever_manages_once_each_14_days_until_somebody_adds_to_it(
    guard: Guard,
) -> None:
    new = New(str(new_id(0)), "theft", "shoes", guard.clock(), guard.ids["Ana"])

    with guard.server.conn.begin():
        incidents.open_by_hand(guard.server.conn, STORE, guard.ids["Ana"], new, guard.clock(), "phone")

    def pass_(days: int) -> None:
        guard.clock.forward(days * 86_400)
        with guard.server.conn.begin():
            guard.sign_in("Mira")
        guard.run(70)

    pass_(13)
    assert not of_incident(guard)
    pass_(1)
    assert of_incident(guard) == [("Mira", False)]
    pass_(5)
    assert of_incident(guard) == [("Mira", False)]
    pass_(9)
    assert of_incident(guard) == [("Mira", True), ("Mira", False)]
    with guard.server.conn.begin():
        incidents.tick(
            guard.server.conn, STORE, new.id, guard.ids["Mira"], "everyone-safe", True, guard.clock(), "desk"
        )
    guard.run(400)
    assert of_incident(guard) == [("Mira", True), ("Mira", True)]


def of_incident(guard: Guard) -> list[tuple[str, bool]]:
    """(person, whether it is over) of each reminder, in their order."""
    names = {id_: name for name, id_ in guard.ids.items()}
    rows = {r["id"]: r for r in guard.server.rows(tables.trouble) if r["what"] == "incident"}
    told = [r for r in guard.server.rows(tables.trouble_told) if r["trouble"] in rows]
    told.sort(key=lambda r: rows[r["trouble"]]["seen_at"])
    return [(names[r["person"]], rows[r["trouble"]]["over_at"] is not None) for r in told]


def test_a_look_without_news_takes_no_write_lock_and_says_beforehand_that_there_is_none(guard: Guard) -> None:
    guard.foreseen.clear()
    for beats in ({}, {"free_disk_bytes": 1}, {}):
        guard.beats = dict(beats)
        guard.run(200)
    assert {said for said, _ in guard.foreseen} == {True, False}
    assert [said for said, _ in guard.foreseen] == [wrote for _, wrote in guard.foreseen]


def backed_up(guard: Guard, name: str, trouble: str | None = None) -> None:
    now = guard.clock()
    with guard.server.conn.begin():
        backups.record(guard.server.conn, STORE, backups.Run(name, now, now, "/mnt/backup", trouble))


def test_managers_are_told_once_of_a_backup_that_is_too_old_and_once_of_a_new_one(guard: Guard) -> None:
    guard.own = replace(guard.own, backup_within=timedelta(hours=26))
    backed_up(guard, "one")
    guard.run(10)
    guard.clock.forward(25 * 3600)
    guard.kiosk.uptime_s += 25 * 3600
    backed_up(guard, "two", "The folder for backups is not there.")
    for name in guard.ids:
        with guard.server.conn.begin():
            guard.sign_in(name)
    guard.run(10)
    assert [row for row in guard.server.rows(tables.trouble) if row["what"] == "backup"] == []
    guard.clock.forward(2 * 3600)
    guard.kiosk.uptime_s += 2 * 3600
    guard.look()
    guard.clock.forward(31 * 60)
    guard.kiosk.uptime_s += 31 * 60
    guard.look()
    guard.look()
    (told,) = [row for row in guard.server.rows(tables.trouble) if row["what"] == "backup"]
    assert told["told_at"] is not None and told["over_at"] is None
    assert "The last try failed: The folder for backups is not there." in told["words"]
    backed_up(guard, "three")
    guard.run(70)
    (over,) = [row for row in guard.server.rows(tables.trouble) if row["what"] == "backup"]
    assert over["over_at"] is not None and over["ending"].startswith("There is a new whole backup since")


def test_a_store_that_makes_no_backups_is_told_of_none(guard: Guard) -> None:
    guard.clock.forward(40 * 60)
    guard.kiosk.uptime_s += 40 * 60
    guard.run(10)
    assert [row for row in guard.server.rows(tables.trouble) if row["what"] == "backup"] == []
