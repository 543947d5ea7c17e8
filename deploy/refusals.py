"""What the broker refused, in the audit of the store: its log is read by nobody who sits at the desk.

The broker waits for none of this. A line that finds the database busy, or too many before it, is only in the
log.
"""

import datetime as dt
import logging
import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from deploy import provision as making
from deploy.errors import DeployError
from edge.audit import store as audits
from edge.audit.bounds import Bounds
from edge.audit.store import Actor
from edge.config import EdgeConfig
from edge.errors import EdgeError

log = logging.getLogger(__name__)
BROKER = Actor("the broker", "policy")
WAITING = 200
_PUBLISHED = re.compile(
    r"refused: Denied PUBLISH from .* \(d\d, q\d, r\d, m\d+, '([^']*)'.*\)(?: by (\S+))?$"
)
_SUBSCRIBED = re.compile(r"refused: (\S+) subscribes to (\S+)$")
_REVOKED = re.compile(r"(\S+) is revoked: its connection was ended\.$")
# One or the other, as the handshake is refused at once or a moment later.
_TLS = re.compile(
    r"(?:OpenSSL Error\[\d+\]|Client connection from (?P<where>\S+) failed): "
    r".*:(?P<why>[^:]*(?:certificate|unknown ca)[^:.]*)\.?$"
)


@dataclass(frozen=True, slots=True)
class Refused:
    """For the audit: `what` as 'denied.topic', `subject` who or what it was about, `words` a sentence."""

    what: str
    subject: str
    words: str


def read(line: str) -> Refused | None:
    """A line of the broker's log; None for what refuses nobody."""
    if found := _PUBLISHED.match(line):
        who = found[2] or "somebody"
        return Refused("denied.topic", who, f"{who} was refused to publish on {found[1][:200]}.")
    if found := _SUBSCRIBED.match(line):
        return Refused("denied.topic", found[1], f"{found[1]} was refused to read {found[2][:200]}.")
    if found := _REVOKED.match(line):
        return Refused(
            "denied.revoked", found[1], f"{found[1]} is revoked and was sent away from the broker."
        )
    if found := _TLS.search(line):
        where = f" from {found['where']}" if found["where"] else ""
        words = f"The broker let nobody in{where}: {found['why'].strip()}."
        return Refused("denied.certificate", "the broker", words)
    return None


class Refusals:
    """One thread. hear() takes a line from any thread, and never waits."""

    def __init__(
        self, config: EdgeConfig, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        self._config, self._clock = config, clock
        self._bounds = Bounds()
        self._waiting: queue.Queue[Refused | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="broker-refusals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hear(self, line: str) -> None:
        if (found := read(line)) is None:
            return
        try:
            self._waiting.put_nowait(found)
        except queue.Full:
            return

    def stop(self, timeout_s: float = 3.0) -> None:
        """Write what waits. May be called twice."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=timeout_s)
            except queue.Full:
                return
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None:
            now = self._clock()
            more = self._bounds.take((found.what, found.subject, found.words), now)
            if more is None:
                continue
            try:
                with making.writing(self._config) as conn:
                    words = found.words + more
                    audits.record(conn, self._config.store, BROKER, found.what, found.subject, words, now)
            except (DeployError, EdgeError) as error:
                log.warning("A refusal of the broker is not in the audit: %s", error)
