"""What devices say of themselves: their states, heartbeats and clocks."""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from broker import codec, topics
from broker.messages import DeviceState, Heartbeat, Replay
from broker.session import Arrival
from broker.topics import Channel
from edge.devices import store as devices
from edge.handling.telling import Telling, state_text
from edge.ingest import gaps
from edge.ingest.age import Reference
from edge.ingest.intake import Origin
from edge.interactions import store as requests
from edge.interactions.lifecycle import Request

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Word:
    """A state or heartbeat that arrived. A retained one is old: no clock is read from it."""

    arrival: Arrival
    at: datetime


class Devices:
    """The devices as the worker knows them. `origins` is what the age and the zone of an event come from."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.origins: dict[str, Origin] = {}

    def forget(self) -> None:
        """A transaction failed: read everything again."""
        self.origins = {}

    def read(self, conn: sa.Connection) -> None:
        """Zones from the register; clocks from memory where they were heard since, else as saved."""
        known = self.origins
        self.origins = {
            d.name: Origin(
                d.zone,
                known[d.name].reference
                if d.name in known and known[d.name].reference
                else Reference(d.boot, d.monotonic_ms, d.clock_at)
                if d.boot and d.monotonic_ms is not None and d.clock_at
                else None,
            )
            for d in devices.all_devices(conn, self._store)
        }

    def hear(self, conn: sa.Connection, telling: Telling, word: Word, now: datetime) -> None:
        """Take in one message about a device. ContractError if it is none of the contract."""
        topic, payload = word.arrival.topic, word.arrival.payload
        address = topics.parse(topic)
        if address.channel is Channel.STATE:
            state = codec.decode(payload, DeviceState)
            if not word.arrival.retained and state.boot is not None and state.monotonic_ms is not None:
                reference = Reference(str(state.boot), state.monotonic_ms, word.at)
                self._set_reference(address.device, reference)
                devices.save_clock(
                    conn, self._store, address.device, reference.boot, reference.monotonic_ms, word.at
                )
            devices.save_status(conn, self._store, address.device, state.status, state.version, now)
            telling.device(address.device, state.status)
            if state.status == "online":
                for request in self._to_answer(conn, address.device):
                    telling.call(request, *state_text(request))
        elif address.channel is Channel.HEARTBEAT:
            self._heartbeat(conn, telling, address.device, codec.decode(payload, Heartbeat), word.at)

    def _to_answer(self, conn: sa.Connection, device: str) -> list[Request]:
        """What a device that comes online is told: its open requests, else how its last one ended."""
        found = requests.open_of_devices(conn, self._store, [device])
        last = None if found else requests.latest_of_device(conn, self._store, device, "help")
        return found or ([last] if last else [])

    def _heartbeat(
        self, conn: sa.Connection, telling: Telling, device: str, beat: Heartbeat, at: datetime
    ) -> None:
        self._set_reference(device, Reference(str(beat.boot), beat.monotonic_ms, at))
        devices.save_heartbeat(conn, self._store, device, beat, at)
        gaps.close_filled(conn, self._store, device, at)
        if beat.outbox is not None and beat.oldest_open_seq is not None:
            found = gaps.look(conn, self._store, device, str(beat.outbox), beat.oldest_open_seq, at)
            if found:
                log.warning("%s: events %s are missing; asking for a replay.", device, found)
                telling.command(device, Replay(beat.outbox, found[0][0]), 300)

    def _set_reference(self, device: str, reference: Reference) -> None:
        known = self.origins.get(device)
        if known is not None:
            self.origins[device] = Origin(known.zone, reference)
