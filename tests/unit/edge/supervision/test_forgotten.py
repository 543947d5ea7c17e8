"""An open incident that nobody adds to is brought back to mind, again and again, and no other."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.supervision.facts import Key, What
from edge.supervision.forgotten import OpenIncident, forgotten

OPENED = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDED = OPENED + timedelta(days=9)
AFTER = timedelta(days=14)


@pytest.mark.parametrize(
    ("idle", "mark"),
    [
        (timedelta(days=14) - timedelta(seconds=1), None),
        (timedelta(days=14), "1"),
        (timedelta(days=27), "1"),
        (timedelta(days=28), "2"),
        (timedelta(days=70), "5"),
    ],
)
def test_each_14_days_without_a_word_are_a_reminder_of_their_own(idle: timedelta, mark: str | None) -> None:
    one = OpenIncident("i", "2026-0012", OPENED, ADDED, silent=True)
    found = forgotten([one], AFTER, ADDED + idle)
    assert [each.mark for each in found] == ([] if mark is None else [mark])
    for each in found:
        assert each.key == Key("", What.INCIDENT, "i") and each.silent and each.since == ADDED
        assert each.words == (
            "Incident 2026-0012 is open since 2026-03-01, and nobody has added to it since 2026-03-10; its "
            "clips are kept until it is closed."
        )
