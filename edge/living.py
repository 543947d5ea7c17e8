"""A gunicorn worker that says to systemd, from the loop that accepts connections, that it serves and lives.

Gunicorn's own word, from its first process, comes before the application is loaded, and only once.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from broker.watchdog import notify

EVERY_S = 2.0


class LivingWorker(ThreadWorker):
    """Its loop calls notify() at least once a second, for gunicorn, which ends it after 30 s without."""

    _told_at: float | None = None

    def notify(self) -> None:
        super().notify()
        now = time.monotonic()
        if self._told_at is None:
            notify("READY=1\nWATCHDOG=1")
        elif now - self._told_at < EVERY_S:
            return
        else:
            notify("WATCHDOG=1")
        self._told_at = now


def take_notify_socket() -> Callable[[Any, Any], None]:
    """Take NOTIFY_SOCKET from gunicorn's first process; the hook post_fork that gives it to the worker."""
    address = os.environ.pop("NOTIFY_SOCKET", None)

    def give(_server: Any, _worker: Any) -> None:
        if address is not None:
            os.environ["NOTIFY_SOCKET"] = address

    return give
