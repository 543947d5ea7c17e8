"""What to send now. Pure: the open events, what is already on its way, the link and the time decide.

Security goes first and never waits for room. Fresh requests have room of their own. The rest shares a
window that halves when receipts stay away, so that sending again never multiplies a backlog.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol
from uuid import UUID

WINDOW = 32
FRESH_ROOM = 8
FRESH_S = 60.0
PROBE_S = 10.0
RESEND_S = (1.0, 2.0, 4.0, 8.0, 10.0)
# What an overflowing queue lost must page within 5 s of the moment it could.
SECURITY_RESEND_S = (1.0, 2.0, 4.0)
_FRESH_KINDS = frozenset({"help", "cancel", "attend"})


class Link(StrEnum):
    """DOWN: no broker. HELD: a broker, but no server behind it. OPEN: the server is there."""

    DOWN = "down"
    HELD = "held"
    OPEN = "open"


class Waiting(Protocol):
    """What is needed of an open event."""

    @property
    def id(self) -> UUID: ...

    @property
    def kind(self) -> str: ...

    @property
    def seq(self) -> int | None: ...

    @property
    def made_s(self) -> float | None: ...


@dataclass(frozen=True)
class _Try:
    """`number` sendings so far, the last at `sent_s`; until `again_s` it counts as on its way."""

    number: int
    sent_s: float
    again_s: float
    security: bool
    fresh: bool
    missed: bool = False


class Flight:
    """The table of what is on its way, and the window. The caller tells what was sent and answered."""

    def __init__(self) -> None:
        self.window = WINDOW
        self._tries: dict[UUID, _Try] = {}
        self._link = Link.DOWN
        self._probe_s = float("-inf")
        self._receipt_s = float("-inf")
        self._shrunk_s = float("-inf")

    def link(self, link: Link, *, anew: bool = False) -> None:
        """The link is now so; `anew` when it is another connection, on which nothing is on its way."""
        if anew:
            self._tries.clear()
        elif link is Link.OPEN and self._link is Link.HELD:
            # What was sent to nobody need not wait for its turn; security may have been sent this moment.
            self._tries = {event_id: _soon(t) for event_id, t in self._tries.items() if t.security}
        if link is Link.OPEN and self._link is not Link.OPEN:
            self.window = max(self.window, FRESH_ROOM)
        self._link = link

    def sent(self, event: Waiting, now_s: float) -> None:
        """The event was handed to the connection."""
        before = self._tries.get(event.id)
        number = 1 if before is None else before.number + 1
        security = event.kind == "security"
        waits = SECURITY_RESEND_S if security else RESEND_S
        again_s = now_s + waits[min(number, len(waits)) - 1]
        self._tries[event.id] = _Try(number, now_s, again_s, security, _is_fresh(event, now_s))
        if self._link is Link.HELD and not security:
            self._probe_s = now_s + PROBE_S

    def answered(self, ids: Iterable[UUID], now_s: float) -> None:
        """These were receipted or refused."""
        for event_id in ids:
            self._tries.pop(event_id, None)
            self.window = min(WINDOW, self.window + 1)
            self._receipt_s = now_s

    def forget(self, ids: Iterable[UUID]) -> None:
        """These are no longer looked after here."""
        for event_id in ids:
            self._tries.pop(event_id, None)

    def on_their_way(self, now_s: float) -> int:
        """How many events, other than security, were sent and may still be answered."""
        return sum(1 for t in self._tries.values() if t.again_s > now_s and not t.security)

    def due(self, events: Iterable[Waiting], now_s: float) -> list[Waiting]:
        """What to send now, in this order."""
        if self._link is Link.DOWN:
            return []
        self._shrink(now_s)
        security: list[Waiting] = []
        fresh: list[Waiting] = []
        backlog: list[Waiting] = []
        for event in events:
            if (tried := self._tries.get(event.id)) is not None and tried.again_s > now_s:
                continue
            if event.kind == "security":
                security.append(event)
            elif _is_fresh(event, now_s):
                fresh.append(event)
            else:
                backlog.append(event)
        security.sort(key=self._order)
        fresh.sort(key=lambda event: -(event.made_s or 0.0))
        # The least tried first: one that never gets an answer must not hold up those behind it.
        backlog.sort(key=self._order)
        if self._link is Link.HELD:
            rest = (fresh + backlog)[:1] if now_s >= self._probe_s else []
            return security[:WINDOW] + rest
        total, fresh_sent = self.on_their_way(now_s), self._fresh_on_their_way(now_s)
        fresh_room = max(0, min(WINDOW - total, max(self.window, FRESH_ROOM) - fresh_sent))
        chosen = fresh[:fresh_room]
        total += len(chosen)
        backlog_room = max(0, min(self.window, WINDOW - FRESH_ROOM) - total)
        return security[:WINDOW] + chosen + backlog[:backlog_room]

    def next_s(self, anything_waits: bool, now_s: float) -> float | None:
        """When due() may have something new to say without anything else happening."""
        if self._link is Link.DOWN:
            return None
        tries = [t for t in self._tries.values() if self._link is Link.OPEN or t.security]
        times = [t.again_s for t in tries if t.again_s > now_s]
        if self._link is Link.HELD and anything_waits and self._probe_s > now_s:
            times.append(self._probe_s)
        return min(times, default=None)

    def _order(self, event: Waiting) -> tuple[int, bool, float, int]:
        tried = self._tries.get(event.id)
        made_s = event.made_s
        return (tried.number if tried else 0, made_s is not None, made_s or 0.0, event.seq or 0)

    def _fresh_on_their_way(self, now_s: float) -> int:
        return sum(1 for t in self._tries.values() if t.again_s > now_s and t.fresh and not t.security)

    def _shrink(self, now_s: float) -> None:
        """Halve the window, at most once a second, when an answer is overdue and none came meanwhile."""
        overdue = False
        for event_id, tried in list(self._tries.items()):
            if not tried.missed and tried.again_s <= now_s:
                overdue = overdue or tried.sent_s >= self._receipt_s
                self._tries[event_id] = _Try(
                    tried.number, tried.sent_s, tried.again_s, tried.security, tried.fresh, True
                )
        if overdue and now_s - self._shrunk_s >= 1.0:
            self.window = max(1, self.window // 2)
            self._shrunk_s = now_s


def _soon(tried: _Try) -> _Try:
    return replace(tried, again_s=min(tried.again_s, tried.sent_s + SECURITY_RESEND_S[0]))


def _is_fresh(event: Waiting, now_s: float) -> bool:
    return event.kind in _FRESH_KINDS and event.made_s is not None and now_s - event.made_s < FRESH_S
