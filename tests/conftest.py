"""How far hypothesis searches, and a folder with a short name.

`short` is the default: the same examples in each run, so that a change fails for what it changed alone.
`make test ARGS="--hypothesis-profile=long"` looks forty times as far, at other ones in each run: the machine
of requests (tests/unit/edge/test_request_machine.py) then takes 100,000 steps.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("short", derandomize=True, max_examples=100, stateful_step_count=30, **_UNTIMED)
settings.register_profile("long", max_examples=4000, stateful_step_count=50, print_blob=True, **_UNTIMED)
settings.load_profile("short")


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder for what holds sockets: their paths have 107 signs at most, and pytest's own are long."""
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        yield Path(folder)
