"""Every face that a kiosk's screen can have, by name, as what its panel says."""

import time
from typing import Any

from broker.questions import QUESTIONS
from kiosk.screen.messages import Asking, Key
from tests.rig.panel import HELP, OPEN

LINK = "https://floorbell.example.org/f/AZkV3q2bcd8Kf0aUo1x9Zg"
CODE = "K7F-2QD"


def _open(state: str, text: str, name: str | None = None, **args: str) -> dict[str, Any]:
    values = args if name is None else {"name": name, **args}
    since_s = time.monotonic() - 130
    return {"state": state, "text": text, "args": values, "name": name} | {
        "reference": CODE,
        "since_s": since_s,
        "keys": OPEN,
    }


def _over(state: str, text: str) -> dict[str, Any]:
    return {"state": state, "text": text, "reference": CODE}


def _asked(text: str, state: str = "resolved", request: str | None = "r", **asking: Any) -> dict[str, Any]:
    ends_s = time.monotonic() + 45
    return {"state": state, "text": text, "asking": Asking(request, ends_s=ends_s, **asking)}


def faces() -> dict[str, dict[str, Any]]:
    """What FakePanel.show takes, by what it shows."""
    late = {"seconds": "130"}
    keys_only = [*HELP[:4], Key("looking", "looking")]
    found: dict[str, dict[str, Any]] = {
        "idle": {},
        "idle with few keys": {"keys": keys_only},
        "idle with no key": {"keys": []},
        "just looking": {"text": "looking.noted"},
        "offered again": {"offer": True},
        "an associate is noted": {"text": "attend.saved"},
        "held": {"state": "unreachable", "text": "unreachable"},
        "pressed": _open("pressed", "pressed"),
        "pressed for long": _open("pressed", "pressed.still", **late),
        "saved": _open("saved", "saved"),
        "saved for long": _open("saved", "saved.still", **late),
        "saved, no path": _open("saved", "saved.unreachable", **late),
        "not saved": _open("not_saved", "not_saved"),
        "not saved for long": _open("not_saved", "not_saved.still", **late),
        "sent": _open("sent", "sent"),
        "sent for long": _open("sent", "sent.still", **late),
        "pressed again": _open("sent", "pressed_again", count="12"),
        "called nearby": _open("sent", "paging.best", people="2"),
        "called supervisors": _open("sent", "paging.supervisors", people="12"),
        "called all": _open("sent", "paging.all", people="12"),
        "called for long": _open("sent", "paging.still", people="12", seconds="130"),
        "nobody is free": _open("sent", "paging.nobody"),
        "seen": _open("seen", "seen", "Marta"),
        "seen by somebody": _open("seen", "seen.someone"),
        "on the way": _open("on_the_way", "coming", "Marta"),
        "on the way for long": _open("on_the_way", "coming.still", "Marta", **late),
        "on the way, two names": _open("on_the_way", "coming.still", "Maria del Carme Puigdomènech", **late),
        "on the way, a long name": _open("on_the_way", "coming", "M. Wolfeschlegelsteinhausen"),
        "on the way, the longest name": _open("on_the_way", "coming.still", "Anna Maria " * 7 + "Li", **late),
        "somebody on the way": _open("on_the_way", "coming.someone.still", **late),
        "a smiley while somebody comes": _open("on_the_way", "coming.still", "Marta", **late)
        | {"note": "feedback.not_saved"},
        "a smiley without a path": _open("saved", "saved.unreachable", **late) | {"note": "feedback.saved"},
        "here": _open("here", "here", "Marta"),
        "attended": _open("on_the_way", "attend.saved", "Marta"),
        "the store is silent": _open("unreachable", "silent", **late),
        "cancelling": _over("pressed", "cancel.pressed"),
        "cancelled here": _over("cancelled", "cancel.not_saved"),
        "cancelled": _over("cancelled", "cancelled"),
        "missed": _over("missed", "missed"),
        "gave up": _over("missed", "gave_up"),
        "refused": _over("missed", "refused"),
        "smileys": _asked("resolved"),
        "smileys and a code to scan": _asked("resolved", code=CODE, link=LINK),
        "smileys at the exit": _asked("feedback.ask", "idle", None) | {"note": "thanks.4"},
        "thanks": _asked("feedback.thanks", score=1),
        "thanks, saved here": _asked("feedback.not_saved", score=4),
    }
    for number in range(1, 7):
        found[f"greeting {number}"] = {"note": f"greet.{number}"}
    for question in QUESTIONS:
        found[f"question {question}"] = _asked("feedback.not_saved", score=1, questions=[question])
    return found
