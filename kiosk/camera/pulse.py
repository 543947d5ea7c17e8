"""Whether a camera's pictures come as they should. Pure: times and looks in, a state out."""

from collections import deque
from dataclasses import dataclass

from kiosk.camera.source import CameraState

SILENT_S = 5.0
SPAN_S = 10.0
BLACK_LIGHT = 20.0  # of 255; black is 16 in limited range, and a dark shop at night gives 25 and more
SAME_LOOKS = 3


@dataclass(frozen=True)
class Look:
    """One picture: its mean brightness, 0 to 255, and a number that is the same for the same pixels."""

    light: float
    print: int


class Pulse:
    """Of one opened stream. A camera that promises no rate cannot be slow."""

    def __init__(self, frame_rate: float, opened_s: float) -> None:
        self._rate = frame_rate
        self._opened_s = opened_s
        self._came: deque[float] = deque()
        self._last_s: float | None = None
        self._looks: deque[Look] = deque(maxlen=SAME_LOOKS)

    def came(self, now_s: float) -> None:
        self._last_s = now_s
        self._came.append(now_s)
        while self._came[0] < now_s - SPAN_S:
            self._came.popleft()

    def looked(self, look: Look) -> None:
        """A picture was looked at; some seconds lie between two."""
        self._looks.append(look)

    def state(self, now_s: float) -> CameraState:
        if self._last_s is None:
            late = now_s - self._opened_s > SILENT_S
            return CameraState.FROZEN if late else CameraState.STARTING
        if now_s - self._last_s > SILENT_S:
            return CameraState.FROZEN
        if self._looks and self._looks[-1].light < BLACK_LIGHT:
            return CameraState.BLACK
        if len(self._looks) == SAME_LOOKS and len({look.print for look in self._looks}) == 1:
            # The noise of a live sensor never gives the same pixels twice.
            return CameraState.FROZEN
        # A second's slack: the first pictures of a stream may come late.
        span_s = min(SPAN_S, now_s - self._opened_s - 1.0)
        if span_s >= SPAN_S / 2:
            recent = sum(1 for at_s in self._came if at_s > now_s - span_s)
            if recent < self._rate * span_s / 2:
                return CameraState.SLOW
        return CameraState.OK
