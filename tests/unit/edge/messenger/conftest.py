"""A messenger on a small store, with a channel whose receiver is here."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from edge.config import EdgeConfig, Push
from edge.db.outside_tables import outside_delivery, outside_try
from edge.messenger.loop import Messenger
from edge.messenger.pushing import pusher
from edge.messenger.sending import Send, sender
from edge.outside import store
from edge.outside.channels import TEST, Channel, Outside
from edge.pushing import keys
from tests.rig.receiver import SECRET, Answer, Certificate, Receiver
from tests.unit.edge.conftest import STORE, Clock, SmallStore

WITHIN_S = 1.0


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Makes receivers, and ends them."""
    made: list[Receiver] = []

    def make(*answers: Answer, tls: Certificate | None = None) -> Receiver:
        made.append(Receiver(*answers, tls=tls))
        return made[-1]

    yield make
    for one in made:
        one.close()


def secret_file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return name


def webhook(folder: Path, name: str, url: str, **settings: Any) -> Channel:
    file = secret_file(folder, f"{name}.toml", f'url = "{url}"\nsecret = "{SECRET}"\n')
    more = {"allow_private": True, "within_s": WITHIN_S} | settings
    return Channel(name, "webhook", file, **more)


@dataclass
class Post:
    """The messenger, its store, and what stands in the store afterwards."""

    folder: Path
    small: SmallStore
    engine: sa.Engine
    clock: Clock
    messengers: list[Messenger] = field(default_factory=list)

    def open(
        self,
        *channels: Channel,
        send: Send | None = None,
        base_url: str = "",
        monotonic: Callable[[], float] = time.monotonic,
        pushing: Push = Push(),  # noqa: B008
        push_within_s: float = WITHIN_S,
    ) -> Messenger:
        config = EdgeConfig(
            STORE,
            "The small store",
            database=self.small.url,
            outside=Outside(base_url, channels),
            push=pushing,
            directory=str(self.folder),
        )
        find = lambda _host, _port: ["127.0.0.1"]  # noqa: E731
        push = pusher(config, keys.private_key(self.folder), find, push_within_s)
        made = Messenger(config, self.clock, send or sender(self.folder, find), monotonic, push)
        self.messengers.append(made)
        made.turn()
        return made

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as conn, conn.begin():
            yield conn

    def happens(self, what: str, subject: str, channel: str | None = None) -> None:
        with self.writing() as conn:
            store.mark(conn, STORE, what, subject, self.clock(), channel=channel)

    def tests(self, *channels: str) -> None:
        for channel in channels:
            self.happens(TEST, f"test-{channel}", channel)

    def deliveries(self) -> list[Any]:
        with self.engine.connect() as conn:
            d = outside_delivery.c
            return list(conn.execute(sa.select(outside_delivery).order_by(d.channel, d.part, d.happening)))

    def tries(self) -> list[tuple[int, str | None, str]]:
        t = outside_try.c
        with self.engine.connect() as conn:
            query = sa.select(t.number, t.outcome, t.words).order_by(t.delivery, t.number)
            return [tuple(row) for row in conn.execute(query)]

    def land(self, messenger: Messenger) -> None:
        """Turn until no try is under way."""
        messenger.turn()
        end = time.monotonic() + 20
        while messenger.flying:
            assert time.monotonic() < end, "a try never ended"
            time.sleep(0.01)
            messenger.turn()


@pytest.fixture
def post(small_store: SmallStore, engine: sa.Engine, clock: Clock, tmp_path: Path) -> Iterator[Post]:
    made = Post(tmp_path, small_store, engine, clock)
    yield made
    for one in made.messengers:
        one.close()
