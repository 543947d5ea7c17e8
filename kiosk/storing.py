"""The thread that writes: whatever waits goes to disk in one transaction, then everybody hears of it.

The panel never waits for the disk. When the disk takes nothing, events stay in memory, are sent without a
number and are written as soon as there is room; a security event gets the reserve.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from broker.events import SecurityRequested
from broker.messages import Receipt
from kiosk import disk
from kiosk.clock import Clocks
from kiosk.errors import KioskError, OutboxDamaged, OutboxFull
from kiosk.jobs import Count, Flush, Job, NotSaved, Receive, Refill, Refilled, ReplayFrom, Report, Save, Saved
from kiosk.outbox import Counts, NewEvent, Outbox, unnumbered

log = logging.getLogger(__name__)

IDLE_S = 5.0
RETRY_S = 5.0
PRUNE_S = 3600.0
COUNT_S = 2.0
BATCH = 256


class Storing:
    """See the module. `report` is called from the storing thread and must only enqueue."""

    def __init__(
        self,
        directory: Path,
        clocks: Clocks,
        report: Callable[[Report], None],
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._clocks = clocks
        self._report = report
        self._tick = tick
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._outbox: Outbox | None = None
        self._damaged: list[str] = []
        self._trouble: str | None = None
        self._memory: dict[UUID, NewEvent] = {}
        self._unwritten: list[Job] = []
        self._counts: Counts | None = None
        self._counted_s = self._pruned_s = self._tried_s = float("-inf")
        self._uncounted = False
        self.failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="storing", daemon=True)

    @property
    def outbox(self) -> Outbox | None:
        """The open outbox, for the program to look into before start()."""
        return self._outbox

    def open(self) -> None:
        """Open the outbox before start(). A full disk is tried again later; KioskError for the rest."""
        self._tried_s = self._clocks.now()
        try:
            self._outbox = Outbox(self._directory, self._clocks.boot, self._clocks.now())
        except OutboxFull:
            disk.free_reserve(self._directory)
            try:
                self._outbox = Outbox(self._directory, self._clocks.boot, self._clocks.now())
            except OutboxFull as error:
                self._in_trouble(error)
                return
        if (name := self._outbox.set_aside) is not None:
            self._damaged.append(name)
            log.error("The outbox was damaged; it is kept as %s and a new one begins.", name)
        disk.keep_reserve(self._directory)
        self._count()

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> None:
        """From any thread; never waits."""
        self._jobs.put(job)

    def counts(self) -> Counts | None:
        """As of a moment ago; None while there is no outbox."""
        return self._counts

    @property
    def in_memory(self) -> int:
        """How many events the disk did not take."""
        return len(self._memory)

    def faults(self) -> list[str]:
        """Sentences for the heartbeat."""
        faults = [f"The outbox was damaged and set aside as {name}." for name in self._damaged]
        if self._trouble is not None:
            faults.append(f"{len(self._memory)} events are only in memory: {self._trouble}"[:200])
        counts = self._counts
        if counts is not None and counts.refused:
            faults.append(f"{counts.refused} events were refused, the last: {counts.last_refusal}"[:200])
        return faults

    def close(self, timeout_s: float = 1.5) -> None:
        """Write what waits and end. May be called twice."""
        self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._thread.is_alive() and self._outbox is not None:
            self._outbox.close()

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:
            log.exception("The storing thread ended.")
            self.failed = error

    def _turn(self) -> bool:
        jobs: list[Job] = []
        going = True
        with contextlib.suppress(queue.Empty):
            job = self._jobs.get(timeout=COUNT_S if self._uncounted else IDLE_S)
            while job is not None and len(jobs) < BATCH:
                jobs.append(job)
                job = self._jobs.get_nowait()
            if job is None:
                going = False
            else:
                jobs.append(job)
        self._tick()
        now_s = self._clocks.now()
        if jobs:
            self._deal(jobs)
        if (self._trouble or self._memory or self._unwritten) and now_s - self._tried_s >= RETRY_S:
            self._recover()
        if self._outbox is not None and self._trouble is None:
            if now_s - self._pruned_s >= PRUNE_S:
                self._pruned_s = now_s
                self._try(lambda outbox: outbox.prune(now_s))
                disk.keep_reserve(self._directory)
            self._uncounted = self._uncounted or bool(jobs)
            if self._uncounted and now_s - self._counted_s >= COUNT_S:
                self._count()
        self._tick()
        for job in jobs:
            if isinstance(job, Flush):
                job.done.set()
        return going

    def _deal(self, jobs: list[Job]) -> None:
        reports: list[Report] = []

        def write(outbox: Outbox) -> None:
            reports.clear()
            for job in jobs:
                reports.extend(self._write(outbox, job))

        if self._trouble is None and self._try(write):
            for job in jobs:
                if isinstance(job, Receive):
                    self._let_go(job.receipt)
        else:
            reports = [report for job in jobs for report in self._hold(job)]
        for report in reports:
            self._report(report)

    def _write(self, outbox: Outbox, job: Job) -> list[Report]:
        match job:
            case Save(event):
                return [Saved(outbox.save(event))]
            case Count(request, content, stamp):
                outbox.count_repeats(request, content, stamp)
            case Receive(receipt):
                outbox.receive(receipt, self._clocks.now())
            case ReplayFrom(identity, seq):
                number = outbox.replay(identity, seq)
                log.info("The store asked for everything from %d on: %d events.", seq, number)
                return [Refilled(*outbox.open_events())]
            case Refill():
                return [Refilled(*outbox.open_events())]
        return []

    def _hold(self, job: Job) -> list[Report]:
        """The disk took nothing: what can be done without it."""
        match job:
            case Save(event):
                saved: list[Report] = []
                if isinstance(event.content, SecurityRequested):
                    disk.free_reserve(self._directory)
                    if self._outbox is not None and self._attempt(
                        lambda outbox: saved.append(Saved(outbox.save(event)))
                    ):
                        return saved
                self._memory[event.id] = event
                return [NotSaved(unnumbered(event))]
            case Receive(receipt):
                self._let_go(receipt)
                self._unwritten.append(job)
            case ReplayFrom():
                self._unwritten.append(job)
            case Refill():
                # What is receipted but could not be closed on disk would be sent again without end.
                with contextlib.suppress(KioskError):
                    if self._outbox is not None and not self._unwritten:
                        return [Refilled(*self._outbox.open_events())]
                return [Refilled([], True)]
        return []

    def _recover(self) -> None:
        """The disk may have room again."""
        self._tried_s = self._clocks.now()
        if self._outbox is None:
            try:
                self._outbox = Outbox(self._directory, self._clocks.boot, self._clocks.now())
            except KioskError as error:
                self._in_trouble(error)
                return
        events, unwritten = list(self._memory.values()), list(self._unwritten)
        reports: list[Report] = []

        def write(outbox: Outbox) -> None:
            reports.clear()
            for event in events:
                outbox.save_unnumbered(event)
            for job in unwritten:
                reports.extend(self._write(outbox, job))

        if self._try(write):
            for event in events:
                del self._memory[event.id]
                self._report(Saved(unnumbered(event), first=False))
            del self._unwritten[: len(unwritten)]
            for report in reports:
                self._report(report)
            log.info("The outbox takes events again; %d were written from memory.", len(events))
            disk.keep_reserve(self._directory)
            self._report(Refilled(*self._outbox.open_events()))

    def _try(self, act: Callable[[Outbox], None]) -> bool:
        """One transaction. Whether it is on disk; otherwise the trouble is remembered, and said once."""
        if self._outbox is None:
            return False
        try:
            with self._outbox.transaction():
                act(self._outbox)
        except OutboxDamaged as error:
            self._in_trouble(error)
            self._begin_anew()
            return self._trouble is None and self._attempt(act)
        except KioskError as error:
            self._in_trouble(error)
            return False
        if self._trouble is not None:
            self._trouble = None
        return True

    def _attempt(self, act: Callable[[Outbox], None]) -> bool:
        if self._outbox is None:
            return False
        try:
            with self._outbox.transaction():
                act(self._outbox)
        except KioskError as error:
            self._in_trouble(error)
            return False
        return True

    def _begin_anew(self) -> None:
        """The database broke while it was in use."""
        assert self._outbox is not None
        self._outbox.close()
        try:
            self._outbox = Outbox(self._directory, self._clocks.boot, self._clocks.now(), damaged=True)
        except KioskError as error:
            self._outbox = None
            self._in_trouble(error)
            return
        self._trouble = None
        self._damaged.append(self._outbox.set_aside or "?")
        self._report(Refilled(*self._outbox.open_events()))

    def _let_go(self, receipt: Receipt) -> None:
        for event_id in receipt.ids:
            self._memory.pop(event_id, None)
        for refusal in receipt.refused:
            self._memory = {k: v for k, v in self._memory.items() if str(k) != refusal.id}

    def _in_trouble(self, error: KioskError) -> None:
        if self._trouble is None:
            log.error("%s Presses are kept in memory and sent.", error)
            self._tried_s = self._clocks.now()
        self._trouble = str(error)

    def _count(self) -> None:
        if self._outbox is None:
            return
        self._counted_s, self._uncounted = self._clocks.now(), False
        try:
            self._counts = self._outbox.counts()
        except KioskError as error:
            self._in_trouble(error)
