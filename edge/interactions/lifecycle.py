"""The states of a request and the rules for moving between them (DESIGN 5). Pure.

raised -> acknowledged -> attended -> resolved, and cancelled or missed. What is refused changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
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

    @property
    def open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person says 'I am coming'."""

    person: str
    name: str


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
    """The device that raised it takes it back."""


@dataclass(frozen=True, slots=True)
class Miss:
    """The ceiling has passed and nobody has answered."""


@dataclass(frozen=True, slots=True)
class Join:
    """The same device pressed again; a silent press makes a loud request silent from then on."""

    count: int
    topic: str | None
    silent: bool = False


Action = Acknowledge | Attend | Resolve | Cancel | Miss | Join


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


def decide(request: Request, action: Action) -> Change | Noted | Refusal:
    """What an action does to a request. Asking twice for what is already so is Noted without words."""
    match action:
        case Acknowledge():
            return _acknowledge(request, action)
        case Attend():
            return _attend(request, action)
        case Resolve():
            return _resolve(request, action)
        case Cancel():
            return _cancel(request)
        case Miss():
            if request.state is not State.RAISED or request.kind == "security":
                return Noted("")
            return Change(_to(request, State.MISSED), "missed", "Nobody answered in time.")
        case Join():
            return _join(request, action)


def _acknowledge(request: Request, action: Acknowledge) -> Change | Noted | Refusal:
    if request.state is State.RAISED:
        taken = replace(_to(request, State.ACKNOWLEDGED), owner=action.person, owner_name=action.name)
        return Change(taken, "acknowledged", f"{action.name} is coming.", action.person)
    if request.open and request.owner == action.person:
        return Noted("")
    return _taken_or_closed(request)


def _attend(request: Request, action: Attend) -> Change | Noted | Refusal:
    if not request.open:
        return _taken_or_closed(request)
    if action.person is not None and request.owner not in (None, action.person):
        return _taken_or_closed(request)
    if request.state is State.ATTENDED:
        return Noted("")
    if action.person is None:
        # Anyone can press the kiosk's button: it is no answer by a person (DESIGN 5), so paging goes on.
        if request.kind == "security":
            return Noted("'Associate is here' was pressed at the kiosk; this stops nothing.")
        if request.state is State.RAISED:
            return Noted("'Associate is here' was pressed before anyone had accepted.")
        return Change(
            _to(request, State.ATTENDED), "attended", "'Associate is here' was pressed at the kiosk."
        )
    here = replace(_to(request, State.ATTENDED), owner=action.person, owner_name=action.name)
    return Change(here, "attended", f"{action.name} is there.", action.person)


def _resolve(request: Request, action: Resolve) -> Change | Refusal:
    if action.outcome not in OUTCOMES:
        return Refusal(f"The outcome is {action.outcome[:40]!r}; allowed are {', '.join(OUTCOMES)}.")
    if request.state is State.RAISED:
        return Refusal("Accept this request before you close it.")
    if not request.open:
        return _taken_or_closed(request)
    if request.owner != action.person and action.role not in ("supervisor", "manager", "admin"):
        return _taken_or_closed(request)
    return Change(_to(request, State.RESOLVED), "resolved", OUTCOMES[action.outcome] + ".", action.person)


def _cancel(request: Request) -> Change | Noted:
    if request.kind == "security":
        # Whoever threatens the caller could press it.
        return Noted("Cancel was pressed at the kiosk; a security request goes on.")
    if request.state in (State.RAISED, State.ACKNOWLEDGED):
        return Change(_to(request, State.CANCELLED), "cancelled", "Cancelled at the kiosk.")
    if request.state is State.ATTENDED:
        return Noted("Cancel was pressed after someone had arrived.")
    return Noted("")


def _join(request: Request, action: Join) -> Change:
    again = replace(
        request,
        count=min(request.count + action.count, 1_000_000_000),
        revision=request.revision + 1,
        silent=request.silent or action.silent,
    )
    times = "once more" if action.count == 1 else f"{action.count} more times"
    about = f" ({action.topic.replace('-', ' ')})" if action.topic and action.topic != request.topic else ""
    return Change(again, "pressed_again", f"Pressed {times}{about}.")


def _to(request: Request, state: State) -> Request:
    return replace(request, state=state, revision=request.revision + 1)


def _taken_or_closed(request: Request) -> Refusal:
    match request.state:
        case State.ACKNOWLEDGED:
            return Refusal(f"{request.owner_name} is already coming.", request.owner_name)
        case State.ATTENDED:
            return Refusal(f"{request.owner_name or 'Somebody'} is already there.", request.owner_name)
        case State.RESOLVED:
            who = f" by {request.owner_name}" if request.owner_name else ""
            return Refusal(f"This request was already closed{who}.", request.owner_name)
        case State.CANCELLED:
            return Refusal("The shopper has cancelled this request.")
        case State.MISSED:
            return Refusal("This request was closed as missed: nobody answered in time.")
        case _:
            return Refusal("Nobody has accepted this request yet.")
