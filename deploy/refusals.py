"""What the broker refused, as its log says it."""

import datetime as dt
import re
from collections.abc import Callable

import sqlalchemy as sa

from deploy import provision as making
from deploy.errors import DeployError
from edge.audit.refusals import Refusals, Refused
from edge.audit.store import Actor
from edge.config import EdgeConfig
from edge.errors import StorageError

BROKER = Actor("the broker", "policy")
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


class BrokerRefusals:
    """hear() takes a line of the broker's log from any thread, and never waits."""

    def __init__(
        self, config: EdgeConfig, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    ) -> None:
        def write(work: Callable[[sa.Connection], None]) -> None:
            try:
                with making.writing(config) as conn:
                    work(conn)
            except DeployError as error:
                raise StorageError(str(error)) from None

        self._refusals = Refusals(BROKER, config.store, write, clock)
        self.start, self.stop = self._refusals.start, self._refusals.stop

    def hear(self, line: str) -> None:
        if (found := read(line)) is not None:
            self._refusals.hear(found)
