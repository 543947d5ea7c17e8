"""The kiosk's part in an update: brings the release that the store orders, says to the keeper how the kiosk
is, and to the store what the keeper says. It cannot write a slot, and decides nothing.

The word to the keeper is a file, written anew every two seconds; kiosk/keeper/loop.py reads it.
"""

import contextlib
import json
import logging
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from broker.events import ReleaseMoved
from broker.messages import Revert, Update
from kiosk import VERSION, disk
from kiosk.camera.bandwidth import Bandwidth
from kiosk.clock import Clocks
from kiosk.config import Config
from kiosk.jobs import Report, Save, Saved
from kiosk.keeper.slots import STATE
from kiosk.keeper.trial import Way
from kiosk.outbox import NewEvent
from kiosk.updating import fetching
from kiosk.updating.fetching import CHUNK_BYTES, End

log = logging.getLogger(__name__)
WORD_S = 2.0
AGAIN_S = (5.0, 15.0, 60.0)
HEARD_MOST = 64
_KIB = 1024


@dataclass(frozen=True)
class Condition:
    """How the kiosk is at this moment. `idle`: nobody waits before it."""

    works: bool
    way: Way
    idle: bool


class Updates:
    """See the module. `condition` is asked from its thread; `save` takes events for the outbox."""

    def __init__(
        self,
        config: Config,
        clocks: Clocks,
        condition: Callable[[], Condition],
        save: Callable[[Save], None],
        new_id: Callable[[], UUID],
    ) -> None:
        assert config.update is not None
        self._clocks, self._condition, self._save, self._new_id = clocks, condition, save, new_id
        self._word, self._state = Path(config.update.word), Path(config.update.root) / STATE
        self._directory, self._identity = Path(config.update.directory), config.identity
        rate = config.update.limit_kib_s * _KIB
        self._bandwidth = Bandwidth(rate, max(CHUNK_BYTES, rate // 4), clocks.now())
        self._began_s = clocks.now()
        self._order: dict[str, Any] | None = None
        self._saving: set[UUID] = set()
        self._heard: dict[UUID, None] = {}
        self._stop, self._speaking = threading.Event(), threading.Lock()
        self._orders: queue.SimpleQueue[Update | Revert | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._speak, name="update-word", daemon=True),
            threading.Thread(target=self._fetch, name="update-fetch", daemon=True),
        ]

    def start(self) -> None:
        """What hinders it is logged: a kiosk that cannot be renewed is still a kiosk."""
        try:
            self._directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            log.error("No releases can be taken: %s.", error)
            return
        for thread in self._threads:
            thread.start()

    def order(self, command: Update | Revert) -> None:
        """What the store wants. From any thread; never waits."""
        self._orders.put(command)

    def reported(self, report: Report) -> None:
        """What the storing thread reports: an event of ours is on the disk, and the keeper may forget it."""
        if isinstance(report, Saved) and report.event.id in self._saving:
            self._heard[report.event.id] = None

    def close(self, timeout_s: float = 1.0) -> None:
        """What is on its way goes on at the next order. May be called twice."""
        self._stop.set()
        self._orders.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def _speak(self) -> None:
        while not self._stop.is_set():
            try:
                self.speak()
            except Exception:
                log.exception("The keeper of the slots cannot be spoken with; it is tried again.")
            self._stop.wait(WORD_S)

    def speak(self) -> None:
        """Write the word, and hear what the keeper has to tell."""
        with self._speaking:
            self._write()
            self._hear()

    def _write(self) -> None:
        condition, now_s = self._condition(), self._clocks.now()
        word = {
            "version": VERSION,
            "at_s": now_s,
            "running_s": now_s - self._began_s,
            "works": condition.works,
            "way": condition.way.value,
            "idle": condition.idle,
            "order": self._order,
            # The storing thread adds to it meanwhile.
            "heard": [str(one) for one in list(self._heard)],
        }
        beside = self._word.with_name(f".{self._word.name}.new")
        # Not synced: after a cut it is an old word, and counts no more.
        beside.write_text(json.dumps(word), encoding="utf-8")
        beside.chmod(0o640)
        beside.replace(self._word)

    def _hear(self) -> None:
        try:
            told = list(json.loads(self._state.read_text(encoding="utf-8"))["told"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        waiting = set()
        for one in told:
            try:
                content = msgspec.convert(
                    {k: one[k] for k in ("order", "release", "stage", "reason")}, ReleaseMoved
                )
                event = UUID(one["id"])
            except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
                log.error("The keeper tells what is none of the contract: %s.", error)
                continue
            waiting.add(event)
            if event not in self._saving:
                self._saving.add(event)
                self._tell(content, event)
        # What the keeper has forgotten needs to be known no more.
        for event in [event for event in self._heard if event not in waiting]:
            del self._heard[event]
            self._saving.discard(event)

    def _tell(self, content: ReleaseMoved, event: UUID) -> None:
        self._save(Save(NewEvent(event, content, self._clocks.stamp(self._clocks.now()))))

    def _fetch(self) -> None:
        # Where it may not make way for the panel it works all the same.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        wanted: Update | None = None
        tries = 0
        while not self._stop.is_set():
            pause_s = (
                None if wanted is None else (0.0 if not tries else AGAIN_S[min(tries, len(AGAIN_S)) - 1])
            )
            try:
                command = self._orders.get(timeout=pause_s) if pause_s != 0.0 else self._orders.get_nowait()
            except queue.Empty:
                command = None
            if command is not None:
                wanted, tries = self._take(command), 0
            elif wanted is not None:
                try:
                    tries = 0 if (over := self._try(wanted)) else tries + 1
                except _Interrupted:
                    continue
                except Exception:
                    log.exception("The release cannot be brought; it is tried again.")
                    over, tries = False, tries + 1
                wanted = None if over else wanted

    def _take(self, command: Update | Revert) -> Update | None:
        if isinstance(command, Revert):
            self._order = {"id": str(command.order), "release": command.release, "file": "", "revert": True}
            with contextlib.suppress(OSError):
                fetching.tidy(self._directory, None)
            return None
        known = self._order is not None and self._order["id"] == str(command.order)
        if not known:
            with contextlib.suppress(OSError):
                fetching.tidy(self._directory, command)
        return None if known else command

    def _try(self, update: Update) -> bool:
        """Whether nothing is left to be tried."""
        free = disk.free_bytes(self._directory)
        end, said = fetching.fetch(update, self._directory, self._identity, self._pace, free)
        match end:
            case End.HERE:
                name = fetching.path_of(self._directory, update).name
                self._order = {
                    "id": str(update.order), "release": update.release, "file": name, "revert": False,
                }  # fmt: skip
                return True
            case End.WRONG | End.FULL:
                log.error("The release %s is not taken: %s", update.release, said)
                refused = ReleaseMoved(update.order, update.release, "refused", said[:300])
                self._tell(refused, self._new_id())
                return True
            case End.OVER:
                return True
        log.warning("The release %s is tried again: %s", update.release, said)
        return False

    def _pace(self, size: int) -> None:
        if self._stop.wait(self._bandwidth.wait_s(size, self._clocks.now())) or not self._orders.empty():
            raise _Interrupted


class _Interrupted(Exception):
    """The kiosk ends, or the store wants something else."""
