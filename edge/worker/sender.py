"""What the worker says on its main connection, after the commit that gave it cause."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

from broker import codec, topics
from broker.messages import EdgeHeartbeat, EdgeState, FeedCursor, Receipt
from broker.session import Accepted, Session
from broker.topics import Channel, of_device
from edge.ingest.intake import Receipts
from edge.paging.outgoing import Claimed

log = logging.getLogger(__name__)


class Sender:
    """For the loop's thread, but for `accepted` and `lost`, which the connection's thread calls.

    A message of the outgoing table is sent once the broker has it: only then `sent` names it.
    """

    def __init__(self, store: str, session: Session, clock: Callable[[], datetime]) -> None:
        self._store, self._session, self._clock = store, session, clock
        self._beat = 0
        self._flying: dict[int, int] = {}
        self._answers: deque[Accepted | None] = deque()
        self._sent: list[int] = []
        self._unheard: set[int] = set()

    def online(self) -> None:
        self._state("online")

    def offline(self) -> None:
        self._state("offline")

    def beat(self) -> None:
        self._beat += 1
        self._session.publish(
            topics.edge_heartbeat(self._store), codec.encode(EdgeHeartbeat(self._beat)), qos=0
        )

    def feed(self, cursor: int) -> None:
        self._session.publish(topics.feed(self._store), codec.encode(FeedCursor(cursor)), qos=0)

    def receipts(self, receipts: Mapping[str, Receipts]) -> None:
        """One receipt per outbox of each device."""
        for device, given in receipts.items():
            topic = of_device(self._store, device, Channel.RECEIPT)
            for outbox in dict.fromkeys([*given.seqs, *given.refused, *([None] if given.ids else [])]):
                receipt = Receipt(
                    outbox=outbox,
                    seqs=given.seqs.get(outbox, []) if outbox else [],
                    ids=[] if outbox else given.ids,
                    refused=given.refused.get(outbox, []),
                )
                self._session.publish(topic, codec.encode(receipt))

    def messages(self, claimed: Iterable[Claimed]) -> None:
        """What finds no connection is claimed again when its lease ends."""
        for message in claimed:
            mid = self._session.publish(message.topic, message.payload, expiry_s=message.expiry_s)
            if mid is not None:
                self._flying[mid] = message.id

    def accepted(self, accepted: Accepted) -> None:
        """The broker has it, or refuses it for good."""
        if accepted.refused:
            log.error("The broker refused a message of the worker: %s.", accepted.refused)
        self._answers.append(accepted)

    def lost(self) -> None:
        """The connection ended: nobody knows what of the rest arrived."""
        self._answers.append(None)

    def sent(self) -> list[int]:
        """The rows that are sent and not yet settled."""
        while self._answers:
            accepted = self._answers.popleft()
            if accepted is None:
                self._flying.clear()
            elif (row := self._flying.pop(accepted.mid, None)) is not None:
                self._sent.append(row)
                if accepted.unheard or accepted.refused:
                    self._unheard.add(row)
        return list(self._sent)

    def heard(self, row: int) -> bool:
        """Whether the broker passed a sent row on to somebody, as far as it says."""
        return row not in self._unheard

    def settled(self, rows: list[int]) -> None:
        """They are marked in the database."""
        self._unheard.difference_update(rows)
        del self._sent[: len(rows)]

    def _state(self, status: Literal["online", "offline"]) -> None:
        state = EdgeState(status, self._clock())
        self._session.publish(topics.edge_state(self._store), codec.encode(state), retain=True)
