"""What the web process does aside from requests: it records pages as sent, phones as heard, tokens as used
and what the audit is to say, puts off the end of sessions at the desk, ends those that expired and forgets
old taps and challenges."""

import logging
import queue
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from edge.audit import store as audits
from edge.errors import EdgeError
from edge.handling import acting
from edge.interactions import taps
from edge.people import passkeys, sessions
from edge.tokens import store as tokens

if TYPE_CHECKING:
    from edge.web.denials import Noted
    from edge.web.services import Services

_log = logging.getLogger(__name__)
SWEEP_EVERY_S = 60.0
# Every phone answers each beat; they are written together.
HEARD_EVERY_S = 2.0
_AGAIN_S = 1.0
_BATCH = 200
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Heard:
    """The phone with this session's key answered at this time."""

    session: str
    at: datetime


class _Look:
    """Something is to be written that does not come through the queue."""


class Errands:
    """One thread. sent() and heard() may be called from any other and only enqueue."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        # None stops.
        self._todo: queue.SimpleQueue[str | _Heard | _Look | None] = queue.SimpleQueue()
        self._sent: list[str] = []
        self._heard: dict[str, datetime] = {}
        self._used: dict[str, datetime] = {}
        self._ends: dict[str, datetime] = {}
        self._noted: list[Noted] = []
        self._thread = threading.Thread(target=self._run, name="web-errands", daemon=True)

    def sent(self, page: str) -> None:
        """The page was written to its person's stream."""
        self._todo.put(page)

    def heard(self, session: str, at: datetime) -> None:
        """The phone with this session's key answered what it was sent."""
        self._todo.put(_Heard(session, at))

    def used(self, token: str, at: datetime) -> None:
        """A token was used; written down within a minute, so that no request waits for it."""
        self._used[token] = at

    def put_off(self, session: str, until: datetime) -> None:
        """Somebody does something at this session's desk; it ends no sooner than this."""
        self._ends[session] = until
        self._todo.put(_Look())

    def note(self, noted: "Noted") -> None:
        """For the audit. Whoever calls this sees to it that there are not too many."""
        self._noted.append(noted)
        self._todo.put(_Look())

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        self._todo.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self.record_used()
        self.record_noted()

    def _run(self) -> None:
        swept_s = wrote_s = time.monotonic()
        going = True
        while going:
            going = self._gather()
            self._sent = self._record_sent(self._sent)
            self.record_noted()
            self.record_ends()
            if self._heard and (not going or time.monotonic() - wrote_s >= HEARD_EVERY_S):
                wrote_s = time.monotonic()
                self._record_heard()
            # By the clock: in a busy shop pages never pause for long enough.
            if time.monotonic() - swept_s >= SWEEP_EVERY_S:
                swept_s = time.monotonic()
                self._sweep()

    def _gather(self) -> bool:
        """Wait for something to do, and take what else is there; False once it is to stop."""
        wait_s = _AGAIN_S if self._sent else HEARD_EVERY_S if self._heard else SWEEP_EVERY_S
        try:
            item = self._todo.get(timeout=wait_s)
            for _ in range(_BATCH):
                if item is None:
                    return False
                if isinstance(item, _Heard):
                    self._heard[item.session] = item.at
                elif isinstance(item, str):
                    self._sent.append(item)
                item = self._todo.get_nowait()
            self._todo.put(item)
        except queue.Empty:
            pass
        return True

    def _record_sent(self, pages: list[str]) -> list[str]:
        """What is still to be recorded: nothing, or all of it if the database did not take it."""
        if not pages:
            return []
        services = self._services
        try:
            services.writer.run(
                lambda conn: acting.mark_streamed(conn, services.store, pages, services.clock())
            )
        except EdgeError as error:
            _log.warning("Pages are sent but not yet recorded as sent: %s", error)
            return pages[-_MOST:]
        return []

    def _record_heard(self) -> None:
        """What could not be written is not kept: the phones answer again in a moment."""
        heard, self._heard = self._heard, {}
        services = self._services
        try:
            services.writer.run(lambda conn: sessions.hear(conn, services.store, heard))
        except EdgeError as error:
            _log.warning("Phones were heard but that could not be written: %s", error)

    def record_noted(self) -> None:
        """Write down what is to be audited; what cannot be written is tried again with the next."""
        found, self._noted = self._noted, []
        services = self._services
        if not found:
            return

        def write(conn: sa.Connection) -> None:
            for one in found:
                audits.record(conn, services.store, one.actor, one.what, one.subject, one.words, one.at)

        try:
            services.writer.run(write)
        except EdgeError as error:
            _log.warning("What belongs into the audit is not written down yet: %s", error)
            self._noted[:0] = found[-_BATCH:]

    def record_ends(self) -> None:
        """Write down which sessions last on. What cannot be written comes again with the next deed."""
        ends, self._ends = self._ends, {}
        services = self._services
        if not ends:
            return
        try:
            services.writer.run(lambda conn: sessions.put_off(conn, services.store, ends))
        except EdgeError as error:
            _log.warning("That somebody is still at the desk could not be written: %s", error)

    def record_used(self) -> None:
        """Write down when each token was last used."""
        used, self._used = self._used, {}
        services = self._services
        if not used:
            return
        try:
            services.writer.run(lambda conn: tokens.mark_used(conn, services.store, used))
        except EdgeError as error:
            _log.warning("When tokens were last used is not written down: %s", error)

    def _sweep(self) -> None:
        services = self._services
        self.record_used()
        try:
            services.change(lambda conn: sessions.sweep(conn, services.store, services.clock()))
            services.writer.run(lambda conn: taps.sweep(conn, services.store, services.clock()))
            services.writer.run(lambda conn: passkeys.sweep(conn, services.store, services.clock()))
        except EdgeError as error:
            _log.warning("Expired sessions could not be ended, nor old taps forgotten: %s", error)
