"""What the broker tells the pages: that the feed has grown, and that the worker is alive.

Without it the hub looks once a second, and takes the worker for alive.
"""

import time
from collections.abc import Callable

from broker import topics
from broker.session import Arrival, Connected, Delivery, Session
from broker.tls import Credentials
from edge.config import EdgeConfig

NAME = "edge-web"
# As long as a kiosk waits for the worker's word before it says that the store cannot be reached.
WORKER_SILENT_S = 6.0


class BrokerWake:
    """Calls `notify` at each nudge, and at each new connection, since nudges may have been lost before it.

    IdentityError if the web process has no certificate. A broker that is away is tried again for ever.
    """

    def __init__(self, config: EdgeConfig, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._feed, self._heartbeat = topics.feed(config.store), topics.edge_heartbeat(config.store)
        # Begun in trust: a page must not cry out because the pages were started anew.
        self._worker_heard_s = time.monotonic()
        self._session = Session(
            NAME,
            config.broker.host,
            config.broker.port,
            Credentials.in_directory(config.identity_path / NAME),
            self._heard,
            subscriptions=[(self._feed, 0), (self._heartbeat, 0)],
        )

    @property
    def connected(self) -> bool:
        return self._session.connected

    def calling(self) -> bool:
        """Whether the worker was heard just now, by way of the broker as kiosks hear it. If not, no press
        comes through."""
        return time.monotonic() - self._worker_heard_s < WORKER_SILENT_S

    def start(self) -> None:
        self._session.start()

    def stop(self) -> None:
        self._session.stop()

    def _heard(self, delivery: Delivery) -> None:
        # Runs in paho's thread: it must only enqueue.
        if isinstance(delivery, Arrival) and delivery.topic == self._heartbeat:
            self._worker_heard_s = time.monotonic()
        elif isinstance(delivery, Arrival | Connected):
            self._notify()
