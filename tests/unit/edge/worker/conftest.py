"""A worker for each test."""

import pytest
import sqlalchemy as sa

from edge.db import engine as engines
from tests.unit.edge.conftest import Clock
from tests.unit.edge.worker.rig import Worker


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock that a test holds."""
    monkeypatch.setattr(engines, "BUSY_S", 0.0)


@pytest.fixture
def worker(conn: sa.Connection, clock: Clock) -> Worker:
    return Worker(conn, clock)
