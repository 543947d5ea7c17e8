"""What the desk says of times."""

from datetime import UTC, datetime, timedelta

from edge.web import words

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_stretch_of_time_names_its_day_once_and_a_second_day_where_there_is_one() -> None:
    said = words.until(NOON, NOON + timedelta(minutes=20))
    assert said.startswith("2 March 2026, ") and said.count("March") == 1
    assert "3 March 2026, " in words.until(NOON, NOON + timedelta(days=1)).split(" to ")[1]
