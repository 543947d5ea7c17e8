"""The thread that asks the store, once an hour, whether this kiosk's certificate is due; each time in a short
process of its own. By no clock of the kiosk's: the store says when.

Where no answer came the store may have changed something all the same, and refuse the old certificate from
then on: so it is asked again within minutes, and what was begun is found again in the files (replacing.py).
"""

import logging
import random
import subprocess
import sys
import threading
from collections.abc import Callable

from kiosk.config import Config
from kiosk.replacing import RENEWED, is_fetched

log = logging.getLogger(__name__)

AT_ONCE_S, FIRST_S, AGAIN_S, EVERY_S = 5.0, 120.0, 60.0, 3600.0
LONGEST_S = 180.0


def pause_s(failed: int) -> float:
    """Until the next question, after so many in a row without an answer: from a minute on twice as long each
    time, and never above the hour."""
    return min(AGAIN_S * 2 ** min(failed - 1, 10), EVERY_S) if failed else EVERY_S


class Renewals:
    """`renewed` is called, from this thread, when the files of the identity are others now."""

    def __init__(self, config: Config, renewed: Callable[[], None]) -> None:
        broker = config.broker
        self._identity = config.identity
        self._command = [
            *("nice", "-n", "10", sys.executable, "-m", "kiosk.renewing", "--device", config.device),
            *("--identity", str(config.identity), "--host", broker.host, "--port", str(broker.vault_port)),
        ]
        self._renewed = renewed
        self._stop = threading.Event()
        self._said = ""
        self._running: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="renewals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """May be called twice. What is under way is ended, and done again at the next start."""
        self._stop.set()
        if self._running is not None:
            self._running.kill()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        # After a power cut all kiosks of a store start at once.
        wait_s, failed = AT_ONCE_S if is_fetched(self._identity) else FIRST_S, 0
        while not self._stop.wait(wait_s * random.uniform(0.5, 1.5)):
            failed = 0 if self.ask() else failed + 1
            wait_s = pause_s(failed)

    def ask(self) -> bool:
        """Once; whether there was an answer."""
        try:
            running = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError as error:
            self._say(f"{error}.")
            return False
        self._running = running
        try:
            _, said = running.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()
            self._say(f"It took longer than {LONGEST_S:.0f} s.")
            return False
        if running.returncode == RENEWED:
            log.info("The store renewed this kiosk's certificate.")
            self._renewed()
        elif running.returncode and not self._stop.is_set():
            *_, words = ["No reason was given.", *said.decode(errors="replace").strip().splitlines()]
            self._say(words)
            return False
        self._said = ""
        return True

    def _say(self, why: str) -> None:
        if why != self._said:
            log.warning("Whether this kiosk's certificate is due could not be asked: %s", why)
            self._said = why
