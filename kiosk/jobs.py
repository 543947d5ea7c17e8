"""What the storing thread is asked to do, and what it reports."""

import threading
from dataclasses import dataclass
from uuid import UUID

from broker.events import HelpRequested
from broker.messages import Receipt
from kiosk.clock import Stamp
from kiosk.outbox import NewEvent, OpenEvent


@dataclass(frozen=True)
class Save:
    event: NewEvent


@dataclass(frozen=True)
class Count:
    """Presses of an open request that wait to be sent."""

    request: UUID
    content: HelpRequested
    stamp: Stamp


@dataclass(frozen=True)
class Receive:
    receipt: Receipt


@dataclass(frozen=True)
class ReplayFrom:
    outbox: UUID
    seq: int


@dataclass(frozen=True)
class Refill:
    """The courier has room for more open events."""


@dataclass(frozen=True)
class Flush:
    """Set `done` once everything before it was dealt with."""

    done: threading.Event


Job = Save | Count | Receive | ReplayFrom | Refill | Flush


@dataclass(frozen=True)
class Saved:
    """On disk, after the commit. `first` unless it was held in memory before."""

    event: OpenEvent
    first: bool = True


@dataclass(frozen=True)
class NotSaved:
    """Held in memory and to be sent all the same."""

    event: OpenEvent


@dataclass(frozen=True)
class Refilled:
    """Open events from the disk; `more` when it holds others."""

    events: list[OpenEvent]
    more: bool


Report = Saved | NotSaved | Refilled
