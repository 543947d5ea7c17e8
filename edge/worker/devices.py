"""What devices say of themselves: their states, heartbeats and clocks."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from broker import codec, topics
from broker.messages import DeviceState, Heartbeat, Replay
from broker.session import Arrival
from broker.topics import Channel
from broker.witness import HeadKept, HeadRefused, Witness
from edge.devices import store as devices
from edge.evidence import clips, heads
from edge.handling import calling, capturing, doubting, escalating, evidence
from edge.handling.telling import Telling
from edge.ingest import gaps
from edge.ingest.age import Reference, heard
from edge.ingest.record import Origin
from edge.interactions import store as requests
from edge.interactions.request import Request, State
from edge.updates import store as updates

log = logging.getLogger(__name__)
REPLAY_S = 300
RUNS_REMEMBERED, RETURNS = 8, 2


@dataclass(frozen=True, slots=True)
class Word:
    """A state or heartbeat that arrived. A retained one is old: no clock is read from it."""

    arrival: Arrival
    at: datetime


class Runs:
    """Which runs of its clock each device was heard in, one after the other. A run that is over never comes
    back: whatever goes to and fro between two of them is two devices with one identity."""

    def __init__(self) -> None:
        # The runs that were left, the run of now, and how often one that was left came back.
        self._heard: dict[str, tuple[frozenset[str], str, int]] = {}

    def came_back(self, device: str, boot: str) -> bool:
        """Whether this heartbeat shows it. Once may be a word that was late."""
        left, current, returns = self._heard.get(device, (frozenset(), boot, 0))
        if boot != current:
            returns += boot in left
            left = (left | {current}) - {boot}
            if len(left) > RUNS_REMEMBERED:
                left = frozenset({current})
        twice = returns >= RETURNS
        self._heard[device] = left, boot, 0 if twice else returns
        return twice


class Devices:
    """The devices as the worker knows them. `origins` is what the age and the zone of an event come from."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._runs = Runs()
        self.origins: dict[str, Origin] = {}

    def forget(self) -> None:
        """A transaction failed: read everything again."""
        self.origins = {}

    def doubt(self) -> None:
        """The connection ended: a device may begin another run of its clock unheard."""
        for name, origin in self.origins.items():
            if origin.reference is not None:
                self.origins[name] = replace(origin, reference=replace(origin.reference, present=False))

    def follow(self, jump: timedelta) -> None:
        """The server's clock jumped: so did every time that it gave."""
        for name, origin in self.origins.items():
            if (known := origin.reference) is not None:
                doubted_at = known.doubted_at + jump if known.doubted_at else None
                moved = replace(known, heard_at=known.heard_at + jump, doubted_at=doubted_at)
                self.origins[name] = replace(origin, reference=moved)

    def read(self, conn: sa.Connection) -> None:
        """Zones from the register; clocks from memory where they were heard since, else as saved."""
        known = self.origins
        self.origins = {
            d.name: Origin(
                d.zone,
                known[d.name].reference
                if d.name in known and known[d.name].reference
                else Reference(d.boot, d.monotonic_ms, d.clock_at, present=False)
                if d.boot and d.monotonic_ms is not None and d.clock_at
                else None,
                d.revoked_at,
            )
            for d in devices.all_devices(conn, self._store)
        }

    @property
    def revoked(self) -> frozenset[str]:
        """The names of which nothing is taken."""
        return frozenset(name for name, origin in self.origins.items() if origin.revoked_at is not None)

    def listen(self, word: Word) -> None:
        """Take over the clock of one message, in memory, before any event of the same batch is judged by it.

        ContractError if it is none of the contract.
        """
        device, said = _read(word)
        if isinstance(said, Heartbeat):
            if not word.arrival.retained:
                self._set_reference(device, Reference(str(said.boot), said.monotonic_ms, word.at))
        elif isinstance(said, DeviceState) and said.status == "online" and said.boot is not None:
            if not word.arrival.retained and said.monotonic_ms is not None:
                self._set_reference(device, Reference(str(said.boot), said.monotonic_ms, word.at))
            else:
                self._confirm(device, str(said.boot))

    def hear(self, conn: sa.Connection, telling: Telling, word: Word, now: datetime) -> None:
        """Write down one message about a device, and answer it; of a revoked one, which the broker may have
        kept since before, nothing. ContractError as above."""
        device, said = _read(word)
        if device in self.revoked:
            return
        if isinstance(said, Heartbeat):
            if not word.arrival.retained:
                self._heartbeat(conn, telling, device, said, word.at)
        elif isinstance(said, HeadKept | HeadRefused):
            evidence.witnessed(conn, telling, self._store, device, said, now)
        elif isinstance(said, DeviceState):
            self._state(conn, telling, device, said, word, now)

    def _state(
        self,
        conn: sa.Connection,
        telling: Telling,
        device: str,
        state: DeviceState,
        word: Word,
        now: datetime,
    ) -> None:
        devices.save_status(conn, self._store, device, state, now)
        telling.device(device, state.status)
        if state.status != "online":
            return
        for request in self._to_answer(conn, device):
            escalating.answer(conn, telling, request, now)
        telling.messages += calling.again(conn, self._store, device, now)
        # A command that found nobody is gone, and so is one that a killed broker had: it is asked for again.
        # Retained too: the device may have come back while nobody here was listening.
        clips.forget_tickets(conn, self._store, device)
        updates.forget_tickets(conn, self._store, device)
        if not word.arrival.retained and state.boot is not None and state.monotonic_ms is not None:
            devices.save_clock(conn, self._store, device, str(state.boot), state.monotonic_ms, word.at)
        capturing.ask_again(conn, telling, device, now)
        if not word.arrival.retained:
            heads.doubt(conn, self._store, device)
            for outbox, first in gaps.still_open(conn, self._store, device, now):
                telling.command(device, Replay(UUID(outbox), first), REPLAY_S)

    def _to_answer(self, conn: sa.Connection, device: str) -> list[Request]:
        """What a device that comes online is told: its open requests, and how its last help ended."""
        found = requests.open_of_devices(conn, self._store, [device])
        if any(request.kind == "help" for request in found):
            return found
        last = requests.latest_of_device(conn, self._store, device, "help")
        # After a restore it may be one of which nothing is known.
        return [*found, last] if last and last.state is not State.RECORDED else found

    def _heartbeat(
        self, conn: sa.Connection, telling: Telling, device: str, beat: Heartbeat, at: datetime
    ) -> None:
        devices.save_heartbeat(conn, self._store, device, beat, at)
        if self._runs.came_back(device, str(beat.boot)):
            words = f"{device} is heard from two places at once: its identity may have been copied."
            doubting.doubt(conn, self._store, device, words, at)
        gaps.close_filled(conn, self._store, device, at)
        if beat.outbox is not None and beat.oldest_open_seq is not None:
            found = gaps.look(conn, self._store, device, str(beat.outbox), beat.oldest_open_seq, at)
            if found:
                log.warning(
                    "%s: events %s are missing; asking for a replay.", device, found, extra={"device": device}
                )
                telling.command(device, Replay(beat.outbox, found[0][0]), REPLAY_S)

    def _confirm(self, device: str, boot: str) -> None:
        """A retained word tells no time, but it does tell which run of its clock the device is in."""
        known = self.origins.get(device)
        if known is not None and known.reference is not None:
            present = known.reference.boot == boot
            self.origins[device] = replace(known, reference=replace(known.reference, present=present))

    def _set_reference(self, device: str, reference: Reference) -> None:
        known = self.origins.get(device)
        if known is not None:
            self.origins[device] = replace(known, reference=heard(known.reference, reference))


def _read(word: Word) -> tuple[str, DeviceState | Heartbeat | Witness]:
    address = topics.parse(word.arrival.topic)
    if address.channel is Channel.WITNESS:
        return address.device, codec.decode_witness(word.arrival.payload)
    if address.channel is Channel.HEARTBEAT:
        return address.device, codec.decode(word.arrival.payload, Heartbeat)
    return address.device, codec.decode(word.arrival.payload, DeviceState)
