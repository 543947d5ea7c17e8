"""A migrated SQLite file, and in it a small store with zones, people and devices."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from edge.db.engine import connect, migrate, sqlite_url
from edge.devices.store import add_zone, register
from edge.people import store as people

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

STORE = "shop"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class Clock:
    """The time of day, moved by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass(frozen=True)
class SmallStore:
    """Zones shoes and tills, devices kiosk-1 (shoes) and till-1 (tills). `people` is name -> id."""

    path: Path
    people: dict[str, str]
    name: str = STORE

    @property
    def url(self) -> str:
        return sqlite_url(self.path)


PEOPLE = (
    ("Ana", "associate", ("shoes",), ("ca", "en")),
    ("Bo", "associate", ("shoes",), ("en",)),
    ("Carla", "associate", ("tills",), ("it",)),
    ("Sofia", "supervisor", (), ("en",)),
    ("Igor", "security", (), ("en", "sr")),
    ("Mira", "manager", (), ("en",)),
)


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> SmallStore:
    path = tmp_path_factory.mktemp("template") / "floorbell.db"
    migrate(sqlite_url(path))
    engine = connect(sqlite_url(path), write=True)
    ids = {}
    with engine.begin() as conn:
        add_zone(conn, STORE, "shoes", "Shoes")
        add_zone(conn, STORE, "tills", "Tills")
        for name, role, zones, languages in PEOPLE:
            badge = f"badge-{name.lower()}"
            someone = people.add(
                conn, STORE, name, role, START, zones=zones, languages=languages, badge=badge
            )
            people.set_presence(conn, STORE, someone.id, "available", START)
            ids[name] = someone.id
        register(conn, STORE, "kiosk-1", "shoes", None, START)
        register(conn, STORE, "till-1", "tills", None, START)
    # The last connection to close writes everything into the one file.
    engine.dispose()
    return SmallStore(path, ids)


@pytest.fixture
def small_store(_template: SmallStore, tmp_path: Path) -> SmallStore:
    """A store of its own for each test, in a migrated SQLite file."""
    path = tmp_path / "floorbell.db"
    shutil.copyfile(_template.path, path)
    return SmallStore(path, _template.people)


@pytest.fixture
def engine(small_store: SmallStore) -> Iterator[sa.Engine]:
    """A writer's engine on the small store."""
    engine = connect(small_store.url, write=True)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A writer's connection; begin and end its transactions with `with conn.begin():`."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def clock() -> Clock:
    return Clock()
