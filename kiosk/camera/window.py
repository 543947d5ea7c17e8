"""Which footage is kept for what happened. Pure: seconds of the monotonic clock in, windows out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

Kind = Literal["security", "help", "capture"]


@dataclass(frozen=True)
class Trigger:
    """Something happened at `at_s`; `cause` is the id of its event."""

    cause: UUID
    kind: Kind
    at_s: float


@dataclass(frozen=True)
class Reach:
    """How far footage reaches around a trigger, and the longest that one clip may become."""

    pre_s: float
    post_s: float
    longest_s: float


@dataclass(frozen=True)
class Window:
    """What one clip is to hold, from `start_s` to `end_s`, for `triggers`, the first one first."""

    triggers: tuple[Trigger, ...]
    start_s: float
    end_s: float

    @property
    def causes(self) -> tuple[UUID, ...]:
        return tuple(trigger.cause for trigger in self.triggers)

    @property
    def spared(self) -> bool:
        """Whether a full card must not cost this clip: everything but a plain help request."""
        return any(trigger.kind != "help" for trigger in self.triggers)


MAX_CAUSES = 64  # the manifest's


def window_of(trigger: Trigger, reach: Reach) -> Window:
    """The window of a trigger on its own."""
    return Window((trigger,), trigger.at_s - reach.pre_s, trigger.at_s + reach.post_s)


def joined(window: Window, trigger: Trigger, reach: Reach, now_s: float) -> Window | None:
    """The window that also holds what `trigger` asks for; None if it needs a clip of its own.

    It does when the window has ended, when the clip would become longer than the longest, or when it asks
    for what came before the window's start.
    """
    if trigger.cause in window.causes:
        return window
    alone = window_of(trigger, reach)
    end_s = max(window.end_s, alone.end_s)
    ended = now_s >= window.end_s or trigger.at_s >= window.end_s
    too_long = end_s - window.start_s > reach.longest_s
    if ended or too_long or alone.start_s < window.start_s or len(window.triggers) >= MAX_CAUSES:
        return None
    return replace(window, triggers=(*window.triggers, trigger), end_s=end_s)


def place(
    windows: Iterable[Window], trigger: Trigger, reach: Reach, now_s: float
) -> tuple[Window | None, Window]:
    """(the open window that gives way, or None; the window that the trigger's footage goes into)."""
    for window in windows:
        if (new := joined(window, trigger, reach, now_s)) is not None:
            return window, new
    return None, window_of(trigger, reach)
