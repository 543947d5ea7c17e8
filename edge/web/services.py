"""What one web process holds, made once by create_app: database, hub of streams, the way to the worker."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar, cast

import sqlalchemy as sa
from flask import current_app

from edge.config import EdgeConfig
from edge.db.engine import connect
from edge.db.writer import Writer
from edge.errors import StorageError
from edge.hint import Hinter
from edge.people.factors import KEY_NAME, Seal
from edge.people.passwords import Verifier
from edge.web.errands import Errands
from edge.web.grants import Grants
from edge.web.guarding import Guarding
from edge.web.readiness import Looker
from edge.web.regulars import Regulars
from edge.web.round_trip import RoundTrips
from edge.web.secret import secret_key
from edge.web.stream import Feed, Hub
from edge.web.wake import BrokerWake

T = TypeVar("T")
# As many threads may be busy with exports; the pages have the others (server.py).
EXPORTS_AT_ONCE = 2


class Services:
    """See the module. start() begins the threads that streams need; plain pages work without it."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], datetime]) -> None:
        self.config = config
        self.clock = clock
        self.readers = connect(config.database_url, write=False)
        self.writer = Writer(connect(config.database_url, write=True), name="web-writer")
        self.hinter = Hinter(config.hint_path)
        self.verifier = Verifier()
        self.seal = Seal(secret_key(Path(config.directory), KEY_NAME))
        self.hub = Hub(Feed(self.read, config.store), config.web.streams)
        self.errands = Errands(self)
        self.guarding = Guarding(self)
        self.round_trips = RoundTrips(secret_key(Path(config.directory)))
        self.grants = Grants(secret_key(Path(config.directory)))
        self.readiness = Looker()
        self.regulars = Regulars()
        self.exports = threading.BoundedSemaphore(EXPORTS_AT_ONCE)
        self._wake: BrokerWake | None = None
        self._stopped = threading.Event()

    @property
    def store(self) -> str:
        return self.config.store

    @property
    def overdue_at(self) -> datetime:
        """A clip that was told of before and is not here has not arrived."""
        return self.clock() - timedelta(hours=self.config.vault.arrive_hours)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A reader's connection. StorageError if the database cannot be read."""
        try:
            with self.readers.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise StorageError(f"The database could not be read: {error.orig}.") from error

    def change(self, work: Callable[[sa.Connection], T]) -> T:
        """Run a change in the writer, then tell the streams here and the worker over there."""
        result = self.writer.run(work)
        self.hub.notify()
        self.hinter.send()
        return result

    def start(self, wake: BrokerWake | None = None) -> None:
        """`wake` makes streams as fast as the broker; without it they look once a second."""
        self.hub.start()
        self.errands.start()
        self._wake = wake
        if wake is not None:
            self.hub.calling = wake.calling
            self.guarding.start()
            wake.start()

    def wake_state(self) -> str:
        """How this process hears of news: 'connected', 'away' or 'not used', in terms of the broker."""
        return "not used" if self._wake is None else "connected" if self._wake.connected else "away"

    def stop(self) -> None:
        """End every stream and thread. May be called twice."""
        if not self._stopped.is_set():
            self._stopped.set()
            if self._wake is not None:
                self._wake.stop()
            self.guarding.stop()
            self.hub.stop()
            self.errands.stop()
            self.writer.close()
            self.hinter.close()
            self.readers.dispose()


def services() -> Services:
    """Those of the application that answers the present request."""
    return cast(Services, current_app.extensions["floorbell"])
