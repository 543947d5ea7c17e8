"""A store with people, a clock that only the test moves, and browsers that keep their cookies."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from broker.events import new_id, reference_of
from edge import create_app
from edge.config import EdgeConfig, Web
from edge.db import store_tables, tables
from edge.devices.store import register
from edge.feedback import store as ratings
from edge.feedback.store import Given
from edge.outside.channels import Channel, Outside
from edge.paging import store as paging
from edge.people import passwords
from edge.people import store as people
from edge.people.store import Person
from edge.web import pieces
from edge.web.services import Services
from tests.rig import footage, migrated
from tests.rig.applications import Compiled, rules_compiled_late
from tests.rig.footage import Shot
from tests.rig.place import place

STORE = "trial"
PIN = "2411"
PASSWORD = "correct horse battery"
VIDEO = os.urandom(3 * pieces.PIECE_BYTES // 2)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
STAFF = (
    ("Ana", "associate"),
    ("Marc", "associate"),
    ("Sofia", "supervisor"),
    ("Igor", "security"),
    ("Mira", "manager"),
)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **length: float) -> None:
        self.now += timedelta(**length)


class Shop:
    """The application under test and what a test does to its store."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        self.services: Services = app.extensions["floorbell"]
        self.people: dict[str, Person] = {}

    def write(self, work: Callable[[sa.Connection], object]) -> object:
        return self.services.change(work)

    def read(self, query: str, **values: object) -> list[tuple[object, ...]]:
        with self.services.read() as conn:
            return [tuple(row) for row in conn.execute(sa.text(query), values)]

    def raise_request(self, *paged: str, store: str = STORE, kind: str = "help", **more: object) -> str:
        """A raised request in Shoes and a pending page for each of these people; its id."""
        raised_at = self.clock.now
        id_ = new_id(int(raised_at.timestamp() * 1000))
        values: dict[str, object] = {
            "topic": "fitting-room" if kind == "help" else None,
            "language": "en",
            "state": "raised",
            "silent": kind == "security",
            "age_known": True,
            "drill": False,
            "count": 1,
            "zone": "shoes",
            "device": "kiosk-1",
            "raised_at": raised_at,
            "received_at": raised_at,
            "step": 0,
            "round": 0,
        }

        def write(conn: sa.Connection) -> None:
            conn.execute(
                tables.interaction.insert().values(
                    id=str(id_), store=store, kind=kind, reference=reference_of(id_),
                    revision=1, **(values | more),
                )
            )  # fmt: skip
            chosen = [(self.people[name].id, "You are free and near") for name in paged]
            paging.insert(conn, store, str(id_), chosen, 0, raised_at)

        self.write(write)
        return str(id_)

    def shot(self, cause: str, video: bytes = VIDEO) -> Shot:
        """What the camera of kiosk-1 has recorded for this request."""
        return Shot(STORE, "kiosk-1", "shoes", cause, self.clock.now - timedelta(seconds=10), video)

    def seal(self, cause: str, video: bytes = VIDEO) -> str:
        """It has come and is sealed; the clip's id."""
        vault, shot = self.services.config.vault_path, self.shot(cause, video)
        return str(self.write(lambda conn: footage.seal(conn, vault, shot, self.clock.now)))

    def custody(self) -> list[tuple[object, ...]]:
        """What people have done to clips: deed, who and why."""
        deeds = "SELECT action, actor, reason FROM custody WHERE action <> 'sealed' ORDER BY place"
        return self.read(deeds)

    def write_scores(self, scores: Sequence[tuple[float, int]]) -> None:
        """Faces pressed at the kiosk, each so many seconds from now, and judged."""

        def write(conn: sa.Connection) -> None:
            for after_s, score in scores:
                at = self.clock.now + timedelta(seconds=after_s)
                id_ = new_id(int(at.timestamp() * 1000))
                conn.execute(
                    tables.interaction.insert().values(
                        id=str(id_), store=STORE, device="kiosk-1", zone="shoes", kind="feedback",
                        state="recorded", reference=reference_of(id_), count=1, revision=0, step=0, round=0,
                        silent=False, drill=False, raised_at=at, received_at=at, age_known=True, score=score,
                    )
                )  # fmt: skip
                ratings.insert(
                    conn, STORE, [Given(str(id_), "kiosk-1", "shoes", None, "kiosk", score, {}, at)]
                )
                ratings.judge_around(conn, STORE, "kiosk-1", at, at)

        self.write(write)


class Browser:
    """One browser. `post` sends the token of the page it showed last in that room."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self._tokens: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> TestResponse:
        response = self.client.get(path, headers={"Accept": "text/html", **headers})
        if response.mimetype == "text/html" and (found := TOKEN.search(response.text)):
            self._tokens[path.split("/")[1]] = found[1]
        return response

    def post(self, path: str, htmx: bool = False, **form: object) -> TestResponse:
        headers = {"Accept": "text/html"} | ({"HX-Request": "true"} if htmx else {})
        token = self._tokens.get(path.split("/")[1], "")
        return self.client.post(path, data={"csrf_token": token, **form}, headers=headers)

    def sign_in(self, person: Person, pin: str = PIN) -> TestResponse:
        self.get(f"/floor/sign-in/{person.id}")
        response = self.post("/floor/sign-in", person=person.id, pin=pin)
        if response.status_code == 303:
            self.get("/floor/")
        return response

    def sign_in_at_desk(self, name: str, password: str = PASSWORD) -> TestResponse:
        self.get("/manage/sign-in")
        response = self.post("/manage/sign-in", name=name, password=password)
        if response.status_code == 303:
            self.get("/manage/log")
        return response


def sign_in(shop: Shop, name: str) -> Browser:
    """Their phone."""
    visitor = Browser(shop.app)
    visitor.sign_in(shop.people[name])
    return visitor


@cache
def _quick() -> PasswordHasher:
    """Argon2id with as little work as it may do."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def hashes() -> tuple[str, str]:
    return _quick().hash(PIN), _quick().hash(PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """What pages do with hashes. How much work one is stands in tests/unit/edge/people/test_passwords.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", _quick)
        nobody = _quick().hash("nobody has this password")
        patch.setattr(passwords, "_nobody", lambda: nobody)
        yield


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A store's folder."""
    with TemporaryDirectory(prefix="fb-", dir=place(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@cache
def _compiled() -> Compiled:
    return Compiled()


@contextmanager
def opened(directory: Path, clock: Clock, hashes: tuple[str, str], **web: Any) -> Iterator[Shop]:
    """A new store in this folder with its application, closed at the end. `web` is set beside the usual."""
    config = EdgeConfig(
        store=STORE,
        title="The trial store",
        directory=str(directory),
        web=Web(
            # Idle as long as a shift: what the clock does in a test signs nobody out.
            **{"streams": 3, "secure_cookies": False, "frames": "self", "second_factor": "optional"}
            | {"desk_idle_minutes": 600}
            | web
        ),
        outside=Outside("", (Channel("guards", "webhook", "guards.toml"), Channel("boss", "apprise", "b"))),
    )
    migrated.copy_to(directory / "floorbell.db")
    with rules_compiled_late():
        app = create_app(config, clock=clock)
    app.jinja_env.bytecode_cache = _compiled()
    shop = Shop(app, clock)

    def fill(conn: sa.Connection) -> None:
        for name, title in (("shoes", "Shoes"), ("tills", "Tills")):
            conn.execute(store_tables.zone.insert().values(store=STORE, name=name, title=title))
        for name, role in STAFF:
            pin = hashes[0] if role != "manager" else None
            password = hashes[1] if role in ("manager", "supervisor") else None
            shop.people[name] = people.add(
                conn, STORE, name, role, clock.now, pin_hash=pin, password_hash=password
            )

    shop.write(fill)
    yield shop
    shop.services.stop()


@pytest.fixture
def shop(tmp_path: Path, clock: Clock, hashes: tuple[str, str]) -> Iterator[Shop]:
    with opened(tmp_path, clock, hashes) as shop:
        yield shop


@pytest.fixture
def visitor(shop: Shop) -> Browser:
    return Browser(shop.app)


@pytest.fixture
def ana(shop: Shop) -> Browser:
    return sign_in(shop, "Ana")


@pytest.fixture
def marc(shop: Shop) -> Browser:
    return sign_in(shop, "Marc")


@pytest.fixture
def sofia(shop: Shop) -> Browser:
    return sign_in(shop, "Sofia")


@pytest.fixture
def mira(shop: Shop, visitor: Browser) -> Browser:
    """The manager at the desk."""
    visitor.sign_in_at_desk("Mira")
    return visitor


@pytest.fixture
def second(shop: Shop, hashes: tuple[str, str]) -> Browser:
    """Another person who may see evidence, at another desk."""
    shop.write(lambda conn: people.add(conn, STORE, "Adam", "admin", shop.clock.now, password_hash=hashes[1]))
    browser = Browser(shop.app)
    browser.sign_in_at_desk("Adam")
    return browser


@pytest.fixture
def alarm(shop: Shop) -> str:
    """A silent request of kiosk-1."""
    shop.write(lambda conn: register(conn, STORE, "kiosk-1", "shoes", None, shop.clock.now))
    return shop.raise_request("Igor", kind="security")


@pytest.fixture
def clip(shop: Shop, alarm: str) -> str:
    """Its clip."""
    return shop.seal(alarm)
