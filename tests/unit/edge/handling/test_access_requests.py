"""An access request in the database: what it asks for is held, each deed is written down, and who asked is
forgotten."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from broker.events import new_id, reference_of
from edge.access_requests import shown, store
from edge.access_requests.rules import Extend
from edge.access_requests.store import New
from edge.audit.store import Actor
from edge.db.tables import interaction
from edge.devices import store as devices
from edge.errors import Faulty, NotFound, Refused
from edge.evidence import clips, custody, holds
from edge.evidence.masks import Key, Masks, Mode, Track
from edge.handling import access_requests, covering, keeping, supervising
from edge.handling.telling import Telling
from edge.retention import Retention
from edge.supervision import store as troubles
from edge.supervision.facts import Server
from tests.rig import footage
from tests.rig.footage import Shot
from tests.unit.edge.conftest import START, STORE, Clock, SmallStore

MIRA, ADAM = Actor("Mira", "desk", "mira-id"), Actor("Adam", "desk", "adam-id")
BOX = Masks(Mode.OTHERS, (Track((Key(0, 100, 100, 300, 300),)),))


class Desk:
    """A store with clips of kiosk-1 (shoes) and till-1 (tills)."""

    def __init__(self, conn: sa.Connection, clock: Clock, vault: Path) -> None:
        self.conn, self.clock, self.vault = conn, clock, vault
        self.cause = str(new_id(int(START.timestamp() * 1000)))
        with conn.begin():
            conn.execute(
                sa.insert(interaction).values(
                    id=self.cause, store=STORE, device="kiosk-1", zone="shoes", kind="help",
                    state="resolved", reference=reference_of(UUID(self.cause)), count=1, revision=1, step=0,
                    round=0, silent=False, drill=False, raised_at=START, received_at=START, age_known=True,
                )
            )  # fmt: skip

    def shot(self, after_s: float = 0, device: str = "kiosk-1", zone: str = "shoes") -> Shot:
        video = f"{after_s} {device}".encode()
        return Shot(STORE, device, zone, self.cause, START + timedelta(seconds=after_s), video, 10)

    def seal(self, *shot: Any) -> str:
        with self.conn.begin():
            return footage.seal(self.conn, self.vault, self.shot(*shot), self.clock())

    def open(self, **more: Any) -> str:
        new = New(
            str(new_id(1)), "letter", date(2026, 3, 2), "a@example.org", "Passport shown", "Red coat",
            "shoes", START - timedelta(minutes=5), START + timedelta(minutes=5),
        )  # fmt: skip
        with self.conn.begin():
            return access_requests.open_(self.conn, STORE, replace(new, **more), MIRA, self.clock())

    def do(self, work: Any, *args: Any, **more: Any) -> Any:
        with self.conn.begin():
            return work(self.conn, STORE, *args, **more)

    def row(self, request: str) -> store.Row:
        with self.conn.begin():
            return store.one(self.conn, STORE, request)

    def shown(self, request: str) -> dict[str, shown.Shown]:
        with self.conn.begin():
            return shown.of_request(self.conn, request)

    def held(self, clip: str) -> list[str]:
        with self.conn.begin():
            return [one.reason for one in holds.of_clip(self.conn, STORE, clip) if one.released_at is None]

    def deeds(self, subject: str) -> list[tuple[str, str | None]]:
        with self.conn.begin():
            return [(one.action, one.reason) for one in custody.of_subject(self.conn, STORE, subject)]

    def made(self, request: str, clip: str) -> None:
        """What the vault does."""
        one = self.shown(request)[clip]
        self.do(covering.made, one, None, whole=True, now=self.clock())

    def cover(self, request: str, clip: str) -> None:
        """Marked, covered and watched."""
        now = self.clock()
        self.do(covering.mark, request, clip, True, MIRA, now, silent=True)
        revision = self.shown(request)[clip].revision
        self.do(covering.save, request, clip, BOX, revision, MIRA, now, silent=True)
        self.made(request, clip)
        self.do(covering.watched, request, clip, revision + 1, MIRA, now, silent=True)

    def answer(self, request: str, how: str = "footage", reason: str = "") -> None:
        now = self.clock()
        self.do(access_requests.answer, request, how, reason, "Here it is.", MIRA, None, now)


@pytest.fixture
def desk(conn: sa.Connection, clock: Clock, tmp_path: Path) -> Desk:
    return Desk(conn, clock, tmp_path / "vault")


def test_what_it_asks_for_is_held_also_beside_it_and_what_comes_later(desk: Desk) -> None:
    desk.do(devices.set_neighbours, "shoes", ["tills"])
    inside, beside = desk.seal(0), desk.seal(20, "till-1", "tills")
    before, after = desk.seal(-311), desk.seal(301)
    request = desk.open()
    later = desk.seal(60)
    number = desk.row(request).number
    assert number == "2026-0001"
    for clip in (inside, beside, later):
        assert desk.held(clip) == [f"Access request {number}"]
    assert desk.held(before) == desk.held(after) == []
    assert set(desk.shown(request)) == {inside, beside, later}
    # Retention leaves alone what was asked for.
    desk.clock.forward(400 * 24 * 3600)
    purged = desk.do(keeping.purge_due, Retention(), desk.clock())
    assert {one.id for one in purged} == {before, after}


def test_a_zone_that_is_not_beside_it_is_not_looked_through(desk: Desk) -> None:
    other = desk.seal(0, "till-1", "tills")
    assert desk.shown(desk.open()) == {} and desk.held(other) == []


def test_what_was_deleted_before_is_named_and_not_held(desk: Desk) -> None:
    clip = desk.seal(0)
    desk.clock.forward(100 * 24 * 3600)
    desk.do(keeping.purge_due, Retention(), desk.clock())
    request = desk.open()
    assert desk.do(access_requests.looked_for, desk.row(request)) == [clip]
    assert desk.shown(request) == {} and desk.held(clip) == []


def test_the_same_form_twice_is_one_and_numbers_have_no_gap(desk: Desk) -> None:
    same = str(new_id(7))
    assert desk.open(id=same) == desk.open(id=same) == same
    with pytest.raises(Faulty, match="at most 24 hours"):
        desk.open(began_at=START - timedelta(days=3))
    assert desk.row(desk.open()).number == "2026-0002"


@pytest.mark.parametrize(
    ("field", "value"),
    [("contact", " "), ("identity", ""), ("contact", "x" * 301), ("zone", "nowhere"), ("came", "fax")],
)
def test_what_cannot_be_opened_says_which_field(desk: Desk, field: str, value: str) -> None:
    with pytest.raises(Faulty) as raised:
        desk.open(**{field: value})
    assert raised.value.field == field
    with desk.conn.begin():
        assert store.listed(desk.conn, STORE) == []


def test_footage_is_given_once_every_copy_was_watched_and_all_of_it_is_in_the_custody_log(desk: Desk) -> None:
    clip, request = desk.seal(0), desk.open()
    with pytest.raises(Refused, match="No clip is marked"):
        desk.answer(request)
    desk.cover(request, clip)
    # Other boxes make another copy, which nobody has watched.
    desk.do(covering.save, request, clip, BOX, 1, MIRA, desk.clock(), silent=True)
    with pytest.raises(Refused, match="One clip has no covered copy"):
        desk.answer(request)
    with pytest.raises(Refused, match="another one now"):
        desk.do(covering.watched, request, clip, 1, MIRA, desk.clock(), silent=True)
    desk.made(request, clip)
    desk.do(covering.look_at_copy, request, clip, MIRA, desk.clock(), silent=True)
    desk.do(covering.watched, request, clip, 2, MIRA, desk.clock(), silent=True)
    desk.answer(request)
    row = desk.row(request)
    assert (row.state, row.answer, row.package) == ("answered", "footage", "asked")
    number = row.number
    assert desk.deeds(clip)[-3:] == [
        ("viewed", f"Access request {number}: its covered copy (desk)"),
        (
            "viewed",
            f"Access request {number}: watched its covered copy to the end; nobody else can be recognised",
        ),
        ("exported", f"A covered copy, in the answer to access request {number}"),
    ]
    assert [action for action, _ in desk.deeds(request)] == ["exported"]
    with pytest.raises(Refused, match="open it again first"):
        desk.do(covering.mark, request, clip, False, MIRA, desk.clock(), silent=True)
    # No name and no contact of the asker stands in the log or in the timeline.
    with desk.conn.begin():
        words = " ".join(one.words for one in store.steps(desk.conn, request))
    assert "example.org" not in words and "coat" not in words
    assert all("example.org" not in (reason or "") for _, reason in desk.deeds(clip))


def test_of_two_who_place_boxes_at_once_one_is_told_so(desk: Desk) -> None:
    clip, request = desk.seal(0), desk.open()
    desk.do(covering.save, request, clip, BOX, 0, MIRA, desk.clock(), silent=True)
    with pytest.raises(Refused, match="Somebody has saved other boxes"):
        desk.do(covering.save, request, clip, Masks(), 0, ADAM, desk.clock(), silent=True)
    assert covering.masks_of(desk.shown(request)[clip]) == BOX
    crooked = Masks(Mode.OTHERS, (Track((Key(0, 900, 0, 200, 10),)),))
    with pytest.raises(Faulty, match="outside of the picture"):
        desk.do(covering.save, request, clip, crooked, 1, MIRA, desk.clock(), silent=True)


def test_who_may_not_see_silent_clips_does_not_learn_of_them(desk: Desk) -> None:
    clip, request = desk.seal(0), desk.open()
    with desk.conn.begin():
        desk.conn.execute(sa.update(clips.clip).values(silent=True))
    with pytest.raises(NotFound):
        desk.do(covering.look, request, clip, MIRA, desk.clock(), silent=False)


def test_holds_end_by_two_people_once_it_is_answered(desk: Desk) -> None:
    clip, request = desk.seal(0), desk.open()
    now = desk.clock()
    with pytest.raises(Refused, match="waits for its answer"):
        desk.do(access_requests.ask_release, request, MIRA, "Done", now, silent=True)
    desk.answer(request, "nothing")
    desk.do(access_requests.close, request, MIRA, None, now)
    assert desk.held(clip) != []
    with pytest.raises(Refused, match="Nobody has asked"):
        desk.do(access_requests.release, request, ADAM, now, silent=True)
    assert desk.do(access_requests.ask_release, request, MIRA, "Done", now, silent=True) == 1
    with pytest.raises(Refused, match="another person must agree"):
        desk.do(access_requests.release, request, MIRA, now, silent=True)
    assert desk.do(access_requests.release, request, ADAM, now, silent=True) == 1
    assert desk.held(clip) == []


def test_who_asked_is_forgotten_so_long_after_it_was_closed(desk: Desk) -> None:
    request, retention = desk.open(), Retention(asker_hours=48)
    desk.answer(request, "refused", "It was another shop.")
    desk.do(access_requests.close, request, MIRA, None, desk.clock())

    def forget(hours: float) -> int:
        now = desk.clock.forward(hours * 3600)
        return int(desk.do(access_requests.forget, retention.askers_since(now), now))

    assert forget(47) == 0 and desk.row(request).contact == "a@example.org"
    assert forget(1.1) == 1
    row = desk.row(request)
    assert (row.contact, row.identity, row.description, row.letter) == (None,) * 4
    with pytest.raises(Refused, match="was erased"):
        desk.do(access_requests.reopen, request, "Again", MIRA, None, desk.clock())
    assert forget(1) == 0


def test_an_extension_and_a_change_of_mind_are_in_the_timeline(desk: Desk) -> None:
    request = desk.open()
    told = Extend("Mira", date(2026, 3, 2), "Three cameras", date(2026, 3, 2), 9)
    with pytest.raises(Refused, match="changed meanwhile"):
        desk.do(access_requests.extend, request, told, MIRA, desk.clock())
    desk.do(access_requests.extend, request, replace(told, based_on=None), MIRA, desk.clock())
    assert desk.row(request).due_on == date(2026, 6, 2)
    desk.answer(request, "withdrawn")
    desk.do(access_requests.reopen, request, "They want it after all", MIRA, None, desk.clock())
    assert (desk.row(request).state, desk.row(request).answer) == ("extended", None)
    with desk.conn.begin():
        steps = [one.what for one in store.steps(desk.conn, request)]
    assert steps == ["opened", "held", "extended", "answered", "reopened"]


def test_managers_are_told_once_a_week_before_and_that_it_is_over(
    desk: Desk, small_store: SmallStore
) -> None:
    request = desk.open()

    def look(days: float) -> list[str]:
        now, telling = desk.clock.forward(days * 24 * 3600), Telling(STORE)
        with desk.conn.begin():
            supervising.look(desk.conn, telling, Server(START), now)
            found = troubles.open_now(desk.conn, STORE)
        return [one.words for one in found if one.what == "access"]

    told = "Access request 2026-0001 must be answered by 2026-04-02."
    assert look(23) == []
    assert look(1) == look(1) == look(10) == [told]
    desk.answer(request, "nothing")
    assert look(0.01) == [told] and look(0.01) == []


def test_a_clip_is_told_of_and_held_however_many_are_of_that_place_and_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_requests.rules, "MOST_CLIPS", 2)
    request = desk.open()
    told = [desk.seal(after) for after in (0, 20, 40)]
    assert set(desk.shown(request)) == set(told)
    assert all(desk.held(clip) for clip in told)
    with pytest.raises(Refused, match="More than 2 clips"):
        desk.open()


def test_the_end_of_the_list_at_the_desk_is_not_the_end_of_what_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_LISTED", 1)
    numbers = {desk.row(desk.open()).number for _ in range(2)}
    told = desk.seal(0)
    assert len(desk.do(store.listed)) == 1
    assert {row.number for row in desk.do(store.waiting)} == numbers
    assert set(desk.held(told)) == {f"Access request {number}" for number in numbers}


def test_what_was_released_is_held_again_once_it_is_opened_again(desk: Desk) -> None:
    clip, request = desk.seal(0), desk.open()
    now = desk.clock()
    desk.answer(request, "nothing")
    desk.do(access_requests.ask_release, request, MIRA, "Done", now, silent=True)
    desk.do(access_requests.release, request, ADAM, now, silent=True)
    assert desk.held(clip) == []
    desk.do(access_requests.reopen, request, "They sent a picture", MIRA, None, now)
    assert desk.held(clip) == ["Access request 2026-0001"]
    with desk.conn.begin():
        assert len(access_requests.standing(desk.conn, STORE, request, silent=True)) == 1
        assert "1 clip is held" in store.steps(desk.conn, request)[-1].words


def test_each_agrees_to_what_the_other_asked_for(desk: Desk) -> None:
    one, other, request = desk.seal(0), desk.seal(20), desk.open()
    now = desk.clock()
    desk.answer(request, "nothing")
    for clip, actor in ((one, MIRA), (other, ADAM)):
        hold = desk.shown(request)[clip].hold
        desk.do(keeping.ask_release, hold, actor, "Done", now, silent=True)
    assert desk.do(access_requests.release, request, MIRA, now, silent=True) == 1
    assert desk.do(access_requests.release, request, ADAM, now, silent=True) == 1
    assert desk.held(one) == desk.held(other) == []
