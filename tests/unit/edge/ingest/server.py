"""A server without a wire: batches go into the intake in real transactions, timers are fired by hand."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from broker import codec, topics
from broker.events import CONTENT, Clock, Content, new_id
from broker.messages import Call
from broker.topics import Channel, of_device
from edge.config import Greeter, Policies
from edge.db.store_tables import person
from edge.db.tables import event, feed, interaction, outgoing, page, quarantine, timeline
from edge.feedback import store as scores
from edge.handling import escalating, greeting
from edge.handling.telling import Telling
from edge.ingest.age import Reference
from edge.ingest.intake import Intake, Receipts
from edge.ingest.record import Origin
from edge.paging import timers
from tests.unit.edge.conftest import STORE
from tests.unit.edge.conftest import Clock as ServerClock

Arrival = tuple[str, bytes]
KIND = {content: kind for kind, content in CONTENT.items()}


@dataclass
class Kiosk:
    """Makes a device's events. `uptime_s` is its own clock, which runs however wrong the server's is."""

    server: "Server"
    name: str = "kiosk-1"
    boot: UUID = field(default_factory=lambda: UUID(int=1))
    uptime_s: float = 1000.0
    outbox: UUID = field(default_factory=lambda: UUID(int=7))
    seq: int = 0

    def event(
        self, content: Content, *, id_: UUID | None = None, drill: bool = False, **more: Any
    ) -> Arrival:
        """Something that happens now, to arrive whenever it is given to the server."""
        self.seq += 1
        kind = KIND[type(content)]
        clock = Clock(False, self.boot, int(self.uptime_s * 1000))
        values: dict[str, Any] = {"outbox": self.outbox, "seq": self.seq, "clock": clock, "drill": drill}
        payload = codec.encode_event(id_ or new_id(0), content, kind, **(values | more))
        return topics.event(STORE, self.name, kind), payload

    def wait(self, seconds: float) -> None:
        """Time goes by for the device and the server."""
        self.uptime_s += seconds
        self.server.clock.forward(seconds)

    def reboot(self) -> None:
        self.boot, self.uptime_s = UUID(int=self.boot.int + 1), 0.0

    def heard(self, *, present: bool = True) -> None:
        """The server hears its clock now."""
        reference = Reference(str(self.boot), int(self.uptime_s * 1000), self.server.clock(), present)
        self.server.origins[self.name] = Origin("shoes", reference)


class Server:
    """See the module. Every method is one or more committed transactions."""

    def __init__(self, conn: sa.Connection, clock: ServerClock) -> None:
        self.conn, self.clock, self.policies = conn, clock, Policies()
        self.greeter = Greeter()
        self.origins: dict[str, Origin] = {}

    def take(self, *arrivals: Arrival) -> dict[str, Receipts]:
        """One batch."""
        telling = Telling(STORE)
        with self.conn.begin():
            now = self.clock()
            intake = Intake(self.conn, STORE, self.policies, self.origins, telling, now, greeter=self.greeter)
            intake.take(arrivals)
            telling.flush(self.conn, self.clock())
        return intake.receipts

    def judge(self) -> None:
        """Judge all scores in doubt, as the worker does once no press waits."""
        going: str | None = ""
        while going is not None:
            with self.conn.begin():
                going = scores.settle(self.conn, STORE)

    def timers(self) -> int:
        """Fire what is due; how many."""
        telling, now = Telling(STORE), self.clock()
        with self.conn.begin():
            due = timers.due(self.conn, STORE, now)
            floor = escalating.floor_of(self.conn, STORE, now)
            for request, kind, due_at in due:
                greeting.fire(self.conn, telling, self.policies, request, kind, due_at, floor, now)
            telling.flush(self.conn, now)
        return len(due)

    def do(self, work: Any, *args: Any) -> None:
        """An action of a person: work(conn, store, *args, now)."""
        with self.conn.begin():
            work(self.conn, STORE, *args, self.clock())

    def rows(self, table: sa.Table, **where: Any) -> list[sa.RowMapping]:
        query = sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
        with self.conn.begin():
            return list(self.conn.execute(query).mappings())

    def requests(self, **where: Any) -> list[sa.RowMapping]:
        with self.conn.begin():
            query = sa.select(interaction).where(interaction.c.kind.in_(("help", "security")))
            query = query.where(*(interaction.c[name] == value for name, value in where.items()))
            return list(self.conn.execute(query.order_by(interaction.c.raised_at)).mappings())

    def paged(self) -> list[str]:
        """The names of those who were paged, once for each page."""
        with self.conn.begin():
            query = sa.select(person.c.name).join(page, page.c.person == person.c.id)
            return sorted(self.conn.execute(query).scalars())

    def events(self) -> list[str]:
        return sorted(row["id"] for row in self.rows(event))

    def refusals(self) -> list[str]:
        return [row["reason"] for row in self.rows(quarantine)]

    def calls(self, device: str = "kiosk-1") -> list[Call]:
        topic = of_device(STORE, device, Channel.CALL)
        return [codec.decode(row["payload"], Call) for row in self.rows(outgoing) if row["topic"] == topic]

    def words(self) -> list[str]:
        return [row["words"] for row in self.rows(timeline)]

    def audiences(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows(feed):
            found.setdefault(row["audience"], []).append(msgspec.json.decode(row["body"]))
        return found


def id_of(arrival: Arrival) -> UUID:
    return UUID(msgspec.json.decode(arrival[1])["id"])
