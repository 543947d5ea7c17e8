"""The short round of `make faults`: kill -9 and SIGSTOP for twenty seconds. The long ones: tests/faults."""

from pathlib import Path

import pytest

from tests.faults import kills

pytestmark = [pytest.mark.system, pytest.mark.faults]
SEED = 20


def test_no_press_is_lost_doubled_or_invented_while_everything_is_killed(tmp_path: Path) -> None:
    outcome = kills.run(tmp_path, SEED, kills.SHORT)
    print(outcome.figures)
    assert outcome.wrong == []
