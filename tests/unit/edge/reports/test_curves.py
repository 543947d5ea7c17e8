"""Waits as distributions: whoever was never answered stays in the count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reports.curves import Waits, by_hour, ecdf, marks, quantile, share_within

_waits = st.builds(
    Waits, st.lists(st.floats(0, 5000, allow_nan=False), max_size=40), st.integers(min_value=0, max_value=20)
)


@given(_waits, st.lists(st.floats(0, 6000, allow_nan=False), max_size=10).map(sorted))
def test_a_curve_rises_and_ends_at_the_share_that_was_ever_answered(waits: Waits, at: list[float]) -> None:
    shares = ecdf(waits, [*at, 6000.0])
    assert shares == sorted(shares) and all(0 <= share <= 1 for share in shares)
    assert shares[-1] == (len(waits.ended_s) / waits.total if waits.total else 0.0)
    assert shares == [share_within(waits, mark) for mark in [*at, 6000.0]]


@given(_waits, st.sampled_from([0.01, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_the_shortest_time_that_holds_its_share(waits: Waits, share: float) -> None:
    seconds = quantile(waits, share).seconds
    if seconds is None:
        assert not waits.total or len(waits.ended_s) / waits.total < share
    else:
        assert share_within(waits, seconds) >= share - 1e-9
        assert all(share_within(waits, other) < share for other in waits.ended_s if other < seconds)


@given(_waits, st.integers(min_value=1, max_value=9), st.sampled_from([0.5, 0.9]))
def test_one_more_who_was_never_answered_makes_nothing_look_better(
    waits: Waits, more: int, share: float
) -> None:
    worse = Waits(list(waits.ended_s), waits.never + more)
    before, after = quantile(waits, share).seconds, quantile(worse, share).seconds
    assert share_within(worse, 30) <= share_within(waits, 30)
    assert after is None or (before is not None and after >= before)


def test_half_of_ten_with_six_never_answered_is_never() -> None:
    assert quantile(Waits([1.0, 2.0, 3.0, 4.0], 6), 0.5).seconds is None
    assert quantile(Waits([1.0, 2.0, 3.0, 4.0, 5.0], 5), 0.5).seconds == 5.0


def test_every_hour_has_its_place_and_an_empty_one_claims_nothing() -> None:
    bars = by_hour({9: Waits([4.0, 8.0], 0), 17: Waits([], 3)})
    assert [bar.hour for bar in bars] == list(range(24))
    assert (bars[9].median_s, bars[9].p90_s) == (4.0, 8.0)
    assert (bars[17].count, bars[17].never, bars[17].median_s) == (3, 3, None)
    assert bars[0].count == 0 and bars[0].median_s is None


@pytest.mark.parametrize("longest", [0.5, 59.0, 100_000.0])
def test_a_curve_is_drawn_at_few_marks_however_long_the_waits(longest: float) -> None:
    found = marks([Waits([1.0, longest], 0)])
    assert found[0] == 0 and found == sorted(found) and found[-1] >= longest and len(found) <= 125
