"""Brings clips to the store, one at a time, in a thread that nothing waits for.

It never lists the clips: the store's tickets say which it wants, and each is looked up by its id. A clip that
is sealed stays on the card for a while and is the first to go (decisions/004). Presses travel in another
process, over another connection; this thread is the last to get the processor and the disk, and the line
belongs to it only up to the limit.
"""

import logging
import os
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from broker.messages import Upload
from kiosk.camera.bandwidth import Bandwidth
from kiosk.camera.clips import Clip, Clips
from kiosk.camera.delivery import CHUNK_BYTES, Attempt, End, Yielded, context_of, deliver
from kiosk.camera.losses import Lose
from kiosk.camera.waiting import Waiting

log = logging.getLogger(__name__)

TRIES = 3
SWEEP_S = 3600.0
AWAY_SAID = 3
_LOWEST = 19  # of the processor; where nothing else is said the disk's order follows it (ioprio_set(2))
_KIB = 1024


class Uploader:
    """See the module. `limit_kib_s` 0 is no limit; `keep_sealed_h` 0 deletes a clip as soon as the store has
    it."""

    def __init__(
        self,
        clips: Clips,
        identity: Path,
        limit_kib_s: int,
        keep_sealed_h: float,
        now: Callable[[], float] = time.monotonic,
        lost: Lose = lambda why, clip, cause: None,
    ) -> None:
        """`lost` is called, from this thread, for a clip that the card no longer holds as it was signed."""
        self._clips, self._identity, self._now = clips, identity, now
        self._lost = lost
        self._keep_s = keep_sealed_h * 3600
        self._bandwidth = Bandwidth(limit_kib_s * _KIB, max(CHUNK_BYTES, limit_kib_s * _KIB // 4), now())
        self._inbox: queue.SimpleQueue[list[Upload] | None] = queue.SimpleQueue()
        self._waiting = Waiting()
        self._swept_s = float("-inf")
        self._given_up: set[UUID] = set()
        self._gone: set[UUID] = set()
        self._trouble = ""
        self._said: tuple[str, ...] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uploader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, uploads: list[Upload]) -> None:
        """The tickets that came, again and again. From any thread."""
        self._inbox.put(uploads)

    def faults(self) -> list[str]:
        """Sentences for the manager. They name no clip: its time would tell of a silent request."""
        return list(self._said)

    def close(self, timeout_s: float = 2.0) -> None:
        """What is under way goes on at the next start. May be called twice."""
        self._stop.set()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        while not self._stop.is_set():
            try:
                self.turn()
            except Exception:
                log.exception("Clips cannot be brought to the store; it is tried again.")
                self._stop.wait(SWEEP_S / 60)

    def turn(self) -> None:
        """Bring one clip, or wait until there is something to do."""
        self._take_tickets()
        upload = self._waiting.next(self._now())
        if upload is not None:
            self._bring(upload)
            return
        self._sweep()
        if not len(self._waiting):
            self._trouble = ""
            self._say()
        due_s = self._waiting.due_at()
        until_s = self._swept_s + SWEEP_S if due_s is None else min(due_s, self._swept_s + SWEEP_S)
        try:
            self._learn(self._inbox.get(timeout=max(0.0, until_s - self._now())))
        except queue.Empty:
            return

    def _take_tickets(self) -> None:
        try:
            while True:
                self._learn(self._inbox.get_nowait())
        except queue.Empty:
            return

    def _learn(self, uploads: Iterable[Upload] | None) -> None:
        for upload in uploads or ():
            if self._waiting.knows(upload):
                continue
            clip = self._clips.find(upload.clip)
            if clip is not None and clip.refused >= TRIES:
                self._give_up(upload)
            else:
                self._waiting.told(upload, urgent=clip is not None and clip.about.spared)

    def _bring(self, upload: Upload) -> None:
        clip = self._clips.find(upload.clip)
        try:
            context = context_of(self._identity)
        except (OSError, ssl.SSLError) as error:
            attempt = Attempt(End.AWAY, f"The kiosk's certificate cannot be used: {error}.")
        else:
            attempt = deliver(upload, clip, context, self._pace, lambda: self._leaves(upload))
        self._ended(upload, clip, attempt)
        self._say()

    def _ended(self, upload: Upload, clip: Clip | None, attempt: Attempt) -> None:
        waiting, now_s = self._waiting, self._now()
        if attempt.end is End.AWAY:
            if waiting.away(now_s) >= AWAY_SAID:
                self._trouble = attempt.said
            return
        if attempt.end is not End.BROKE:
            waiting.answered()
            self._trouble = attempt.said if attempt.end is End.FULL else ""
        match attempt.end:
            case End.SEALED:
                log.debug("A clip is in the vault.")
                waiting.done(upload)
                self._sealed(clip)
            case End.OVER:
                waiting.over(upload)
            case End.GONE:
                waiting.done(upload)
                self._gone.add(upload.clip)
                # What cannot be read is there, and no clip any more.
                self._lost("damaged" if self._clips.holds(upload.clip) else "missing", upload.clip, None)
            case End.REFUSED | End.DAMAGED:
                log.error("A clip is not what was signed: %s", attempt.said)
                if clip is not None and self._clips.refuse(clip) >= TRIES:
                    self._give_up(upload)
                else:
                    waiting.refused(upload, now_s)
            case End.FULL:
                waiting.full(upload, now_s)
            case End.BROKE:
                log.warning("A clip is tried again: %s", attempt.said)
                waiting.broke(upload, now_s, moved=attempt.moved_bytes > 0)
            case End.YIELDED:
                pass

    def _sealed(self, clip: Clip | None) -> None:
        if clip is None:
            return
        if self._keep_s:
            self._clips.seal(clip)
        else:
            self._clips.delete(clip.id)

    def _give_up(self, upload: Upload) -> None:
        self._waiting.done(upload)
        self._given_up.add(upload.clip)
        self._lost("damaged", upload.clip, None)
        self._say()

    def _sweep(self) -> None:
        if self._now() - self._swept_s >= SWEEP_S:
            self._swept_s = self._now()
            self._clips.forget_sealed(self._keep_s)

    def _leaves(self, upload: Upload) -> bool:
        self._take_tickets()
        return self._stop.is_set() or self._waiting.more_urgent(upload, self._now())

    def _pace(self, size: int) -> None:
        if self._stop.wait(self._bandwidth.wait_s(size, self._now())):
            raise Yielded

    def _say(self) -> None:
        said = []
        if self._given_up:
            said.append(
                "Clips on this kiosk's card are not what was signed; they are kept and not sent again."
            )
        if self._gone:
            said.append("The store waits for clips that are no longer on this kiosk's card.")
        if self._trouble:
            said.append(f"Clips wait on this kiosk. {self._trouble}")
        self._said = tuple(sentence[:200] for sentence in said)
