"""Every length of time is said in one way."""

from datetime import timedelta

import pytest

from edge.lengths import in_words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (48 * 3600 - 1, "47 h 59 min"),
        (48 * 3600, "2 days"),
    ],
)
def test_a_length_is_said_in_the_two_units_that_matter(seconds: float, said: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == said
