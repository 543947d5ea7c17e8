"""How every program writes its log: lines for people, or one JSON object a line. logs.md names the fields.

On the standard error stream, which systemd's journal keeps. Nothing here imports more than the standard
library: a kiosk has no room for more.
"""

import json
import logging
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Level = Literal["debug", "info", "warning", "error"]
# What a line may say besides its words, by `extra` or about(): ids and names of things, never of people.
FIELDS = ("device", "event", "clip", "web_request", "method", "route", "status")
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MOST_SIGNS = 8000
_around: ContextVar[dict[str, object] | None] = ContextVar("log_fields", default=None)


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """[log]: `programs` gives single programs a level of their own, as in worker = "debug"."""

    format: Literal["plain", "json"] = "plain"
    level: Level = "info"
    programs: dict[Annotated[str, Meta(max_length=32)], Level] = {}

    def fault(self, known: tuple[str, ...]) -> str | None:
        """What is wrong, and what is allowed."""
        for name in self.programs:
            if name not in known:
                return f"log.programs.{name} is no program; allowed are {', '.join(known)}."
        return None

    def level_of(self, program: str) -> int:
        name = self.programs.get(program, self.level)
        return logging.getLevelNamesMapping()[name.upper()]


def begin(settings: Log, program: str, *, verbose: bool = False, plain: str = PLAIN) -> None:
    """Write everything from now on as `settings` say, also what ends a thread or the program."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(program) if settings.format == "json" else _Plain(plain))
    root = logging.getLogger()
    for before in list(root.handlers):
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else settings.level_of(program))
    if settings.format == "json":
        sys.excepthook = _ended
        threading.excepthook = lambda one: _ended(one.exc_type, one.exc_value, one.exc_traceback)


def about(**fields: object) -> None:
    """What every line of this thread, or of this request, says from now on; it replaces what was said."""
    _around.set(fields)


class _Plain(logging.Formatter):
    """One line for each record: what somebody else said in it neither ends the line nor moves the cursor."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        if not record.message.isprintable():
            signs = (one if one.isprintable() else repr(one)[1:-1] for one in record.message)
            record.message = "".join(signs)
        return super().formatMessage(record)


class Lines(logging.Formatter):
    """One JSON object for each record, with the same names everywhere."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": self._program,
            "logger": record.name,
            "message": record.getMessage()[:_MOST_SIGNS],
        }
        beside = (_around.get() or {}) | record.__dict__
        said |= {name: _plain(beside[name]) for name in FIELDS if beside.get(name) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            said["trace"] = self.formatException(record.exc_info)[-_MOST_SIGNS:]
        return json.dumps(said, ensure_ascii=False)


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def _ended(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit | KeyboardInterrupt) or error is None:
        return
    logging.getLogger("program").critical("An error that nobody handled.", exc_info=(kind, error, trace))
