"""A request, its states, and what can be done to it; the rules that decide are in lifecycle.py. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    # A greeting or a drawer for which nobody is called, or not yet; and of which, after a restore from a
    # backup, nothing is known but that it was.
    RECORDED = "recorded"
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ATTENDED = "attended"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    MISSED = "missed"


OPEN = frozenset({State.RAISED, State.ACKNOWLEDGED, State.ATTENDED})

# No closing without an outcome (PRODUCT 19).
OUTCOMES: dict[str, str] = {
    "helped": "Helped",
    "referred": "Sent to the right place",
    "not-available": "We could not provide it",
    "gone": "Nobody was there",
    "false-alarm": "False alarm",
    "handled": "Handled",
}
# What a greeting ends with that somebody took: that they went, for more is not known.
GREETED = "greeted"
LOOKED = "looked"
ENDINGS = OUTCOMES | {GREETED: "Went to greet", LOOKED: "Looked"}
# What nobody at the device has asked for, and one tap ends: somebody who was not greeted, a drawer that stays
# open, movement where nobody should be. The device hears nothing of it.
ONE_TAP = frozenset({"greet", "drawer", "watch"})
# The reason of a page to whoever has a request and is not known to have arrived.
ARRIVED = "Are you there?"


@dataclass(frozen=True, slots=True)
class Request:
    """An open or closed request, as the rules see it. Times are aware UTC."""

    id: str
    store: str
    device: str
    zone: str
    kind: str
    topic: str | None
    language: str | None
    state: State
    count: int
    revision: int
    step: int
    round: int
    silent: bool
    drill: bool
    raised_at: datetime
    age_known: bool
    owner: str | None = None
    owner_name: str | None = None
    acknowledged_at: datetime | None = None
    # Whom the owner has asked to take over; until they accept, the owner stays responsible.
    handover_to: str | None = None
    handover_at: datetime | None = None
    attended_at: datetime | None = None
    outcome: str | None = None
    # Who called from a phone, where no device did: nobody but them waits for it.
    raised_by: str | None = None
    # Who held the pager that raised it, when its press came in.
    held_by: str | None = None
    # When people were first called for it, where that was not at once.
    called_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def begun_at(self) -> datetime:
        """From when the seconds of its escalation policy count."""
        return self.called_at or self.raised_at


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person says 'I am coming'. `beside`: they were called while somebody else has it.

    `unheard`: whoever has it was asked whether they are there, and has not answered.
    """

    person: str
    name: str
    beside: bool = False
    unheard: bool = False


@dataclass(frozen=True, slots=True)
class Attend:
    """Somebody is there: the owner's own word, a known badge, or only the kiosk's button (person is None)."""

    person: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Resolve:
    person: str
    role: str
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """The device, or the person, that raised it takes it back. `proven`: they have just typed their PIN."""

    person: str | None = None
    name: str | None = None
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Miss:
    """The ceiling has passed and nobody has answered."""


@dataclass(frozen=True, slots=True)
class Join:
    """The same device pressed again; a silent press makes a loud request silent from then on."""

    count: int
    topic: str | None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Decline:
    """A person who was called cannot come. It is written down and counts against nobody."""

    person: str
    name: str
    reason: str
    beside: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """The owner asks a colleague to take over, and stays responsible until they have accepted."""

    person: str
    name: str
    to: str
    to_name: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The owner keeps the request after all."""

    person: str
    name: str


@dataclass(frozen=True, slots=True)
class LetLapse:
    """The colleague who was asked has not answered; the owner stays."""

    name: str


@dataclass(frozen=True, slots=True)
class CallOut:
    """Nobody has answered a greeting, or closed a drawer, for so long that somebody is called."""


@dataclass(frozen=True, slots=True)
class GiveWay:
    """It is needless, for what happened at its device since, which `words` say."""

    words: str


Action = (
    Acknowledge
    | Attend
    | Resolve
    | Cancel
    | Miss
    | Join
    | Decline
    | HandOver
    | TakeBack
    | LetLapse
    | CallOut
    | GiveWay
)

DECLINE_REASONS: dict[str, str] = {
    "with-shopper": "With a shopper",
    "too-far": "Too far away",
    "not-mine": "Somebody else knows it better",
    "other": "Cannot come now",
}


@dataclass(frozen=True, slots=True)
class Change:
    """The request afterwards, and the timeline's word and sentence for it."""

    request: Request
    what: str
    words: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Nothing changes; the timeline keeps what was tried, if there are words for it."""

    words: str


@dataclass(frozen=True, slots=True)
class Refusal:
    sentence: str
    holder: str | None = None
