from datetime import UTC, datetime, timedelta

import pytest

from edge.drills.rules import HOPS, Known, clock, judge, missing

START = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
UNTIL = START + timedelta(seconds=30)
NAMES = list(HOPS)


def passed_to(hop: str) -> dict[str, datetime]:
    """Everything up to this hop, a second each."""
    count = NAMES.index(hop) + 1
    return {name: START + timedelta(seconds=n) for n, name in enumerate(NAMES[:count])}


def test_it_passes_with_the_kiosks_last_word_whatever_the_time() -> None:
    found = judge("till-1", "Ana", passed_to("told"), UNTIL, Known(), None, UNTIL + timedelta(hours=1))
    assert found is not None and found.hop is None and found.words == "The whole way took 8.0 s."


def test_while_there_is_time_nothing_is_decided() -> None:
    assert (
        judge("till-1", "Ana", passed_to("sent"), UNTIL, Known(), None, UNTIL - timedelta(seconds=1)) is None
    )


@pytest.mark.parametrize("number", range(len(NAMES) - 1))
def test_the_first_hop_that_was_not_done_is_named_with_since_when(number: int) -> None:
    passage = passed_to(NAMES[number])
    found = judge("till-1", "Ana", passage, UNTIL, Known(), None, UNTIL)
    assert found is not None and found.hop == NAMES[number + 1]
    assert clock(passage[NAMES[number]]) in found.words
    assert found.words.endswith(".") and found.words.count(". ") == 0


def test_a_hop_that_left_no_time_does_not_hide_those_behind_it() -> None:
    passage = passed_to("delivered")
    del passage["written"], passage["pressed"]
    assert missing(passage) == ("acknowledged", passage["delivered"])


def test_what_is_known_of_the_kiosk_and_the_phone_is_said() -> None:
    gone = Known("offline", START, START)
    found = judge("till-1", "Ana", passed_to("sent"), UNTIL, gone, None, UNTIL)
    assert found is not None and f"it is offline since {clock(START)}" in found.words
    found = judge("till-1", "Ana", passed_to("paged"), UNTIL, Known(), "No answer.", UNTIL)
    assert found is not None and found.words.endswith("No answer.")
