"""A pager in somebody's hand: it answers a page over the broker and hears the receipt."""

import queue
import time
from uuid import UUID

import msgspec

from broker import codec, topics
from broker.events import PageAnswered, new_id
from broker.messages import Receipt
from broker.session import Arrival, Delivery, Session
from broker.topics import Channel, of_device
from tests.rig.store import STORE, Rig

RECEIPT_S = 30


class Pager:
    """One answer at a time."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.name = name
        self._receipts: queue.SimpleQueue[Receipt] = queue.SimpleQueue()
        wanted = [(of_device(STORE, name, Channel.RECEIPT), 1)]
        self.session: Session = rig.session(name, self._hear, subscriptions=wanted)

    def coming(self, request: str) -> str | None:
        """Say 'coming'; the sentence of the refusal, or None where it is receipted. queue.Empty without a
        receipt within RECEIPT_S."""
        said = msgspec.convert({"request": request, "answer": "coming"}, PageAnswered)
        id_ = new_id(time.time_ns() // 1_000_000)
        topic = topics.event(STORE, self.name, "answer")
        assert self.session.publish(topic, codec.encode_event(id_, said, "answer")) is not None
        return self._said_of(id_)

    def _said_of(self, id_: UUID) -> str | None:
        while True:
            receipt = self._receipts.get(timeout=RECEIPT_S)
            if id_ in receipt.ids:
                return None
            for refused in receipt.refused:
                if refused.id == str(id_):
                    return refused.reason

    def _hear(self, delivery: Delivery) -> None:
        if isinstance(delivery, Arrival):
            self._receipts.put(codec.decode(delivery.payload, Receipt))
