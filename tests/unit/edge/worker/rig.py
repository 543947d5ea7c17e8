"""The worker without a wire: its commits on a real database, and a connection that only remembers."""

from collections.abc import Callable

import sqlalchemy as sa

from broker import codec
from broker.messages import DeviceState, Heartbeat
from broker.session import Accepted, Arrival
from broker.topics import Channel, of_device
from edge.config import Policies
from edge.ingest.inbox import Waiting
from edge.worker.commits import Batch, Commits
from edge.worker.devices import Word
from edge.worker.sender import Sender
from tests.unit.edge.conftest import STORE, Clock
from tests.unit.edge.ingest.server import Kiosk, Server


class FakeSession:
    """A connection that remembers. `on_publish` is called with each topic."""

    def __init__(self) -> None:
        self.connected = True
        self.published: list[tuple[str, bytes]] = []
        self.acknowledged: list[Arrival] = []
        self.on_publish: Callable[[str], None] = lambda topic: None

    def publish(self, topic: str, payload: bytes, **_: object) -> int | None:
        self.on_publish(topic)
        if not self.connected:
            return None
        self.published.append((topic, payload))
        return len(self.published)

    def acknowledge(self, arrival: Arrival) -> None:
        self.acknowledged.append(arrival)

    def on(self, channel: str, kind: type, device: str = "kiosk-1") -> list[object]:
        topic = of_device(STORE, device, Channel(channel))
        return [codec.decode(payload, kind) for found, payload in self.published if found == topic]


class Worker:
    """Commits on a fake connection, with the kiosk whose words and events it is given."""

    def __init__(self, conn: sa.Connection, clock: Clock) -> None:
        self.conn, self.clock, self.session = conn, clock, FakeSession()
        self.sender = Sender(STORE, self.session, clock)  # type: ignore[arg-type]
        self.wakes = 0
        self.commits = Commits(STORE, Policies(), "w", self.sender, self._wake, clock)
        self.server = Server(conn, clock)
        self.kiosk = Kiosk(self.server)

    def _wake(self) -> None:
        self.wakes += 1

    def take(self, *arrivals: tuple[str, bytes], words: object = (), **more: object) -> Batch:
        events = [
            Waiting(self.session, Arrival(topic, payload, False, 1, n, 1))  # type: ignore[arg-type]
            for n, (topic, payload) in enumerate(arrivals)
        ]
        about = {id(word): word for word in words}  # type: ignore[attr-defined]
        batch = Batch(events, dict(about), **{"look": True, **more})  # type: ignore[arg-type]
        self.commits.take(self.conn, batch)
        return batch

    def state(self, status: str = "online", *, retained: bool = False) -> Word:
        state = DeviceState(status, self.kiosk.boot, int(self.kiosk.uptime_s * 1000))  # type: ignore[arg-type]
        return self.word(Channel.STATE, codec.encode(state), retained=retained)

    def beat(self, *, retained: bool = False, **more: object) -> Word:
        beat = Heartbeat(self.kiosk.boot, int(self.kiosk.uptime_s * 1000), **more)  # type: ignore[arg-type]
        return self.word(Channel.HEARTBEAT, codec.encode(beat), retained=retained)

    def word(self, channel: Channel, payload: bytes, *, retained: bool = False) -> Word:
        topic = of_device(STORE, self.kiosk.name, channel)
        return Word(Arrival(topic, payload, retained, 1, 1, 1), self.clock())

    def accept_all(self) -> None:
        for mid in range(1, len(self.session.published) + 1):
            self.sender.accepted(Accepted(mid))
