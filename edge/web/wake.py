"""The broker's nudge that the feed has grown. Without it the hub looks once a second."""

from collections.abc import Callable

from broker import topics
from broker.session import Arrival, Connected, Credentials, Delivery, Session
from edge.config import EdgeConfig

NAME = "edge-web"


class BrokerWake:
    """Calls `notify` at each nudge, and at each new connection, since nudges may have been lost before it.

    IdentityError if the web process has no certificate. A broker that is away is tried again for ever.
    """

    def __init__(self, config: EdgeConfig, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._session = Session(
            NAME,
            config.broker.host,
            config.broker.port,
            Credentials.in_directory(config.identity_path / NAME),
            self._heard,
            subscriptions=[(topics.feed(config.store), 0)],
        )

    @property
    def connected(self) -> bool:
        return self._session.connected

    def start(self) -> None:
        self._session.start()

    def stop(self) -> None:
        self._session.stop()

    def _heard(self, delivery: Delivery) -> None:
        # Runs in paho's thread: it must only enqueue.
        if isinstance(delivery, Arrival | Connected):
            self._notify()
