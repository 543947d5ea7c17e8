"""The store server: takes events in, pages people, keeps the log and shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from edge.clock import utc_now

if TYPE_CHECKING:
    from flask import Flask

    from edge.config import EdgeConfig


def create_app(config: EdgeConfig, *, clock: Callable[[], datetime] = utc_now) -> Flask:
    """The web application of one store. Its threads begin with `app.extensions["floorbell"].start()`.

    StorageError if its signing key cannot be kept. The database is first touched by a request.
    """
    # Imported here: the worker imports this package too and needs no Flask.
    from edge.web.application import build

    return build(config, clock)
