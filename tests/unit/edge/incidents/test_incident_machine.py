"""Incidents as a machine that does anything in any order on a real database, under a clock moved by hand.

With the profile `long` it takes 100,000 steps.
"""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from broker.events import new_id
from edge.db import incident_tables
from edge.db.engine import connect, sqlite_url
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import incidents, writing
from edge.handling.writing import Said
from edge.incidents import entries, store
from edge.incidents.classes import CHECKS, CLASSES, OUTCOMES
from edge.incidents.rules import Kind
from edge.incidents.store import New
from tests.rig.place import place
from tests.unit.edge.conftest import STORE, Clock

NAMES = ("Ana", "Bo", "Carla", "Sofia", "Igor", "Mira")
DECIDERS, READERS = {"Sofia", "Mira"}, {"Sofia", "Mira", "Igor"}
TABLES = [table for name, table in incident_tables.metadata.tables.items() if name.startswith("incident")]
_who, _which = st.sampled_from(NAMES), st.integers(0, 3)
_stale = st.sampled_from([False, False, False, True])


class Incidents(RuleBasedStateMachine):
    """See the module. `known` is who has had to do with which incident."""

    def __init__(self, template: Path, ids: dict[str, str]) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="floorbell-incidents-", dir=place()))
        shutil.copyfile(template, self.folder / "floorbell.db")
        self.engine = connect(sqlite_url(self.folder / "floorbell.db"), write=True)
        self.conn, self.clock, self.ids = self.engine.connect(), Clock(), ids
        self.made: list[str] = []
        self.known: dict[str, set[str]] = {}
        self.asked: set[tuple[str, str]] = set()
        self.seen = self.look()

    def teardown(self) -> None:
        self.conn.close()
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def look(self) -> dict[str, list[dict[str, Any]]]:
        with self.conn.begin():
            return {
                table.name: [dict(row._mapping) for row in self.conn.execute(sa.select(table))]
                for table in TABLES
            }

    def row(self, incident: str) -> dict[str, Any]:
        (row,) = [row for row in self.seen["incident"] if row["id"] == incident]
        return row

    def do(self, may: bool | None, work: Any, *args: Any, **more: Any) -> bool:
        """Whether it was done; None: either is fine. What is refused changes nothing."""
        self.clock.forward(1)
        done = True
        try:
            with self.conn.begin():
                work(self.conn, STORE, *args, **more)
        except (Refused, NotFound, EdgeError) as error:
            done = False
            assert may is not True, error
        assert may is not False or not done, f"{work.__name__} was done and should not have been"
        before, self.seen = self.seen, self.look()
        if not done:
            assert self.seen == before, "it was refused and yet something changed"
        self.judge(before)
        return done

    def judge(self, before: dict[str, list[dict[str, Any]]]) -> None:
        for table in ("incident_entry", "incident_step"):
            assert self.seen[table][: len(before[table])] == before[table], "words were changed"
        assert [row["number"] for row in self.seen["incident"]] == list(
            range(1, len(self.seen["incident"]) + 1)
        ), "a number is missing"
        for row in self.seen["incident"]:
            steps = [s for s in self.seen["incident_step"] if s["incident"] == row["id"]]
            assert row["revision"] == len(steps), "a change without its line"
            assert [s["at"] for s in steps] == sorted(s["at"] for s in steps)
            closed = row["state"] == "closed"
            assert closed == (row["outcome"] is not None) == (row["closed_at"] is not None)
            last = [s["what"] for s in steps if s["what"] in ("opened", "closed", "reopened")][-1]
            assert closed == (last == "closed")
            if closed and row["outcome"] != "false-alarm":
                assert any(e["incident"] == row["id"] for e in self.seen["incident_entry"])
            numbers = [e["number"] for e in self.seen["incident_entry"] if e["incident"] == row["id"]]
            assert numbers == list(range(1, len(numbers) + 1))

    def reads(self, who: str, incident: str) -> bool:
        return who in READERS or who in self.known[incident]

    @rule(who=_who, classed=st.sampled_from([*CLASSES, "murder"]), ago_s=st.sampled_from([0, 60, -3600]))
    def open(self, who: str, classed: str, ago_s: int) -> None:
        id_ = str(new_id(0, len(self.made).to_bytes(10)))
        new = New(id_, classed, "shoes", self.clock() - timedelta(seconds=ago_s), self.ids[who])
        may = classed in CLASSES and ago_s >= 0
        if self.do(may, incidents.open_by_hand, self.ids[who], new, self.clock(), "phone"):
            self.made.append(id_)
            self.known[id_] = {who}

    @precondition(lambda self: self.made)
    @rule(
        which=_which,
        who=_who,
        kind=st.sampled_from(list(Kind)),
        corrects=st.sampled_from([None, None, 1, 2, 9]),
    )
    def write(self, which: int, who: str, kind: Kind, corrects: int | None) -> None:
        incident = self.made[-1 - which % len(self.made)]
        written = [e for e in self.seen["incident_entry"] if e["incident"] == incident]
        about = next((e for e in written if e["number"] == corrects), None)
        me, words = self.ids[who], kind in (Kind.STATEMENT, Kind.ACCOUNT)
        may = self.reads(who, incident) and (words or who in READERS)
        may = may and (words or self.row(incident)["state"] == "open")
        may = may and (kind is not Kind.ACCOUNT or (incident, who) in self.asked)
        if corrects is not None:
            may = may and about is not None and about["kind"] == kind.value
            may = may and not any(e["corrects"] == corrects for e in written)
            may = (
                may
                and about is not None
                and (about["person"] == me or (who in READERS and kind != "account"))
            )
        said = Said(kind, "It was loud.", role="witness" if kind is Kind.PERSON else None, corrects=corrects)
        if self.do(may, writing.write, incident, me, said, self.clock(), "phone"):
            self.known[incident].add(who)
            self.reads_no_more_than_theirs(incident)

    def reads_no_more_than_theirs(self, incident: str) -> None:
        with self.conn.begin():
            for who in NAMES:
                person = incidents.acting.who_is(self.conn, STORE, self.ids[who])
                shown = writing.shown_to(person, entries.of_incident(self.conn, incident))
                assert who in READERS or all(e.person == person.id for e in shown)

    @precondition(lambda self: self.made)
    @rule(which=_which, who=_who, check=st.sampled_from([*CHECKS, "sing"]), done=st.booleans())
    def tick(self, which: int, who: str, check: str, done: bool) -> None:
        incident = self.made[-1 - which % len(self.made)]
        may = None if self.reads(who, incident) else False
        self.do(may, incidents.tick, incident, self.ids[who], check, done, self.clock(), "phone")

    @precondition(lambda self: self.made)
    @rule(
        which=_which,
        who=_who,
        classed=st.sampled_from(list(CLASSES)),
        zone=st.sampled_from(["shoes", "tills", "moon"]),
        stale=_stale,
    )
    def correct(self, which: int, who: str, classed: str, zone: str, stale: bool) -> None:
        incident = self.made[-1 - which % len(self.made)]
        row = self.row(incident)
        changes = (row["classed_as"], row["zone"]) != (classed, zone)
        may = who in DECIDERS and zone != "moon" and not stale and (row["state"] == "open" or not changes)
        based_on = row["revision"] - stale
        where = classed, zone, row["happened_at"], based_on
        self.do(may, incidents.correct, incident, self.ids[who], *where, self.clock(), "desk")

    @precondition(lambda self: self.made)
    @rule(which=_which, who=_who, outcome=st.sampled_from([*OUTCOMES, "over"]), stale=_stale)
    def close(self, which: int, who: str, outcome: str, stale: bool) -> None:
        incident = self.made[-1 - which % len(self.made)]
        row = self.row(incident)
        said = any(
            e["incident"] == incident and e["kind"] in ("statement", "account")
            for e in self.seen["incident_entry"]
        )
        may = who in DECIDERS and outcome in OUTCOMES and row["state"] == "open" and not stale
        may = may and (said or outcome == "false-alarm")
        based_on = row["revision"] - stale
        how = outcome, "", based_on, self.clock(), "desk"
        self.do(may, incidents.close, incident, self.ids[who], *how)

    @precondition(lambda self: self.made)
    @rule(which=_which, who=_who, reason=st.sampled_from(["A witness came.", " "]), stale=_stale)
    def reopen(self, which: int, who: str, reason: str, stale: bool) -> None:
        incident = self.made[-1 - which % len(self.made)]
        row = self.row(incident)
        may = who in DECIDERS and row["state"] == "closed" and bool(reason.strip()) and not stale
        how = reason, row["revision"] - stale, self.clock(), "desk"
        self.do(may, incidents.reopen, incident, self.ids[who], *how)

    @precondition(lambda self: self.made)
    @rule(which=_which, who=_who, whom=_who)
    def ask(self, which: int, who: str, whom: str) -> None:
        incident = self.made[-1 - which % len(self.made)]
        may = who in DECIDERS and self.row(incident)["classed_as"] == "complaint"
        if self.do(may, incidents.ask_account, incident, self.ids[who], self.ids[whom], self.clock(), "desk"):
            self.known[incident].add(whom)
            self.asked.add((incident, whom))

    @precondition(lambda self: self.made)
    @rule(which=_which, who=_who, number=st.integers(1, 3))
    def identify(self, which: int, who: str, number: int) -> None:
        incident = self.made[-1 - which % len(self.made)]
        may = None if who in DECIDERS else False
        why = number, "J. Doe", "For the police.", self.clock(), "desk"
        self.do(may, writing.identify, incident, self.ids[who], *why)


def test_whatever_happens_in_whatever_order_the_rules_of_incidents_hold(
    sqlite_template: tuple[Path, dict[str, str]], sqlite_only: None
) -> None:
    half = settings(max_examples=settings().max_examples // 2)
    run_state_machine_as_test(lambda: Incidents(*sqlite_template), settings=half)


def test_the_timeline_says_what_is_ticked_by_whom_and_when() -> None:
    at = Clock()()
    lines = [
        store.Step(at + timedelta(seconds=n), what, check, None, name, "phone", "")
        for n, (what, check, name) in enumerate(
            [
                ("ticked", "first-aid", "Ana"),
                ("unticked", "first-aid", "Bo"),
                ("ticked", "police-called", "Ana"),
                ("ticked", "first-aid", "Carla"),
            ]
        )
    ]
    found = store.ticks(lines)
    assert {check: (line.name, line.at) for check, line in found.items()} == {
        "police-called": ("Ana", lines[2].at),
        "first-aid": ("Carla", lines[3].at),
    }
