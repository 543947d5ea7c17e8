"""The keeper's log, in the form of every other program's (broker/logs.py), by Python's own library alone."""

import json
import logging
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PROGRAM = "keeper"
PLAIN = "%(levelname)s %(name)s: %(message)s"
_MOST_SIGNS = 8000


def begin(config: Path) -> None:
    """Write to the standard error stream from now on, as [log] of this kiosk.toml says; plainly where it
    cannot be read."""
    try:
        said = tomllib.loads(config.read_text(encoding="utf-8")).get("log", {})
        level = str(said.get("programs", {}).get(PROGRAM, said.get("level", "info"))).upper()
        as_json = said.get("format") == "json"
    except (OSError, ValueError, AttributeError):
        level, as_json = "INFO", False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if as_json else logging.Formatter(PLAIN))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.getLevelNamesMapping().get(level, logging.INFO))
    if as_json:
        sys.excepthook = lambda kind, error, trace: logging.getLogger("program").critical(
            "An error that nobody handled.", exc_info=(kind, error, trace)
        )


class Lines(logging.Formatter):
    """One JSON object for each record, with the names of broker/logs.md."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": PROGRAM,
            "logger": record.name,
            "message": record.getMessage()[:_MOST_SIGNS],
        }
        if record.exc_info and record.exc_info[0] is not None:
            said["trace"] = self.formatException(record.exc_info)[-_MOST_SIGNS:]
        return json.dumps(said, ensure_ascii=False)
