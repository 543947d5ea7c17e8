"""The store that is backed up."""

from pathlib import Path

import pytest

from tests.rig.backed_up import BackedUp, store


@pytest.fixture
def shop(tmp_path: Path) -> BackedUp:
    return store(tmp_path)
