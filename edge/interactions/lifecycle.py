"""The rules for moving a request between its states (DESIGN 5). Pure.

raised -> acknowledged -> attended -> resolved, and cancelled or missed. What is refused changes nothing.
A greeting is recorded, raised only if nobody has answered it for a while, and over with one tap; so is a
drawer that stays open, and movement in a watched zone.
"""

from dataclasses import dataclass, replace

from edge.interactions.request import (
    DECLINE_REASONS,
    ONE_TAP,
    OPEN,
    OUTCOMES,
    Acknowledge,
    Action,
    Attend,
    CallOut,
    Cancel,
    Change,
    Decline,
    GiveWay,
    HandOver,
    Join,
    LetLapse,
    Miss,
    Noted,
    Refusal,
    Request,
    Resolve,
    State,
    TakeBack,
)


@dataclass(frozen=True, slots=True)
class OneTap:
    """How what one tap ends is told of."""

    what: str
    called: str
    does: str
    missed: str


_LOOKS = ("looks", "Nobody has said that they looked.")
SAID = {
    "greet": OneTap(
        "not_greeted",
        "As far as is known, nobody has greeted them.",
        "greets them",
        "Nobody has said that they greeted them.",
    ),
    "drawer": OneTap("stays_open", "The drawer is still open.", *_LOOKS),
    "watch": OneTap("moved", "Somebody moves there.", *_LOOKS),
}


def decide(request: Request, action: Action) -> Change | Noted | Refusal:
    """What an action does to a request. Asking twice for what is already so is Noted without words."""
    if request.kind in ONE_TAP and (looked := _one_tap(request, action)) is not None:
        return looked
    if isinstance(action, Acknowledge | Attend) and action.person and action.person == request.raised_by:
        return Refusal("This is your own call; take it back if you need nobody any more.")
    match action:
        case Acknowledge():
            return _acknowledge(request, action)
        case Attend():
            return _attend(request, action)
        case Resolve():
            return _resolve(request, action)
        case Cancel():
            return _cancel(request, action)
        case Miss():
            if request.state is not State.RAISED or request.kind == "security":
                return Noted("")
            return Change(_to(request, State.MISSED), "missed", "Nobody answered in time.")
        case Join():
            return _join(request, action)
        case Decline():
            return _decline(request, action)
        case HandOver():
            return _hand_over(request, action)
        case TakeBack():
            if request.owner != action.person or not request.open:
                return _taken_or_closed(request)
            if request.handover_to is None:
                return Noted("")
            return Change(_kept(request), "taken_back", f"{action.name} keeps it.", action.person)
        case LetLapse():
            if request.handover_to is None or not request.open:
                return Noted("")
            words = f"{action.name} did not answer; {request.owner_name} stays responsible."
            return Change(_kept(request), "handover_lapsed", words, request.handover_to)
        case CallOut() | GiveWay():
            return Noted("")


def _one_tap(request: Request, action: Action) -> Change | Noted | None:
    """What is different for a greeting and the like that is not over; None for what is as with any other
    request."""
    said = SAID[request.kind]
    if request.state not in (State.RECORDED, State.RAISED):
        again = isinstance(action, Acknowledge | Attend) and action.person in (None, request.owner)
        looking = isinstance(action, Cancel) and action.person is None
        return Noted("") if again or looking else None
    if request.kind != "greet" and isinstance(action, Cancel | Attend) and action.person is None:
        # Whoever should not be there can press it too.
        return Noted("A button was pressed at the kiosk; this ends nothing.")
    match action:
        case CallOut() if request.state is State.RECORDED:
            return Change(_to(request, State.RAISED), said.what, said.called)
        case Acknowledge(person, name):
            # One tap: that somebody goes is all that is asked for, and all that is known.
            gone = replace(_to(request, State.RESOLVED), owner=person, owner_name=name)
            return Change(gone, "acknowledged", f"{name} {said.does}.", person)
        case Attend(person, name):
            there = replace(_to(request, State.RESOLVED), owner=person, owner_name=name)
            words = f"{name} is there." if name else "'Associate is here' was pressed at the kiosk."
            return Change(there, "attended", words, person)
        case Cancel(person=None):
            return Change(_to(request, State.CANCELLED), "cancelled", "'Just looking' was said at the kiosk.")
        case GiveWay(words) if request.state is State.RAISED:
            return Change(_to(request, State.CANCELLED), "cancelled", words)
        case GiveWay(words):
            return Noted(words)
        case Miss() if request.state is State.RAISED:
            return Change(_to(request, State.MISSED), "missed", said.missed)
        case _:
            return None


def _acknowledge(request: Request, action: Acknowledge) -> Change | Noted | Refusal:
    if request.state is State.RAISED:
        taken = replace(_to(request, State.ACKNOWLEDGED), owner=action.person, owner_name=action.name)
        return Change(taken, "acknowledged", f"{action.name} is coming.", action.person)
    if request.open and request.owner == action.person:
        if not action.unheard:
            return Noted("")
        return Change(_again(request), "still_coming", f"{action.name} is still coming.", action.person)
    if request.open and request.handover_to == action.person:
        # On the way, not there, whatever the first owner was: the kiosk says nothing that is not known.
        taken = replace(_kept(request), state=State.ACKNOWLEDGED, owner=action.person, owner_name=action.name)
        return Change(
            taken, "handed_over", f"{action.name} takes over from {request.owner_name}.", action.person
        )
    if request.open and action.beside and action.unheard:
        taken = replace(_kept(request), owner=action.person, owner_name=action.name)
        words = f"{action.name} takes over from {request.owner_name}, who did not answer."
        return Change(taken, "taken_over", words, action.person)
    if request.open and action.beside:
        return Change(_again(request), "joined", f"{action.name} comes too.", action.person)
    return _taken_or_closed(request)


def _decline(request: Request, action: Decline) -> Change | Refusal:
    why = DECLINE_REASONS.get(action.reason)
    if why is None:
        return Refusal(f"The reason is {action.reason[:40]!r}; allowed are {', '.join(DECLINE_REASONS)}.")
    if request.open and request.owner == action.person:
        return Refusal("This request is yours; hand it over instead.", request.owner_name)
    words = f"{action.name} cannot come: {why[0].lower()}{why[1:]}."
    if request.open and request.handover_to == action.person:
        return Change(_kept(request), "handover_declined", words, action.person)
    if request.state is State.RAISED:
        return Change(_again(request), "declined", words, action.person)
    if request.open and action.beside:
        return Change(_again(request), "not_coming", words, action.person)
    return _taken_or_closed(request)


def _hand_over(request: Request, action: HandOver) -> Change | Noted | Refusal:
    if not request.open or request.owner != action.person:
        return _taken_or_closed(request)
    if action.to == action.person:
        return Refusal("Choose a colleague to hand this over to.")
    if action.to == request.raised_by:
        return Refusal(f"{action.to_name} is the one who called; choose somebody else.")
    if request.handover_to == action.to:
        return Noted("")
    if request.handover_to is not None:
        return Refusal("A colleague has been asked already; take it back before you ask another.")
    asked = replace(
        request,
        handover_to=action.to,
        handover_at=action.at,
        # The colleague's page is one of a round of its own.
        round=request.round + 1,
        revision=request.revision + 1,
    )
    words = f"{action.name} asks {action.to_name} to take over and stays responsible until then."
    if action.note:
        words += f" “{action.note}”"
    return Change(asked, "handover_asked", words, action.person)


def _again(request: Request) -> Request:
    """The same, and something to be told of it."""
    return replace(request, revision=request.revision + 1)


def _kept(request: Request) -> Request:
    return replace(request, handover_to=None, handover_at=None, revision=request.revision + 1)


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


def _resolve(request: Request, action: Resolve) -> Change | Noted | Refusal:
    if action.outcome not in OUTCOMES:
        return Refusal(f"The outcome is {action.outcome[:40]!r}; allowed are {', '.join(OUTCOMES)}.")
    if request.state is State.RAISED:
        return Refusal("Accept this request before you close it.")
    if not request.open:
        # The same tap again, by a phone that has not heard the answer.
        same = request.owner == action.person and request.outcome == action.outcome
        return Noted("") if same else _taken_or_closed(request)
    if request.owner != action.person and action.role not in ("supervisor", "manager", "admin"):
        return _taken_or_closed(request)
    return Change(_to(request, State.RESOLVED), "resolved", OUTCOMES[action.outcome] + ".", action.person)


def _cancel(request: Request, action: Cancel) -> Change | Noted | Refusal:
    if action.person is not None:
        if request.raised_by != action.person or request.state not in (State.RAISED, State.ACKNOWLEDGED):
            return _taken_or_closed(request)
        if request.kind == "security" and not action.proven:
            # Whoever threatens the caller could have the phone in their hand.
            return Refusal("A security call is taken back with its caller's own PIN only.")
        words = f"{action.name} needs nobody any more."
        return Change(_to(request, State.CANCELLED), "cancelled", words, action.person)
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
    moved = replace(request, state=state, revision=request.revision + 1)
    return moved if state in OPEN else replace(moved, handover_to=None, handover_at=None)


def _taken_or_closed(request: Request) -> Refusal:
    if request.kind in ONE_TAP and not request.open:
        greets, who = request.kind == "greet", request.owner_name
        if request.state is State.RESOLVED and who:
            return Refusal(f"{who} greets them already." if greets else f"{who} looks already.", who)
        if greets:
            return Refusal("Nobody is needed to greet them any more.")
        return Refusal("Nobody is needed to look any more.")
    match request.state:
        case State.ACKNOWLEDGED:
            return Refusal(f"{request.owner_name} is already coming.", request.owner_name)
        case State.ATTENDED:
            return Refusal(f"{request.owner_name or 'Somebody'} is already there.", request.owner_name)
        case State.RESOLVED:
            who = f" by {request.owner_name}" if request.owner_name else ""
            return Refusal(f"This request was already closed{who}.", request.owner_name)
        case State.CANCELLED:
            return Refusal("This request was taken back; nobody is needed any more.")
        case State.MISSED:
            return Refusal("This request was closed as missed: nobody answered in time.")
        case _:
            return Refusal("Nobody has accepted this request yet.")
