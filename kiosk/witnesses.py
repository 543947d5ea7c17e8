"""The thread that has heads of the custody log judged, each in a short process of its own."""

import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable

from broker.witness import REFUSED_MARK
from kiosk.config import Config
from kiosk.witness import ALARM

log = logging.getLogger(__name__)

LONGEST_S = 60.0
# A store that goes on showing heads without the right proof is no better than one that shows a wrong one.
PATIENCE = 5


class Witnesses:
    """`say` sends an answer to the store, `alarm` is called when the log was rewritten; both only enqueue.

    Of heads that come faster than they are judged only the newest counts: each continues those before it.
    """

    def __init__(self, config: Config, say: Callable[[bytes], None], alarm: Callable[[], None]) -> None:
        self._command = [
            *(sys.executable, "-m", "kiosk.witnessing"),
            *("--store", config.store, "--device", config.device),
            *("--identity", str(config.identity), "--directory", str(config.outbox_directory)),
        ]
        self._say, self._alarm = say, alarm
        self._shown: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._refused = 0
        self._alarmed = False
        self._running: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="witnesses", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def show(self, payload: bytes) -> None:
        """A head came from the store. From any thread; never waits."""
        self._shown.put(payload)

    def close(self, timeout_s: float = 1.0) -> None:
        """May be called twice. A judgement that is under way is ended; the store shows its head again."""
        self._shown.put(None)
        if self._running is not None:
            self._running.kill()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (payload := self._shown.get()) is not None:
            while not self._shown.empty():
                newer = self._shown.get()
                if newer is None:
                    return
                payload = newer
            self._judge(payload)

    def _judge(self, payload: bytes) -> None:
        try:
            running = subprocess.Popen(
                ["nice", "-n", "10", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            log.warning("A head of the custody log cannot be judged: %s.", error)
            return
        self._running = running
        try:
            answer, said = running.communicate(payload, LONGEST_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
            log.warning("A head of the custody log was not judged within %.0f s.", LONGEST_S)
            return
        if running.returncode not in (0, ALARM):
            *_, words = ["no reason was given", *said.decode(errors="replace").strip().splitlines()]
            log.warning("A head of the custody log cannot be judged: %s", words)
            return
        if said:
            log.warning("%s", said.decode(errors="replace").strip())
        self._say(answer)
        self._count(refused=REFUSED_MARK in answer[:40], alarm=running.returncode == ALARM)

    def _count(self, *, refused: bool, alarm: bool) -> None:
        self._refused = self._refused + 1 if refused else 0
        if not refused:
            self._alarmed = False
        elif (alarm or self._refused >= PATIENCE) and not self._alarmed:
            # Once, until a head is kept again.
            self._alarmed = True
            log.error("The store's custody log does not continue the one that is held here.")
            self._alarm()
