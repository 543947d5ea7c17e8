"""A store on which anything may be done: its devices, its people and its worker, watched at every step.

Events go through the worker's own commits, acts of people through the functions that the pages call, all on
a real database; the clock moves by hand. What must hold is the watcher's to judge.
"""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from broker import codec
from broker.events import Content, new_id
from broker.messages import Heartbeat, Receipt
from broker.session import Accepted, Arrival
from broker.topics import Channel, of_device
from edge.audit.store import Actor
from edge.db.engine import connect, sqlite_url
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import escalating, greeting
from edge.handling.telling import Telling
from edge.paging import store as pages
from edge.paging import timers
from edge.people import sessions
from edge.people import store as people
from edge.policies import Policies
from edge.routing import roster
from edge.worker.devices import Word
from tests.rig.place import place
from tests.unit.edge.conftest import PEOPLE, STORE, Clock
from tests.unit.edge.ingest.server import Arrival as Press
from tests.unit.edge.ingest.server import Kiosk, Server
from tests.unit.edge.watcher import OPEN, Row, Watcher, look
from tests.unit.edge.worker.rig import Worker

NAMES = [name for name, *_ in PEOPLE]
DEVICES = {"kiosk-1": "shoes", "till-1": "tills"}
FILE = Policies()


class Stage(RuleBasedStateMachine):
    """See the module. It has no rules of its own."""

    def __init__(self, template: Path, ids: dict[str, str]) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="floorbell-machine-", dir=place()))
        shutil.copyfile(template, self.folder / "floorbell.db")
        self.engine = connect(sqlite_url(self.folder / "floorbell.db"), write=True)
        self.conn, self.worker_conn = self.engine.connect(), self.engine.connect()
        self.clock, self.ids, self.names = Clock(), ids, {id_: name for name, id_ in ids.items()}
        self.desk = Actor("Mira", "desk", ids["Mira"])
        self.phones: dict[str, str] = {}
        self.server = Server(self.conn, self.clock)
        self.kiosks = {
            name: Kiosk(self.server, name, UUID(int=n), outbox=UUID(int=100 + n))
            for n, name in enumerate(DEVICES, 1)
        }
        self.made = 0
        self.raised: list[tuple[str, UUID, bool]] = []
        self.called_for: dict[UUID, str] = {}
        self.flying: list[Press] = []
        self.taken: list[Press] = []
        self.watcher = Watcher()
        self.set_policies = FILE
        self.seen = look(self.conn)
        self.worker: Worker | None = None
        for name in NAMES:
            self.phone_begins(name)
        self.begin_worker()

    def teardown(self) -> None:
        self.conn.close()
        self.worker_conn.close()
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def begin_worker(self) -> None:
        """New objects on the same database; what came meanwhile comes now."""
        self.worker = Worker(self.worker_conn, self.clock)
        self.accepted = 0
        self.looks(words=[self.beat(name) for name in DEVICES])

    def beat(self, device: str) -> Word:
        kiosk = self.kiosks[device]
        payload = codec.encode(Heartbeat(kiosk.boot, int(kiosk.uptime_s * 1000)))
        topic = of_device(STORE, device, Channel.HEARTBEAT)
        return Word(Arrival(topic, payload, False, 1, 1, 1), self.clock())

    def looks(self, *arrivals: Press, words: Any = ()) -> None:
        """The worker commits once, as it does when it is woken or once a second; each event is receipted."""
        assert self.worker is not None
        with self.conn.begin():
            due = timers.due(self.conn, STORE, self.clock())
        self.worker.take(*arrivals, words=list(words))
        said = self.worker.session.published[self.accepted :]
        for mid in range(self.accepted + 1, self.accepted + len(said) + 1):
            self.worker.sender.accepted(Accepted(mid))
        self.accepted += len(said)
        receipts = [codec.decode(p, Receipt) for topic, p in said if topic.endswith("/receipt")]
        seqs = sum(len(r.seqs) + len(r.refused) for r in receipts)
        assert seqs == len(arrivals), "an event was not receipted"
        self.judge(looked=True)
        self.fire_again(due)

    def fire_again(self, due: list[tuple[str, timers.Timer, Any]]) -> None:
        """What has fired is claimed: another worker that read the same rows does nothing."""
        telling, now = Telling(STORE), self.clock()
        with self.conn.begin():
            floor = escalating.floor_of(self.conn, STORE, now)
            for request, kind, due_at in due:
                greeting.fire(self.conn, telling, self.watcher.policies, request, kind, due_at, floor, now)
            telling.flush(self.conn, now)
        if due:
            self.unchanged("a timer fired twice")

    def judge(self, *, looked: bool = False) -> None:
        """Look at everything and compare it with what was there before."""
        before, self.seen = self.seen, look(self.conn, self.seen)
        if looked:
            self.watcher.policies = self.set_policies
        self.watcher.step(before, self.seen, self.clock())
        self.watcher.moment(self.seen, self.clock(), looked=looked)
        if looked:
            self.everyone_is_counted()

    def unchanged(self, why: str) -> None:
        assert look(self.conn, self.seen).everything == self.seen.everything, why

    def do(self, may: bool | type[EdgeError], work: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """An act of a person, which succeeds just if it `may`. What is refused changes nothing."""
        wrong: EdgeError | None = None
        result = None
        self.forward(0.1)
        with self.conn.begin():
            try:
                result = work(self.conn, STORE, *args, self.clock(), **more)
            except (Refused, NotFound, people.PersonError) as error:
                wrong = error
        if wrong is not None:
            self.unchanged(f"it was refused and yet something changed: {wrong}")
        expected = None if may is True else Refused if may is False else may
        as_expected = wrong is None if expected is None else isinstance(wrong, expected)
        assert as_expected, f"{work.__name__}: {wrong!r} instead of {expected}"
        self.judge()
        if self.worker is not None:
            self.looks()
        self.refusal = wrong
        return result

    def happens(self, device: str, content: Content, late: bool, **more: Any) -> UUID:
        """An event at a device, which comes now or, `late`, whenever the rule `arrive` says."""
        self.made += 1
        id_ = new_id(0, self.made.to_bytes(10))
        self.flying.append(self.kiosks[device].event(content, id_=id_, **more))
        if not late and self.worker is not None:
            self.deliver([self.flying.pop()])
        return id_

    def deliver(self, arrivals: list[Press]) -> None:
        self.forward(0.1)
        self.looks(*arrivals)
        self.taken += arrivals

    def request(self, which: int) -> Row | None:
        """One of the requests, the open ones first."""
        found = sorted(
            (r for r in self.seen.requests.values() if r["state"] != "recorded"),
            key=lambda r: (r["state"] not in OPEN, -r["raised_at"].timestamp(), r["id"]),
        )
        return found[which % len(found)] if found else None

    def hidden(self, request: Row, person: str) -> bool:
        """Whether this person must not even learn of it."""
        called = any(
            p["person"] == person and p["request"] == request["id"] for p in self.seen.pages.values()
        )
        role = self.seen.people[person]["role"]
        called = called or (request["raised_by"] == person and request["state"] in ("resolved", "missed"))
        return request["silent"] and role == "associate" and request["owner"] != person and not called

    def stranger(self, request: Row, person: str) -> bool:
        return not self.seen.people[person]["active"] or self.hidden(request, person)

    def forward(self, seconds: float) -> None:
        self.clock.forward(seconds)
        for kiosk in self.kiosks.values():
            kiosk.uptime_s += seconds

    def phone_begins(self, name: str) -> None:
        with self.conn.begin():
            someone = people.by_id(self.conn, STORE, self.ids[name])
            assert someone is not None
            token = sessions.start(self.conn, someone, "floor", self.clock(), 1000)
        self.phones[name] = sessions.key_of(token)

    def everyone_is_counted(self) -> None:
        """The roster that routing sees is that of the tables, and each phone shows what its person has."""
        with self.conn.begin():
            floor = roster.read(self.conn, STORE, self.clock())
        people = self.seen.people.items()
        active = {id_ for id_, p in people if p["active"] and p["role"] != "drill"}
        assert {c.id for c in floor.roster} == active
        for c in floor.roster:
            mine = [r["id"] for r in self.seen.requests.values() if r["owner"] == c.id and r["state"] in OPEN]
            assert c.open_requests == len(mine)
            if mine:
                with self.conn.begin():
                    shown = pages.open_pages(self.conn, STORE, c.id)
                assert {p.request for p in shown if p.mine} == set(mine)
