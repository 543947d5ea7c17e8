"""Which connections to the broker are ended: those that never said who they are."""

import pytest

from broker import strangers
from broker.strangers import FEW, MOST, WITHIN_S, Caller, unwelcome


def test_whoever_does_not_say_who_they_are_in_time_is_ended_and_whoever_was_let_in_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strangers, "FEW", 0)
    callers = {1: Caller("10.0.0.5:4000", 0.0), 2: Caller("10.0.0.6:4000", 0.0), 3: Caller("10.0.0.7:1", 5.0)}
    named = frozenset({"10.0.0.5:4000"})
    assert unwelcome(callers, named, WITHIN_S - 0.1) == []
    assert unwelcome(callers, named, WITHIN_S) == [2]
    assert unwelcome(callers, named, WITHIN_S + 5.0) == [2, 3]


def test_few_are_left_alone_however_long_they_say_nothing() -> None:
    few = {number: Caller(f"10.0.0.5:{number}", 0.0) for number in range(FEW)}
    assert unwelcome(few, frozenset(), 10 * WITHIN_S) == []
    assert unwelcome(few | {9000: Caller("10.0.0.6:1", 0.0)}, frozenset(), WITHIN_S) == [*few, 9000]


def test_where_many_crowd_in_the_oldest_of_the_largest_crowd_go_first() -> None:
    crowd = {number: Caller(f"10.0.0.66:{number}", number / 1000) for number in range(MOST + 5)}
    alone = {9000: Caller("10.0.0.5:1", -1.0), 9001: Caller("10.0.0.5:2", 2.0)}
    assert unwelcome(crowd | alone, frozenset(), 3.0) == list(range(7))
    assert unwelcome(crowd, frozenset(one.peer for one in crowd.values()), 3.0) == []


def test_an_address_of_version_6_keeps_its_colons() -> None:
    assert Caller("fe80::1:883", 0.0).address == "fe80::1"
