"""Gunicorn's own words, into the program's log."""

import logging
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]


class ServingLog(Logger):
    """Gunicorn sets up streams and formats of its own; here they are the program's."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.WARNING
        self.error_log.propagate = True
        self.error_log.setLevel(self.loglevel)
        self.error_log.handlers.clear()
        self.access_log.disabled = True
