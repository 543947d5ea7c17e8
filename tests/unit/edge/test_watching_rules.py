"""What a zone is watched for: hours, also over midnight, and sentences for what cannot be."""

from datetime import time

import pytest

from edge.watching import Watching, fault, why


@pytest.mark.parametrize(
    ("opens", "closes", "at", "closed"),
    [
        ("09:00", "20:00", "08:59", True),
        ("09:00", "20:00", "09:00", False),
        ("09:00", "20:00", "19:59", False),
        ("09:00", "20:00", "20:00", True),
        ("18:00", "03:00", "02:59", False),
        ("18:00", "03:00", "03:00", True),
        ("18:00", "03:00", "17:59", True),
        ("18:00", "03:00", "23:00", False),
    ],
)
def test_hours_also_over_midnight(opens: str, closes: str, at: str, closed: bool) -> None:
    said = why(
        Watching(60, "closed", opens, closes), time.fromisoformat(at), anyone_there=True, anyone_here=True
    )
    assert said == ("It is closed." if closed else None)


def test_without_hours_it_is_closed_while_nobody_is_here_and_never_watched_is_never() -> None:
    noon = time(12)
    assert why(Watching(60, "closed"), noon, anyone_there=False, anyone_here=False) == "It is closed."
    assert why(Watching(60, "closed"), noon, anyone_there=False, anyone_here=True) is None
    said = why(Watching(60, "unattended"), noon, anyone_there=False, anyone_here=True)
    assert said == "Nobody who works there is here."
    assert why(Watching(60, "unattended"), noon, anyone_there=True, anyone_here=True) is None
    assert why(Watching(), noon, anyone_there=False, anyone_here=False) is None


@pytest.mark.parametrize(
    ("watching", "said"),
    [
        (Watching(5), "A drawer may be open for 5 s; allowed are 10 to 3600 seconds, and 0 for ever."),
        (Watching(60, "always"), "watched 'always'; allowed are never, closed, unattended"),
        (Watching(60, "closed", "9 am", "20:00"), "opens at '9 am'; allowed are times from 00:00 to 23:59"),
        (Watching(60, "closed", "09:00", None), "both times"),
        (Watching(60, "closed", "09:00", "09:00"), "opens and closes at 09:00"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(watching: Watching, said: str) -> None:
    assert said in (fault(watching) or "")


def test_what_can_be_is_not_spoken_of() -> None:
    for good in (Watching(), Watching(0), Watching(10, "closed", "09:00", "20:00"), Watching(3600)):
        assert fault(good) is None
