"""What a kiosk does about its security requests besides sending them: a pulse for the caller, a relay. Pure.

Nothing of it reaches a display, the lamp or the buzzer. The relay is for a store that cannot be reached: a
siren or a strobe light then calls whoever is near. Once on it stays on for its time; an answer ends it.
"""

from typing import Literal
from uuid import UUID

from broker.messages import Call, CallState
from kiosk.config import Security

Output = Literal["relay", "pulse"]
# Without a receipt for so long the store has not been reached, whatever the connection says.
UNHEARD_S = 5.0
PULSE_S = 0.15
_ANSWERED = (CallState.ACKNOWLEDGED, CallState.ATTENDED)


class Guard:
    """Takes what happened and when (monotonic seconds); `driven` says what is to be on."""

    def __init__(self, security: Security) -> None:
        self._security = security
        self._reachable = True
        # When each was made that no receipt has come for; None once the relay was driven for it.
        self._unheard: dict[UUID, float | None] = {}
        self._raised: set[UUID] = set()
        self._answered: set[UUID] = set()
        self._relay_until_s: float | None = None
        self._pulses: list[tuple[float, float]] = []

    def raised(self, request: UUID, now_s: float) -> None:
        """A security request was made here."""
        self._raised.add(request)
        self._unheard[request] = now_s
        if not self._reachable or self._security.relay_when == "always":
            self._give_up([request], now_s)

    def link(self, reachable: bool, now_s: float) -> None:
        """Whether the store answers at all."""
        self._reachable = reachable
        if not reachable:
            self._give_up([request for request, at_s in self._unheard.items() if at_s is not None], now_s)

    def receipted(self, event: UUID, now_s: float) -> None:
        """The store has it: one pulse."""
        if event in self._unheard:
            del self._unheard[event]
            self._pulse(1, now_s)

    def refused(self, event: UUID, now_s: float) -> None:
        """The store has set it aside for good: nobody will come of it."""
        if event in self._unheard:
            del self._unheard[event]
            self._sound(now_s)

    def call(self, call: Call, now_s: float) -> None:
        """The store's word about a request: at the first answer of a person two pulses."""
        request = call.joined_to or call.request
        known = {request, call.request} & self._raised
        if known and call.state in _ANSWERED and request not in self._answered:
            self._answered.add(request)
            self._relay_until_s = None
            self._pulse(2, now_s)

    @property
    def waits(self) -> bool:
        """Whether a request was made that may still reach the store in time."""
        return any(at_s is not None for at_s in self._unheard.values())

    def driven(self, now_s: float) -> dict[Output, bool]:
        """What is to be on now."""
        return {"relay": self._relay(now_s), "pulse": self._pulses_now(now_s)}

    def _relay(self, now_s: float) -> bool:
        return self._relay_until_s is not None and now_s < self._relay_until_s

    def _pulses_now(self, now_s: float) -> bool:
        return any(on_s <= now_s < off_s for on_s, off_s in self._pulses)

    def tick(self, now_s: float) -> None:
        """Whatever has become due."""
        waits = [(request, at_s) for request, at_s in self._unheard.items() if at_s is not None]
        self._give_up([request for request, at_s in waits if now_s >= at_s + UNHEARD_S], now_s)
        self._pulses = [pulse for pulse in self._pulses if pulse[1] > now_s]
        if self._relay_until_s is not None and now_s >= self._relay_until_s:
            self._relay_until_s = None

    def due_at(self, now_s: float) -> float | None:
        """When something changes by itself at the latest."""
        times = [at_s + UNHEARD_S for at_s in self._unheard.values() if at_s is not None]
        times += [at_s for pulse in self._pulses for at_s in pulse if at_s > now_s]
        times += [] if self._relay_until_s is None else [self._relay_until_s]
        return min(times, default=None)

    def _give_up(self, requests: list[UUID], now_s: float) -> None:
        """Call whoever is near; a receipt may still come."""
        for request in requests:
            self._unheard[request] = None
            self._sound(now_s)

    def _sound(self, now_s: float) -> None:
        self._relay_until_s = now_s + self._security.relay_s

    def _pulse(self, count: int, now_s: float) -> None:
        begin_s = max([now_s, *(off_s + 2 * PULSE_S for _, off_s in self._pulses)])
        for index in range(count):
            on_s = begin_s + 2 * PULSE_S * index
            self._pulses.append((on_s, on_s + PULSE_S))
