"""Told once, and once that it is over: also of what comes and goes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.supervision.facts import Found, Key, Look, What
from edge.supervision.rules import (
    Begin,
    Drop,
    End,
    Restart,
    SeemWell,
    Someone,
    Tell,
    Trouble,
    calm,
    ended_in_words,
    steps,
    whom,
)

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ALL = frozenset(What)


class Watch:
    """Looks every 2 s and does what the rules say; `told` and `over` are the times of both."""

    def __init__(self, what: What = What.SILENT) -> None:
        self.key, self.now = Key("kiosk-1", what), START
        self.known: list[Trouble] = []
        self.ended: dict[Key, tuple[datetime, int]] = {}
        self.told: list[float] = []
        self.over: list[float] = []
        self.mark, self.blind, self.quiet = "", False, False

    def look(self, wrong: bool) -> None:
        now_s = (self.now - START).total_seconds()
        found = [Found(self.key, self.now, "Wrong.", self.mark)] if wrong else []
        blind = frozenset({(self.key.device, self.key.what)} if self.blind else ())
        quiet = frozenset({self.key.device} if self.quiet else ())
        for step in steps(self.known, Look(found, blind, quiet), self.ended, self.now, ALL):
            match step:
                case Begin(one, returns, told):
                    trouble = Trouble("t", self.key, one.since, self.now, one.words, one.mark, told, returns)
                    self.known = [trouble]
                    self.told += [now_s] if told else []
                case Restart(one, again):
                    self.known = [Trouble("t", self.key, again.since, self.now, "", again.mark)]
                case Tell(one):
                    self._be(told=True)
                    self.told.append(now_s)
                case Drop(one):
                    self.known = []
                case SeemWell(one, at):
                    self._be(well_at=at, returns=one.returns + (at is None))
                case End(one, at):
                    self.known, self.ended[self.key] = [], (at, one.returns)
                    self.over.append(now_s)
        self.now += timedelta(seconds=2)

    def _be(self, **values: object) -> None:
        self.known = [replace(one, **values) for one in self.known]  # type: ignore[arg-type]

    def run(self, seconds: float, wrong: Callable[[float], bool]) -> "Watch":
        for _ in range(int(seconds / 2)):
            self.look(wrong((self.now - START).total_seconds()))
        return self


def test_a_silence_is_told_at_once_and_once_and_its_end_once_after_a_minute() -> None:
    watch = Watch().run(3600, lambda at_s: 100 <= at_s < 400)
    assert (watch.told, watch.over) == ([100.0], [460.0])
    assert watch.ended[watch.key][0] == START + timedelta(seconds=400)


def test_what_only_flickers_is_told_to_nobody() -> None:
    assert Watch(What.CAMERA).run(3600, lambda at_s: at_s % 20 < 8).told == []


def test_an_outbox_that_moves_on_is_no_dead_path_and_one_that_stands_still_is() -> None:
    watch = Watch(What.PATH)
    for second in range(0, 600, 2):
        watch.mark = str(second // 50)
        watch.look(True)
    assert watch.told == []
    watch.run(100, lambda at_s: True)
    assert len(watch.told) == 1


@given(down_s=st.integers(16, 300), up_s=st.integers(2, 3600))
def test_a_kiosk_that_comes_and_goes_all_day_rings_four_times_or_as_often_as_it_is_well_for_half_an_hour(
    down_s: int, up_s: int
) -> None:
    watch = Watch().run(8 * 3600, lambda at_s: at_s % (down_s + up_s) < down_s)
    if up_s < calm(9).total_seconds():
        assert 1 <= len(watch.told) <= 4
    assert len(watch.told) <= 4 + 8 * 3600 / max(up_s, calm(9).total_seconds())
    assert len(watch.told) - 1 <= len(watch.over) <= len(watch.told)


@given(st.lists(st.booleans(), max_size=300))
def test_whatever_happens_ends_and_beginnings_take_turns(wrong: list[bool]) -> None:
    watch = Watch()
    for one in wrong:
        watch.look(one)
        assert len(watch.told) - len(watch.over) in (0, 1)
    watch.run(4000, lambda at_s: False)
    assert len(watch.told) == len(watch.over) and watch.known == []


def test_what_nobody_can_know_is_neither_over_nor_new() -> None:
    watch = Watch().run(60, lambda at_s: True)
    watch.blind = True
    watch.run(600, lambda at_s: False)
    assert (len(watch.told), watch.over) == (1, [])


def test_a_kiosk_that_is_worked_on_is_quiet_and_is_looked_at_anew_afterwards() -> None:
    watch = Watch().run(60, lambda at_s: True)
    watch.quiet = True
    watch.run(600, lambda at_s: True)
    assert (watch.told, watch.known) == ([0.0], []) and len(watch.over) == 1
    watch.quiet = False
    watch.run(10, lambda at_s: True)
    assert len(watch.told) == 2


MIRA = Someone("mira", "Mira", "manager", on_floor=False, at_desk=True)
ADAM = Someone("adam", "Adam", "admin", on_floor=True, at_desk=False)
SOFIA = Someone("sofia", "Sofia", "supervisor", on_floor=True, at_desk=True)
AWAY = Someone("olga", "Olga", "manager", on_floor=False, at_desk=False)


def test_managers_on_duty_are_told_each_once_and_supervisors_only_where_there_is_none() -> None:
    def names(people: list[Someone], *told: str, silent: bool = False) -> list[str]:
        return [one.name for one in whom(people, told, silent=silent)]

    assert names([MIRA, ADAM, SOFIA, AWAY]) == ["Mira", "Adam"]
    assert names([MIRA, ADAM, SOFIA], "mira") == ["Adam"]
    assert names([SOFIA, AWAY]) == ["Sofia"]
    assert names([SOFIA, AWAY], silent=True) == []
    # The manager who comes later hears of what still goes on; no second supervisor does.
    assert names([SOFIA, MIRA], "sofia") == ["Mira"]
    assert names([SOFIA], "other") == []


def test_an_end_says_since_when_and_how_long_it_was() -> None:
    one = Trouble("t", Key("kiosk-1", What.SILENT), START, START, "")
    at = START + timedelta(seconds=185)
    assert ended_in_words(one, at) == f"Back since {at.astimezone():%H:%M}, was silent for 3 min 05 s."
    other = Trouble("t", Key("kiosk-1", What.DISK), START, START, "", returns=2)
    said = ended_in_words(other, START + timedelta(hours=2))
    assert said.endswith("was wrong for 2 h 00 min, came back 2 times meanwhile.")
    once = Trouble("t", Key("kiosk-1", What.DISK), START, START, "", returns=1)
    assert ended_in_words(once, START + timedelta(hours=2)).endswith(", came back once meanwhile.")
