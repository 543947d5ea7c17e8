"""A small store whose people have phones that may be called by push, and pages that call them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa

from broker.events import new_id
from edge.db.push_tables import push
from edge.db.tables import interaction
from edge.paging import store as pages
from edge.people import sessions
from edge.people import store as people
from edge.pushing import queue, store
from edge.pushing.queue import Called, Claimed, Room
from edge.pushing.rules import Ended, Outcome
from edge.pushing.store import Keys
from tests.rig.push_phone import PushPhone
from tests.unit.edge.conftest import STORE, Clock, SmallStore

ROOM = Room(total=8, service=4, others=4, others_service=2)
LEASE = timedelta(seconds=15)
SENT = Ended(Outcome.SENT, "Sent to the phone's push service (201 Created).")


@dataclass
class Desk:
    """What a test does to the store."""

    small: SmallStore
    engine: sa.Engine
    clock: Clock
    keys: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as conn, conn.begin():
            yield conn

    def phone(self, name: str, host: str = "push.example", keys: Keys | None = None) -> str:
        """They sign in on one more phone and have it called; its session's key."""
        with self.writing() as conn:
            someone = people.by_id(conn, STORE, self.small.people[name])
            assert someone is not None
            key = sessions.key_of(sessions.start(conn, someone, "floor", self.clock(), 8))
            made = PushPhone(f"https://{host}/{uuid4()}").keys
            store.subscribe(conn, STORE, someone.id, key, keys or made, self.clock())
        self.keys[name] = key
        return key

    def page(self, *names: str, kind: str = "help", round_: int = 0, request: str = "", by: str = "") -> str:
        """A request for which these people are paged; its id."""
        id_ = request or str(new_id(int(self.clock().timestamp() * 1000)))
        caller = self.small.people.get(by)
        with self.writing() as conn:
            if not request:
                conn.execute(
                    interaction.insert().values(
                        id=id_, store=STORE, device="kiosk-1", zone="shoes", kind=kind, state="raised",
                        reference="AAAA", count=1, revision=1, step=0, round=0, silent=kind == "security",
                        drill=False, raised_at=self.clock(), received_at=self.clock(), age_known=True,
                    )
                )  # fmt: skip
            chosen = [(self.small.people[name], "near") for name in names]
            new = pages.insert(conn, STORE, id_, chosen, round_, self.clock())
            urgent = kind == "security"
            queue.put(
                conn, STORE, [Called(one.id, id_, one.person, urgent, caller) for one in new], self.clock()
            )
        return id_

    def claim(self, *flying: Claimed, worker: str = "w", room: Room = ROOM) -> list[Claimed]:
        with self.writing() as conn:
            return queue.claim(conn, STORE, worker, flying, room, LEASE, self.clock())

    def end(self, claimed: Claimed, ended: Ended = SENT, worker: str = "w") -> bool:
        with self.writing() as conn:
            return queue.end(conn, claimed, worker, ended, self.clock())

    def pushes(self) -> list[tuple[str, int]]:
        with self.engine.connect() as conn:
            query = sa.select(push.c.state, push.c.tries).order_by(push.c.created_at, push.c.id)
            return [tuple(row) for row in conn.execute(query)]

    def count(self, table: sa.Table) -> int:
        with self.engine.connect() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
