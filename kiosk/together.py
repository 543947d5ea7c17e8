"""Two buttons held together: a security request from buttons that look like any others. Pure.

Each of the two waits a moment before it counts for itself, so that whoever holds both raises nothing else.
"""

from kiosk.buttons import ButtonEvent, Happening

# No button may be called so.
NAME = "(together)"
# A hand that means both has both down within this; a press of one alone counts so much later, or once it
# is released.
WITHIN_S = 0.2


class Together:
    """What the two buttons did goes in, what it means comes out: their own happenings, or HELD under NAME."""

    def __init__(self, pair: frozenset[str], hold_s: float) -> None:
        self._pair = pair
        self._hold_s = hold_s
        self._waiting: dict[str, ButtonEvent] = {}
        # Those whose press was one of a request's: their release means nothing.
        self._spent: set[str] = set()

    def hear(self, event: ButtonEvent) -> list[ButtonEvent]:
        """Events in the order of their times; what concerns neither button passes."""
        if event.name not in self._pair:
            return [event]
        happened = self.look(event.at_s)
        if event.what is Happening.PRESSED:
            self._waiting[event.name] = event
            return happened
        if event.what is Happening.RELEASED and event.name in self._spent:
            self._spent.discard(event.name)
            return happened
        if event.what is Happening.RECOVERED:
            self._spent.discard(event.name)
        return [*happened, *self._count(), event]

    def due_at(self) -> float | None:
        """When look() has something to find out."""
        if not self._waiting:
            return None
        newest_s = max(event.at_s for event in self._waiting.values())
        return newest_s + (self._hold_s if len(self._waiting) == 2 else WITHIN_S)

    def look(self, now_s: float) -> list[ButtonEvent]:
        """What has come of age at `now_s`."""
        due_s = self.due_at()
        if due_s is None or now_s < due_s:
            return []
        if len(self._waiting) < 2:
            return self._count()
        self._waiting.clear()
        self._spent = set(self._pair)
        return [ButtonEvent(NAME, Happening.HELD, due_s)]

    def _count(self) -> list[ButtonEvent]:
        """The presses that waited count for themselves after all, at their own times."""
        waited = sorted(self._waiting.values(), key=lambda event: event.at_s)
        self._waiting.clear()
        return waited
