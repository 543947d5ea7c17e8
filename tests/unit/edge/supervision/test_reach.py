"""Who can be reached: from the roster, when phones were heard, and now."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.presence import Presence
from edge.supervision.reach import Reach, Responder, reach, unreachable, ways

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


ANA = Responder("a", "Ana", "associate", Presence.AVAILABLE, ago(3600), ago(3600), ago(2))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Reach.ANSWERS),
        ({"heard_at": ago(10)}, Reach.ANSWERS),
        ({"heard_at": ago(10.1)}, Reach.QUIET),
        ({"heard_at": ago(3601)}, Reach.SILENT),
        ({"heard_at": None}, Reach.SILENT),
        ({"heard_at": None, "signed_in_at": ago(10)}, Reach.ASKED),
        ({"heard_at": ago(20), "presence_at": ago(5)}, Reach.ASKED),
        ({"heard_at": ago(20), "presence_at": ago(11)}, Reach.SILENT),
        ({"signed_in_at": None}, Reach.NOT_SIGNED_IN),
        ({"signed_in_at": None, "pagers": (("pager-1", ago(15)),)}, Reach.ON_PAGER),
        ({"heard_at": None, "pagers": (("pager-1", None), ("pager-2", ago(5)))}, Reach.ON_PAGER),
        ({"pagers": (("pager-1", ago(5)),)}, Reach.ANSWERS),
        ({"signed_in_at": None, "pagers": (("pager-1", ago(17)),)}, Reach.NOT_SIGNED_IN),
        ({"presence": Presence.OFF, "pagers": (("pager-1", ago(5)),)}, Reach.AWAY),
        ({"presence": Presence.OFF}, Reach.AWAY),
        ({"presence": Presence.UNREACHABLE}, Reach.AWAY),
        ({"presence": Presence.ON_BREAK}, Reach.ANSWERS),
    ],
)
def test_how_far_somebody_can_be_reached(change: dict[str, object], expected: Reach) -> None:
    assert reach(replace(ANA, **change), NOW) is expected  # type: ignore[arg-type]


def test_only_who_was_not_heard_at_the_beginning_is_named_with_the_way() -> None:
    silent = replace(ANA, id="b", name="Bo", heard_at=None, signed_in_at=ago(14))
    fresh = replace(silent, id="c", name="Cy", signed_in_at=ago(12))
    no_phone = replace(ANA, id="d", name="Di", signed_in_at=None)
    later = replace(ANA, id="e", name="Ed", heard_at=ago(900))
    words = [one.words for one in unreachable([ANA, silent, fresh, no_phone, later], NOW)]
    assert len(words) == 2
    assert words[0].startswith("Bo is here since") and "phone has not answered" in words[0]
    assert words[1].startswith("Di is here since") and "signed in on no phone" in words[1]


def test_a_pager_that_is_heard_counts_and_one_that_is_not_is_named() -> None:
    no_phone = replace(ANA, name="Di", signed_in_at=None, pagers=(("pager-1", None), ("pager-2", ago(60))))
    (one,) = unreachable([no_phone, replace(no_phone, pagers=(("pager-1", ago(3)),))], NOW)
    assert one.words.endswith("is signed in on no phone; pager-1 and pager-2 are not heard either.")


@pytest.mark.parametrize(
    ("began", "said"),
    [
        # An hour before, and two minutes before, the clocks are put on and back.
        (datetime(2026, 3, 29, 0, 0, tzinfo=UTC), "01:00"),
        (datetime(2026, 3, 29, 0, 58, tzinfo=UTC), "01:58"),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "02:00"),
        (datetime(2026, 10, 25, 0, 58, tzinfo=UTC), "02:58"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "02:00"),
    ],
)
def test_the_shift_begins_by_the_shops_clock_and_its_10_seconds_are_10_whatever_that_clock_does(
    in_madrid: None, began: datetime, said: str
) -> None:
    one = replace(ANA, presence_at=began, signed_in_at=began, heard_at=None)
    assert reach(one, began + timedelta(seconds=10)) is Reach.ASKED
    assert unreachable([one], began + timedelta(seconds=13)) == []
    for after_s in (14, 180, 3700):
        (found,) = unreachable([one], began + timedelta(seconds=after_s))
        assert found.words == f"Ana is here since {said}, and their phone has not answered within 10 s."


def test_the_ways_are_named_and_a_push_makes_nobody_reached() -> None:
    began = NOW - timedelta(minutes=5)
    locked = Responder("a", "Ana", "associate", Presence.AVAILABLE, began, began, pushes=(None,))
    assert reach(locked, NOW) is Reach.SILENT and ways(locked, NOW) == ("push",)
    (found,) = unreachable([locked], NOW)
    assert found.words.endswith("It is called by push too; whether that arrives is not known.")
    open_ = replace(locked, heard_at=NOW)
    assert ways(open_, NOW) == ("stream", "push") and ways(replace(open_, presence=Presence.OFF), NOW) == ()
