"""What a kiosk tells the shopper: the state that its lamp shows and the sentence beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What the kiosk knows. The lamp has one pattern for each."""

    IDLE = "idle"
    PRESSED = "pressed"
    SAVED = "saved"
    SENT = "sent"
    SEEN = "seen"
    ON_THE_WAY = "on_the_way"
    HERE = "here"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    MISSED = "missed"
    UNREACHABLE = "unreachable"
    NOT_SAVED = "not_saved"


@dataclass(frozen=True)
class Display:
    """What the shopper is told now: kiosk.texts has the sentence for `text`.

    `since_s` is when the state began (monotonic seconds); `news` rises each time something new is said.
    """

    state: State
    text: str
    args: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    reference: str | None = None
    since_s: float = 0.0
    news: int = 0
