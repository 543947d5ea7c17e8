"""A page on a hardware pager is sent once the broker has it and somebody there listens, and not before."""

import sqlalchemy as sa

from broker import codec, topics
from broker.events import HelpRequested, SecurityRequested
from broker.messages import DeviceState
from broker.pages import Page
from broker.session import Accepted, Arrival
from broker.topics import Channel, of_device
from edge.db.store_tables import device
from edge.db.tables import attempt, outgoing, page
from edge.worker.devices import Word
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.worker.rig import Worker

PAGER = "till-1"


def hold(worker: Worker, person: str) -> None:
    with worker.conn.begin():
        one = sa.update(device).where(device.c.store == STORE, device.c.name == PAGER)
        worker.conn.execute(one.values(pager=True, holder=person))


def pages(worker: Worker) -> list[Page]:
    topic = topics.pager_page(STORE, PAGER)
    return [codec.decode(payload, Page) for found, payload in worker.session.published if found == topic]


def accept(worker: Worker, *, unheard: bool) -> None:
    for mid, (topic, _) in enumerate(worker.session.published, 1):
        worker.sender.accepted(Accepted(mid, unheard=unheard and "/pager/" in topic))
    worker.take()


def test_it_is_sent_once_the_broker_has_passed_it_on(worker: Worker, small_store: SmallStore) -> None:
    hold(worker, small_store.people["Ana"])
    worker.take(worker.kiosk.event(HelpRequested()))
    assert [one.text for one in pages(worker)] == ["Help: Shoes (en)"]
    states = {row["person"]: row["state"] for row in worker.server.rows(page)}
    assert set(states.values()) == {"pending"}
    accept(worker, unheard=False)
    states = {row["person"]: row["state"] for row in worker.server.rows(page)}
    assert states == {small_store.people["Ana"]: "sent", small_store.people["Bo"]: "pending"}
    assert [row["sent_at"] for row in worker.server.rows(attempt)] == [worker.clock()]


def test_one_that_nobody_listened_for_is_not(worker: Worker, small_store: SmallStore) -> None:
    hold(worker, small_store.people["Ana"])
    worker.take(worker.kiosk.event(HelpRequested()))
    accept(worker, unheard=True)
    assert {row["state"] for row in worker.server.rows(page)} == {"pending"}
    assert [row["sent_at"] for row in worker.server.rows(attempt)] == [None]
    assert all(row["sent_at"] for row in worker.server.rows(outgoing)), "It is not sent again and again."


def test_a_pager_that_comes_online_is_called_by_what_waits(worker: Worker, small_store: SmallStore) -> None:
    hold(worker, small_store.people["Igor"])
    worker.take(worker.kiosk.event(SecurityRequested("hold")))
    accept(worker, unheard=True)
    online = codec.encode(DeviceState("online", worker.kiosk.boot, 5))
    arrival = Arrival(of_device(STORE, PAGER, Channel.STATE), online, False, 1, 1, 1)
    worker.take(words=[Word(arrival, worker.clock())])
    first, second = pages(worker)
    assert first == second
    accept(worker, unheard=False)
    assert [row["sent_at"] for row in worker.server.rows(attempt)] == [worker.clock()]
