"""Drills that the store asks for: a press of nobody, which goes the way of a real one. Pure.

It stands apart from the shopper's request: a real press meanwhile is a real one and is shown as always. A
security drill is shown as little as a security request: not at all.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from broker.events import Attended, Content, HelpRequested, SecurityRequested
from broker.messages import OPEN_CALL_STATES, Call, CallState, Drill

# What a screen says while a help drill runs, for so long at most without a word from the store.
NOTE = "drill.note"
NOTE_S = 30.0
_REMEMBERED = 16


@dataclass(frozen=True)
class Press:
    """An event of a drill, to be stored and sent."""

    id: UUID
    content: Content


class Drilling:
    """Takes what happened and when (monotonic seconds), and returns what to store."""

    def __init__(self, topic: str, language: str, new_id: Callable[[], UUID]) -> None:
        """`topic` and `language` are those of the press; `new_id` makes the ids of the other events."""
        self._topic, self._language, self._new_id = topic, language, new_id
        # The drills that were pressed for, and those whose answer was heard; newest last.
        self._pressed: OrderedDict[UUID, None] = OrderedDict()
        self._heard: OrderedDict[UUID, None] = OrderedDict()
        self._shown: tuple[UUID, float] | None = None

    @property
    def note(self) -> str | None:
        """The key of what stands beside an idle kiosk's sentence."""
        return None if self._shown is None else NOTE

    def asked(self, command: Drill, now_s: float) -> list[Press]:
        """The store asks for a drill. The same command again, as QoS 1 allows, presses nothing."""
        request = command.request or self._new_id()
        if request in self._pressed:
            return []
        _remember(self._pressed, request)
        if command.kind == "security":
            return [Press(request, SecurityRequested("hold"))]
        self._shown = request, now_s + NOTE_S
        return [Press(request, HelpRequested(self._topic, self._language))]

    def call(self, call: Call, now_s: float) -> list[Press]:
        """The store's word about a drill. That somebody acknowledged is answered once."""
        if self._shown is not None and self._shown[0] == call.request:
            going = call.state in OPEN_CALL_STATES
            self._shown = (call.request, now_s + min(NOTE_S, call.valid_s)) if going else None
        if call.state is not CallState.ACKNOWLEDGED or call.request in self._heard:
            return []
        _remember(self._heard, call.request)
        return [Press(self._new_id(), Attended(call.request))]

    def tick(self, now_s: float) -> None:
        if self._shown is not None and now_s >= self._shown[1]:
            self._shown = None

    def due_at(self) -> float | None:
        return None if self._shown is None else self._shown[1]


def _remember(where: OrderedDict[UUID, None], request: UUID) -> None:
    where[request] = None
    if len(where) > _REMEMBERED:
        where.popitem(last=False)
