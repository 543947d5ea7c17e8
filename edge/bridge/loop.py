"""The bridge's loop: look at the kiosks once a second, tell what has changed.

What Home Assistant knows is always the whole of what is known here: a topic that no longer counts is taken
away, also one that was left by an earlier run, and while the database cannot be read all is unavailable.
"""

import hashlib
import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from broker.errors import SettingsError
from broker.topics import is_name
from broker.watchdog import Watchdog, notify
from edge import version
from edge.bridge.link import Link, LinkFault
from edge.clock import utc_now
from edge.config import EdgeConfig
from edge.db.engine import check_version, connect
from edge.errors import StorageError
from edge.home_assistant import discovery, kiosks
from edge.home_assistant.sampling import Samples
from edge.secret_files import FileFault

log = logging.getLogger(__name__)
LOOK_S = 1.0
AGAIN_S = (1.0, 60.0)
# Beyond the time that a try to connect and a locked database may take.
HUNG_S = 60.0
# A connection that ends sooner was none: two programs with one name would throw each other out for ever.
STEADY_S = 30.0


class Bridge:
    """See the module. `run` returns after `stop`; `turn` is one look, for tests. SettingsError if edge.toml
    names no Home Assistant."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        link: Link | None = None,
    ) -> None:
        settings = config.home_assistant
        if settings is None:
            raise SettingsError(
                "edge.toml has no [home_assistant], so there is nobody to tell; "
                "edge/home_assistant/home-assistant.md says what stands there."
            )
        self._config, self._store, self._prefix = config, config.store, settings.prefix
        self._clock, self._monotonic = clock, monotonic
        self._readers = connect(config.database_url, write=False)
        self._own, self._birth = discovery.own_topic(self._store), discovery.birth_topic(self._prefix)
        place = hashlib.sha256(f"{config.store} {config.identity_path.resolve()}".encode()).hexdigest()
        self._link = link or Link(
            settings,
            Path(config.directory),
            f"floorbell-{config.store[:20]}-{place[:12]}",
            (self._own, discovery.OFFLINE),
            (self._birth, discovery.value_topic(self._store, "+", "+")),
        )
        self._samples = Samples()
        self._version = version.installed()
        # What the broker keeps of ours, as far as is known; None: to be taken away or told anew.
        self._kept: dict[str, bytes | None] = {}
        self._wait_s, self._next_try = AGAIN_S[0], 0.0
        self._up_at: float | None = None
        self._trouble, self._said = "", set[str]()
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._link.close((self._own, discovery.OFFLINE))
        self._readers.dispose()

    def run(self) -> None:
        """StorageError if the database is not there."""
        check_version(self._readers)
        watchdog = Watchdog(["bridge"], HUNG_S)
        watchdog.start()
        notify("READY=1")
        try:
            while not self._stop.is_set():
                watchdog.tick("bridge")
                self.turn()
                self._stop.wait(LOOK_S)
        finally:
            watchdog.stop()
            self.close()

    def turn(self) -> None:
        """One look at everything."""
        if not self._link.connected and not self._connect():
            return
        self._listen()
        try:
            wanted = self._wanted()
        except (StorageError, sa.exc.SQLAlchemyError) as error:
            self._note(f"The database cannot be used: {error}. Home Assistant is told that nothing is known.")
            self._tell(self._own, discovery.OFFLINE)
            return
        # Descriptions, which begin with the prefix, go before the values that they speak of.
        gone = self._kept.keys() - wanted.keys() - {self._own}
        for topic in sorted(gone, key=lambda one: (not one.startswith(self._prefix), one)):
            self._link.tell(topic, b"")
            del self._kept[topic]
        for topic, payload in wanted.items():
            self._tell(topic, payload)
        self._tell(self._own, discovery.ONLINE)
        self._note("")
        for sentence in self._link.refusals():
            self._say_once(sentence)

    def _connect(self) -> bool:
        now = self._monotonic()
        if self._up_at is not None:
            if now - self._up_at >= STEADY_S:
                self._wait_s = AGAIN_S[0]
            self._up_at = None
            self._try_again(self._link.end)
        if now < self._next_try:
            return False
        try:
            self._link.open()
        except (LinkFault, FileFault) as error:
            self._try_again(str(error))
            return False
        self._kept, self._up_at = {}, self._monotonic()
        self._said.clear()
        return True

    def _try_again(self, trouble: str) -> None:
        self._note(trouble)
        self._next_try = self._monotonic() + self._wait_s * random.uniform(0.7, 1.3)
        self._wait_s = min(self._wait_s * 2, AGAIN_S[1])

    def _listen(self) -> None:
        for one in self._link.heard():
            if one.topic == self._birth:
                if one.payload == discovery.ONLINE:
                    self._kept = dict.fromkeys(self._kept)
                continue
            if not one.retained:
                self._say_once(
                    f"Somebody else writes below floorbell/{self._store}/ at Home Assistant's broker. Two "
                    "stores of one name cannot share it, each takes away what the other tells; give one of "
                    "them another broker."
                )
            if one.payload:
                # Left by an earlier run, with the description that belongs to it, or somebody else's.
                self._kept[one.topic] = one.payload if one.retained else None
                kiosk = discovery.kiosk_of(one.topic)
                if is_name(kiosk):
                    self._kept.setdefault(discovery.config_topic(self._prefix, self._store, kiosk), None)

    def _wanted(self) -> dict[str, bytes]:
        now = self._clock()
        with self._readers.connect() as conn:
            found = kiosks.read(conn, self._store, now)
        steady = [self._samples.steady(one, now) for one in found]
        return discovery.messages(self._store, self._config.title, self._version, self._prefix, steady)

    def _tell(self, topic: str, payload: bytes) -> None:
        if self._kept.get(topic) != payload:
            self._link.tell(topic, payload)
            self._kept[topic] = payload

    def _say_once(self, sentence: str) -> None:
        """Once in each connection."""
        if sentence not in self._said:
            log.warning("%s", sentence)
            self._said.add(sentence)

    def _note(self, trouble: str) -> None:
        """Say what is wrong once, and that it is over."""
        if trouble and trouble != self._trouble:
            log.warning("%s", trouble)
        elif not trouble and self._trouble:
            log.info("Home Assistant is told again.")
        self._trouble = trouble
