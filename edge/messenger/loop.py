"""The messenger's loop: pushes to phones; and people outside: finds what happened, begins a try for each
channel that is told, notes how it went.

A try is a thread of its own, as many at once as a channel has room for: none waits for another channel's.
What is written down goes through one writer, as everywhere; another messenger on the same database takes
what this one has not.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from broker.watchdog import Watchdog, notify
from edge.clock import utc_now
from edge.config import EdgeConfig
from edge.db.engine import check_version, connect
from edge.db.writer import Writer
from edge.errors import StorageError
from edge.messenger import files
from edge.messenger.flights import Flights
from edge.messenger.pushes import Pushes
from edge.messenger.pushing import Push, pusher
from edge.messenger.sending import Send, sender
from edge.messenger.shouting import BEGIN_S
from edge.outside import facts, store, wording
from edge.outside.channels import Channel
from edge.outside.rules import Outcome, Skip, decide, give_up_at
from edge.outside.store import Claimed, Ended, New, Room
from edge.paging import feed
from edge.pushing import keys

log = logging.getLogger(__name__)
LOOK_S = 0.5
BEAT_S = 10.0
# A look waits for a locked database at most this long several times over.
HUNG_S = 60.0
# Tries at once on one channel, and how many of those for anything but security requests.
AT_ONCE, OTHERS_AT_ONCE = 8, 3
# Beyond a try's own time until nobody waits for its thread, and until its lease ends.
GRACE_S, LEASE_S = 3.0, 5.0


class Messenger:
    """See the module. `run` returns after `stop`; `turn` is one look, for tests."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Callable[[], datetime] = utc_now,
        send: Send | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        push: Push | None = None,
    ) -> None:
        self._config, self._store, self._clock, self._monotonic = config, config.store, clock, monotonic
        self._directory = Path(config.directory)
        self._channels = {one.name: one for one in config.outside.channel}
        self._send = send or sender(self._directory)
        self._name = f"{socket.gethostname()[:40]}-{os.getpid()}-{id(self):x}"
        self._readers = connect(config.database_url, write=False)
        self._writer = Writer(connect(config.database_url, write=True), name="messenger-writer")
        self._flights: Flights[Claimed, Ended] = Flights("outside", _unknown, monotonic)
        self._pushes = Pushes(
            config,
            self._readers,
            self._writer,
            push or pusher(config, keys.private_key(self._directory)),
            name=self._name,
            clock=clock,
            monotonic=monotonic,
        )
        self._next_beat = 0.0
        self._faults: dict[str, str | None] = {}
        self._stop = threading.Event()
        self._watchdog = Watchdog(["messenger"], HUNG_S)

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._writer.close()
        self._readers.dispose()

    def run(self) -> None:
        """StorageError if the database is not there."""
        check_version(self._readers)
        well = True
        self._watchdog.start()
        notify("READY=1")
        with closing(self):
            while not self._stop.is_set():
                self._watchdog.tick("messenger")
                try:
                    self.turn()
                    well = True
                except (StorageError, sa.exc.SQLAlchemyError) as error:
                    if well:
                        log.error(
                            "The database cannot be used: %s. Nothing goes outside until it can.", error
                        )
                    well = False
                self._stop.wait(LOOK_S)
            self._watchdog.stop()
            self._wait_for_flights(3.0)

    def turn(self) -> None:
        """One look at everything; pages first."""
        self._pushes.note()
        self._pushes.begin()
        self._note()
        if self._monotonic() >= self._next_beat:
            self._beat()
            self._next_beat = self._monotonic() + BEAT_S
        self._spread()
        self._begin()

    @property
    def flying(self) -> bool:
        return self._flights.flying or self._pushes.flying

    def _beat(self) -> None:
        found = {name: files.fault(self._directory, one) for name, one in self._channels.items()}
        for name, fault in found.items():
            if fault and fault != self._faults.get(name):
                log.warning("The channel %s cannot be used: %s", name, fault)
        self._faults = found
        self._pushes.beat()
        self._write(lambda conn: store.see(conn, self._store, found, self._clock()))

    def _spread(self) -> None:
        """Look at what happened: who is told, and what."""
        with self._readers.connect() as conn:
            if not store.unspread(conn, self._store, 1):
                return
        parts = {name: files.parts(self._directory, one) for name, one in self._channels.items()}
        self._write(partial(self._spread_in, parts))

    def _spread_in(self, parts: dict[str, int], conn: sa.Connection) -> None:
        now, told = self._clock(), False
        known_since = dict.fromkeys(self._channels, now) | store.since(conn, self._store)
        for happened in store.unspread(conn, self._store):
            known = facts.read(conn, self._store, self._config.title, happened)
            new: list[New] = []
            for channel in self._channels.values() if known is not None else ():
                assert known is not None
                decision = decide(channel, known.happening, happened.at, (), now)
                # Nobody is told of what happened before there was the channel.
                if isinstance(decision, Skip) or happened.at < known_since[channel.name]:
                    continue
                said = wording.encode(known.for_channel(channel, self._config.outside.base_url))
                until = give_up_at(channel, happened.at)
                new += [
                    New(channel.name, part, happened.what, said, known.happening.silent, until)
                    for part in range(1, parts[channel.name] + 1)
                ]
            told = (store.spread(conn, self._store, happened, new, now) and bool(new)) or told
        if told:
            self._tell_desk(conn, now)

    def _begin(self) -> None:
        """Claim what is due, and begin its tries."""
        now = self._clock()
        with self._readers.connect() as conn:
            if not store.due(conn, self._store, now):
                return
        flying = self._flights.under_way()
        rooms = {name: _room([one for one in flying if one.channel == name]) for name in self._channels}
        leases = {name: timedelta(seconds=self._cut_s(one) + LEASE_S) for name, one in self._channels.items()}

        def claim(conn: sa.Connection) -> list[Claimed]:
            begun, over = store.claim(conn, self._store, self._name, rooms, leases, now)
            if begun or over:
                self._tell_desk(conn, now)
            return begun

        for claimed in self._writer.run(claim):
            self._fly(claimed)

    def _cut_s(self, channel: Channel) -> float:
        return channel.within_s + GRACE_S + (BEGIN_S if channel.kind == "apprise" else 0)

    def _fly(self, claimed: Claimed) -> None:
        channel = self._channels[claimed.channel]
        self._flights.begin(
            claimed, lambda: self._send(channel, claimed, self._clock()), self._cut_s(channel)
        )

    def _note(self) -> None:
        """Write down how tries went."""
        for claimed, ended in self._flights.ended():
            self._write(partial(self._note_one, claimed, ended))
            # The desk shows each try to whoever may see it; a line at this moment would show it to others.
            log.debug("%s: %s", claimed.channel, ended.words)

    def _note_one(self, claimed: Claimed, ended: Ended, conn: sa.Connection) -> None:
        now = self._clock()
        store.end(conn, claimed, self._name, ended, now)
        self._tell_desk(conn, now)

    def _tell_desk(self, conn: sa.Connection, now: datetime) -> None:
        """Only those who may see silent requests: that something goes outside would tell of one."""
        feed.append(conn, self._store, [feed.News(feed.SILENT, "outside", "", {})], now)

    def _write(self, work: Callable[[sa.Connection], None]) -> None:
        self._writer.run(work)

    def _wait_for_flights(self, within_s: float) -> None:
        """What ends in time is noted; the rest is found without an end by whoever begins next."""
        end = self._monotonic() + within_s
        while self.flying and self._monotonic() < end:
            time.sleep(0.05)
            try:
                self._pushes.note()
                self._note()
            except (StorageError, sa.exc.SQLAlchemyError):
                return


def _room(flying: list[Claimed]) -> Room:
    others = sum(not one.urgent for one in flying)
    return Room(AT_ONCE - len(flying), OTHERS_AT_ONCE - others)


def _unknown(words: str) -> Ended:
    return Ended(Outcome.UNKNOWN, words)
