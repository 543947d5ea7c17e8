"""The short rounds of `make faults`: twenty seconds of kill -9 and SIGSTOP, and races for requests. The long
ones: tests/faults."""

from pathlib import Path

import pytest

from tests.faults import kills, races

pytestmark = [pytest.mark.system, pytest.mark.faults]
SEED = 20


def test_no_press_is_lost_doubled_or_invented_while_everything_is_killed(tmp_path: Path) -> None:
    outcome = kills.run(tmp_path, SEED, kills.SHORT)
    print(outcome.figures)
    assert outcome.wrong == []


def test_of_those_who_answer_one_request_at_once_by_different_ways_exactly_one_wins(tmp_path: Path) -> None:
    outcome = races.run(tmp_path, SEED, races.SHORT)
    print(outcome.figures)
    assert outcome.wrong == []
