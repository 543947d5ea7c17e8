"""When the custody log is stamped: a pure rule over what was tried and when."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.stamping import EVERY, LONGEST_PAUSE, Authority, State, due, pause_after

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def test_the_first_head_is_stamped_at_once_and_none_without_a_head() -> None:
    assert due(State(head=1, stamped=0, tried_at=None, failures=0), NOW)
    assert not due(State(head=0, stamped=0, tried_at=None, failures=0), NOW)


def test_a_log_that_grew_is_stamped_once_a_day() -> None:
    state = State(head=9, stamped=4, tried_at=NOW, failures=0)
    assert not due(state, NOW + EVERY - timedelta(seconds=1))
    assert due(state, NOW + EVERY)


def test_a_log_that_did_not_grow_needs_no_new_stamp() -> None:
    assert not due(State(head=9, stamped=9, tried_at=NOW, failures=0), NOW + timedelta(days=30))


def test_after_failures_it_is_tried_again_after_pauses_that_double() -> None:
    minutes = [pause_after(n) // timedelta(minutes=1) for n in range(1, 11)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]
    assert pause_after(10**9) == LONGEST_PAUSE
    state = State(head=9, stamped=4, tried_at=NOW, failures=3)
    assert not due(state, NOW + timedelta(minutes=4, seconds=-1))
    assert due(state, NOW + timedelta(minutes=4))


def test_a_try_by_a_clock_that_ran_ahead_holds_up_nothing() -> None:
    assert due(State(head=9, stamped=4, tried_at=NOW + timedelta(days=400), failures=0), NOW)


@pytest.mark.parametrize(
    ("url", "well"),
    [
        ("http://tsa.example", True),
        ("https://tsa.example:3161/tsr?policy=1", True),
        ("ftp://tsa.example", False),
        ("tsa.example", False),
        ("http://", False),
        ("http://tsa.example:99999/", False),
        ("http://tsa.example/a b", False),
        ("http://tsa.example/\r\nX: y", False),
    ],
)
def test_an_address_that_could_not_work_is_named(url: str, well: bool) -> None:
    assert (Authority(url, "ca.pem").fault() is None) is well
