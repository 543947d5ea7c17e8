"""What a hardware pager shows: one short line for each page, and for its end. Pure.

Of a silent request it says neither security nor by which gesture: whoever threatens the caller may read it.
"""

from typing import Literal

from broker.pages import MAX_TEXT
from edge.interactions.request import ARRIVED, ONE_TAP, Request, State

Why = Literal["acknowledged", "attended", "resolved", "cancelled", "missed", "withdrawn"]
NOWHERE = "place not known"
_WHY: dict[State, Why] = {
    State.ACKNOWLEDGED: "acknowledged",
    State.ATTENDED: "attended",
    State.RESOLVED: "resolved",
    State.CANCELLED: "cancelled",
    State.MISSED: "missed",
}
_KINDS = {"security": "Security", "greet": "Not greeted", "drawer": "Drawer open", "watch": "Movement"}


def call_text(request: Request, place: str, reason: str) -> str:
    """What somebody is called for; `reason` is that of their page."""
    if reason == ARRIVED:
        said = f"{reason} {place}"
    elif request.silent:
        said = f"Come at once: {place}"
    elif request.state is not State.RAISED and reason:
        said = f"{place}: {reason}"
    else:
        topic = (request.topic or "help").replace("-", " ").replace("_", " ").capitalize()
        said = f"{_KINDS.get(request.kind, topic)}: {place}"
        if request.kind == "help" and request.language:
            said += f" ({request.language})"
    return _short(f"Drill. {said}" if request.drill else said)


def end_text(request: Request, place: str, person: str) -> str:
    """Why this person need not answer any more."""
    name = request.owner_name
    match request.state:
        case State.ACKNOWLEDGED if request.owner == person:
            said = "You are coming"
        case State.ACKNOWLEDGED if name:
            said = f"{name} is coming"
        case State.ATTENDED if name and request.owner != person:
            said = f"{name} is there"
        case State.ATTENDED:
            said = "You are there" if request.owner == person else "Somebody is there"
        case State.RESOLVED if request.kind in ONE_TAP and name:
            said = "You go" if request.owner == person else f"{name} goes"
        case State.RESOLVED:
            said = "Done"
        case State.CANCELLED:
            said = "Taken back"
        case State.MISSED:
            said = "Nobody came in time"
        case _:
            said = "You need not answer"
    return _short(f"Drill. {said}: {place}" if request.drill else f"{said}: {place}")


def why_of(state: State) -> Why:
    """Why a page ended, by how its request stands."""
    return _WHY.get(state, "withdrawn")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"
