"""A small store with zones, people and devices: a migrated SQLite file, and a PostgreSQL database."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa

from edge.db.engine import connect, migrate, sqlite_url
from edge.devices.store import add_zone, register
from edge.people import store as people
from tests.rig.place import place
from tests.rig.postgres import Postgres, running

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

    url: str
    people: dict[str, str]
    name: str = STORE


PEOPLE = (
    ("Ana", "associate", ("shoes",), ("ca", "en")),
    ("Bo", "associate", ("shoes",), ("en",)),
    ("Carla", "associate", ("tills",), ("it",)),
    ("Sofia", "supervisor", (), ("en",)),
    ("Igor", "security", (), ("en", "sr")),
    ("Mira", "manager", (), ("en",)),
)


# Every test of these folders that uses the small store runs on both databases.
ON_BOTH = (
    "audit",
    "db",
    "devices",
    "evidence",
    "feedback",
    "handling",
    "home_assistant",
    "incidents",
    "ingest",
    "interactions",
    "messenger",
    "outside",
    "paging",
    "people",
    "pushing",
)
FOLDER = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" in metafunc.fixturenames:
        place = metafunc.definition.path.relative_to(FOLDER).parts[0]
        both = place in ON_BOTH or place.startswith("test_")
        # What it says of plans and pragmas is said of SQLite.
        both = both and "sqlite_only" not in metafunc.fixturenames
        metafunc.parametrize("database", ["sqlite", "postgresql"] if both else ["sqlite"], scope="session")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The run's one cluster."""
    with running() as cluster:
        yield cluster


def _fill(url: str) -> dict[str, str]:
    migrate(url)
    engine = connect(url, write=True)
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
    return ids


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("template") / "floorbell.db"
    return path, _fill(sqlite_url(path))


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> tuple[str, dict[str, str]]:
    name = postgres.create()
    return name, _fill(postgres.url(name))


@pytest.fixture
def sqlite_only() -> None:
    """For a test of something that only SQLite has."""


@pytest.fixture
def small_store(database: str, request: pytest.FixtureRequest) -> Iterator[SmallStore]:
    """A store of its own for each test."""
    if database == "sqlite":
        template, ids = request.getfixturevalue("sqlite_template")
        with TemporaryDirectory(prefix="fb-", dir=place(), ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "floorbell.db"
            shutil.copyfile(template, path)
            yield SmallStore(sqlite_url(path), ids)
    else:
        template, ids = request.getfixturevalue("postgres_template")
        postgres: Postgres = request.getfixturevalue("postgres")
        name = postgres.create(template)
        yield SmallStore(postgres.url(name), ids)
        postgres.drop(name)


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


@pytest.fixture
def in_madrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server stands there: its own zone is the store's."""
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
