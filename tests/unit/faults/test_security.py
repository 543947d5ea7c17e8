"""The judge of security requests under faults can fail, in each way in which the store could."""

from dataclasses import replace

from tests.faults.outcome import Outcome, table
from tests.faults.paths import History
from tests.faults.security import Alarm, Heard, Joined, Verdict, judge, stream

PARTS = frozenset({"kiosk-1", "broker", "worker", "web"})
ALARM = Alarm("a", "kiosk-1", 10.0, PARTS, over_s=11.0)
PAGED = Heard("Igor", "a", 0, 10.5)


def all_up(since_s: float = 0.0) -> History:
    history = History()
    for part in (*PARTS, stream("Igor")):
        history.mark(part, True, since_s)
    return history


def judged(
    *heard: Heard, alarm: Alarm = ALARM, history: History | None = None, also: frozenset[int] = frozenset()
) -> Verdict:
    written = {(one.person, one.request, one.round) for one in heard} | {("Igor", "a", n) for n in also}
    return judge([alarm], ["Igor"], heard, written, history or all_up(), 60.0)


def test_a_request_that_paged_within_five_seconds_until_it_was_answered_is_well() -> None:
    verdict = judged(PAGED)
    assert verdict.wrong == []
    assert (verdict.raised, verdict.paged, verdict.slowest_s) == (1, 1, 0.5)


def test_a_page_after_more_than_five_seconds_of_an_unbroken_way_is_late() -> None:
    verdict = judged(replace(PAGED, at_s=15.1), alarm=replace(ALARM, over_s=16.0))
    assert verdict.wrong == ["Igor was paged after 5.1 s of an unbroken way for a, raised by kiosk-1."]


def test_time_without_a_way_does_not_count_whichever_part_is_away() -> None:
    for part in (*PARTS, stream("Igor")):
        history = all_up()
        history.mark(part, False, 9.0)
        history.mark(part, True, 40.0)
        late = judged(replace(PAGED, at_s=44.9), alarm=replace(ALARM, over_s=45.0), history=history)
        assert late.wrong == []
        assert round(late.slowest_s, 1) == 4.9
        later = judged(replace(PAGED, at_s=45.2), alarm=replace(ALARM, over_s=46.0), history=history)
        assert len(later.wrong) == 1


def test_a_press_that_joined_an_open_request_is_late_in_the_same_way() -> None:
    for taken_s, wrong in ((14.9, []), (15.1, ["b came after 5.1 s of an unbroken way."])):
        press = Joined("b", 10.0, PARTS, taken_s)
        verdict = judge([ALARM], ["Igor"], [PAGED], {("Igor", "a", 0)}, all_up(), 60.0, joined=[press])
        assert verdict.wrong == wrong


def test_a_way_that_broke_begins_anew_but_each_of_its_lives_counts() -> None:
    history = all_up()
    for at_s in (14.0, 18.0):
        history.mark("worker", False, at_s)
        history.mark("worker", True, at_s + 0.5)
    assert judged(replace(PAGED, at_s=19.0), alarm=replace(ALARM, over_s=19.5), history=history).wrong == []
    history = all_up()
    history.mark("worker", False, 15.5)
    history.mark("worker", True, 16.0)
    assert judged(replace(PAGED, at_s=17.0), alarm=replace(ALARM, over_s=18.0), history=history).wrong != []


def test_a_request_that_paged_nobody_is_lost() -> None:
    verdict = judged(alarm=replace(ALARM, over_s=None))
    assert (verdict.paged, verdict.lost) == (0, 1)
    assert verdict.wrong == ["Igor was paged never for a, raised by kiosk-1."]


def test_a_round_that_comes_twice_is_doubled() -> None:
    verdict = judged(PAGED, replace(PAGED, at_s=10.6))
    assert verdict.doubled == 1
    assert verdict.wrong == ["Igor was paged 2 times in round 0 of a."]


def test_a_page_that_was_written_and_never_heard_is_lost() -> None:
    verdict = judged(PAGED, also=frozenset({1}))
    assert (verdict.lost, verdict.wrong) == (1, ["Igor never heard of round 1 of a."])


def test_a_page_for_a_request_that_nobody_raised_is_a_phantom() -> None:
    assert judged(PAGED, Heard("Igor", "b", 0, 12.0)).phantom == 1


def test_an_escalation_that_falls_silent_before_anybody_answered_is_named() -> None:
    verdict = judged(PAGED, alarm=replace(ALARM, over_s=40.0))
    assert verdict.wrong == ["Igor was not paged again for 29.5 s about a."]
    on = [replace(PAGED, round=n, at_s=10.5 + 10 * n) for n in range(3)]
    assert judged(*on, alarm=replace(ALARM, over_s=40.0)).wrong == []


def test_a_step_that_is_due_while_the_worker_is_away_need_not_come() -> None:
    history = all_up()
    history.mark("worker", False, 12.0)
    history.mark("worker", True, 39.0)
    assert judged(PAGED, alarm=replace(ALARM, over_s=40.0), history=history).wrong == []


def test_the_table_of_all_faults_has_a_row_for_its_security() -> None:
    outcome = Outcome("kills", security=judged(PAGED).figures() | {"by": "kiosk 1"})
    shown = table([outcome], 7).splitlines()
    assert shown[-3].split() == [
        "kills",
        "1",
        "1",
        "0",
        "0.5",
        "s",
        "1",
        "0.5",
        "s",
        "0",
        "0",
        "0",
        "kiosk",
        "1",
    ]
