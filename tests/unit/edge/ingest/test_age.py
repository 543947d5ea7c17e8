"""How old an event is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from broker.events import Clock
from edge.ingest import age as ages
from edge.ingest.age import OLDEST, UNKNOWN, Age, Reference, age_of

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BOOT, OTHER = UUID(int=1), UUID(int=2)


def heard(ago_s: float, monotonic_ms: int, *, present: bool = True) -> Reference:
    return Reference(str(BOOT), monotonic_ms, NOW - timedelta(seconds=ago_s), present)


def test_the_age_is_the_way_that_the_devices_own_clock_has_gone_since() -> None:
    age = age_of(Clock(False, BOOT, 40_000), heard(2, 100_000), NOW)
    assert age == Age(timedelta(seconds=62), True)


def test_the_devices_wall_clock_and_whether_it_is_synced_play_no_part() -> None:
    reference = heard(2, 100_000)
    assert age_of(Clock(True, BOOT, 1), reference, NOW) == age_of(Clock(False, BOOT, 1), reference, NOW)


def test_an_event_a_hair_younger_than_the_reference_is_new_and_not_negative() -> None:
    assert age_of(Clock(False, BOOT, 102_500), heard(2, 100_000), NOW) == Age(timedelta(0), True)


def test_of_an_earlier_run_only_a_lower_bound_is_known() -> None:
    assert age_of(Clock(False, OTHER, 9), heard(2, 100_000), NOW) == Age(timedelta(seconds=102), False)


def test_of_a_run_that_may_be_later_than_the_last_one_heard_nothing_is_known() -> None:
    assert age_of(Clock(False, OTHER, 9), heard(2, 864_000_000, present=False), NOW) == UNKNOWN


def test_without_a_clock_or_a_reference_nothing_is_known() -> None:
    assert age_of(None, heard(2, 5), NOW) == UNKNOWN
    assert age_of(Clock(True, BOOT, 5), None, NOW) == UNKNOWN


_ms = st.integers(0, 2**53)


@given(_ms, _ms, st.sampled_from([BOOT, OTHER]), st.floats(-1e6, 1e6))
def test_whatever_a_device_claims_the_age_fits_into_a_date(
    one: int, other: int, boot: UUID, ago_s: float
) -> None:
    age = age_of(Clock(True, boot, one), heard(ago_s, other), NOW)
    assert timedelta(0) <= age.at_least <= OLDEST
    assert NOW - age.at_least < NOW + timedelta(seconds=1)


def test_a_word_that_waited_on_its_way_makes_nothing_look_younger_and_the_next_one_settles_it() -> None:
    before = heard(30, 100_000)
    late = ages.heard(before, heard(0, 106_000))  # sent 24 s before it was heard
    assert age_of(Clock(False, BOOT, 110_000), late, NOW) == UNKNOWN
    fresh = ages.heard(late, heard(-1, 131_000))
    assert age_of(Clock(False, BOOT, 110_000), fresh, NOW + timedelta(seconds=1)) == Age(
        timedelta(seconds=21), True
    )


def test_a_devices_clock_that_stood_for_a_while_is_believed_when_its_words_go_on_saying_so() -> None:
    before = heard(3600, 100_000)
    doubted = ages.heard(before, heard(0, 105_000))
    assert doubted.doubted_at == NOW
    settled = ages.heard(doubted, heard(-5, 110_000))
    assert settled == heard(-5, 110_000)


def test_another_run_or_a_first_word_is_believed_at_once() -> None:
    word = heard(0, 5_000)
    assert ages.heard(None, word) == word
    assert ages.heard(Reference(str(OTHER), 900_000, NOW - timedelta(hours=1)), word) == word
