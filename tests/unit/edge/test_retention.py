"""How long clips are kept, as rules."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.retention import Keepable, Retention, class_of, due, to_make_room
from tests.unit.edge.conftest import START

HOUR = timedelta(hours=1)
KEEPABLE = st.builds(
    Keepable,
    id=st.uuids().map(str),
    kept_as=st.sampled_from(["routine", "security"]),
    bytes=st.integers(1, 1000),
    sealed_at=st.integers(0, 100).map(lambda n: START + n * HOUR),
    keep_until=st.integers(0, 100).map(lambda n: START + n * HOUR),
    held=st.booleans(),
)


@pytest.mark.parametrize(
    ("kind", "drill", "kept_as"),
    [("security", False, "security"), ("tamper", False, "security"), ("help", False, "routine"),
     ("security", True, "routine"), (None, False, "security"), (None, True, "routine")],
)  # fmt: skip
def test_the_class_follows_from_the_cause(kind: str | None, drill: bool, kept_as: str):
    assert class_of(kind, drill=drill) == kept_as


def test_each_class_has_its_time():
    rule = Retention()
    assert rule.keep_until("routine", START) == START + 72 * HOUR
    assert rule.keep_until("security", START) == START + timedelta(days=90)


@given(st.lists(KEEPABLE, max_size=12), st.integers(0, 100))
def test_only_what_nobody_holds_and_whose_time_is_over_is_due(clips: list[Keepable], hours: int):
    now = START + hours * HOUR
    assert {c.id for c in due(clips, now)} == {c.id for c in clips if not c.held and c.keep_until <= now}


@given(st.lists(KEEPABLE, max_size=12), st.integers(0, 5000))
def test_room_is_made_of_routine_clips_oldest_first_and_no_more(clips: list[Keepable], wanted: int):
    chosen = to_make_room(clips, wanted)
    assert all(c.kept_as == "routine" and not c.held for c in chosen)
    assert sum(c.bytes for c in chosen[:-1]) < max(wanted, 1)
    left = [c for c in clips if c.kept_as == "routine" and not c.held and c not in chosen]
    if left and chosen:
        assert max(c.sealed_at for c in chosen) <= min(c.sealed_at for c in left)
    if sum(c.bytes for c in chosen) < wanted:
        assert left == []
