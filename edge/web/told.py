"""The form in which staff type in what a shopper said: the same on the phone and at the desk."""

from datetime import datetime
from typing import Any

from flask import request

from broker import questions
from edge.errors import Faulty
from edge.handling import feedback
from edge.handling.feedback import Typed
from edge.interactions import log as interactions
from edge.web.access import signed_in
from edge.web.minutes import at_here, minute
from edge.web.services import services

QUESTIONS = {
    "wait": "How was the wait?",
    "understood": "Did we understand what they needed?",
    "manner": "How were they treated?",
    "found": "Did they find what they came for?",
    "ease": "How easy was the visit?",
    "again": "Would they come again?",
}
ANSWERS = {
    "wait": {"short": "Short", "fair": "Acceptable", "long": "Too long"},
    "understood": {"yes": "Yes", "partly": "Partly", "no": "No"},
    "manner": {"kind": "Kindly", "neutral": "Neither kindly nor unkindly", "unkind": "Unkindly"},
    "found": {"yes": "Yes", "partly": "Partly", "no": "No"},
    "ease": {"easy": "Easy", "fair": "So-so", "hard": "Hard"},
    "again": {"yes": "Yes", "perhaps": "Perhaps", "no": "No"},
}


def form(error: Faulty | None = None) -> dict[str, Any]:
    """What the form needs, with what was typed and what stands against it."""
    room = services()
    with room.read() as conn:
        zones = interactions.zones(conn, room.store)
    return {
        "wrong": str(error) if error else "",
        "wrong_at": error.field if error else "",
        "typed": request.form,
        "answered": (error and error.field == "answers") or any(request.form.get(name) for name in QUESTIONS),
        "zones": zones,
        "sources": feedback.TOLD,
        "asked": (questions.OF_A_REQUEST, questions.OF_A_VISIT),
        "questions": QUESTIONS,
        "answers": ANSWERS,
        "most_words": feedback.MAX_WORDS,
        "most_answers": questions.MOST,
        "local_now": minute(room.clock()),
    }


def save(through: str) -> Faulty | None:
    """Save what the form holds; what stands against it, if anything does."""
    room, person, now = services(), signed_in().person.id, services().clock()
    try:
        typed = _typed(now)
        room.change(lambda conn: feedback.typed(conn, room.store, typed, person, through, now))
    except Faulty as error:
        return error
    return None


def _typed(now: datetime) -> Typed:
    asked, room = request.form, services()
    code, about = asked.get("code", "").strip(), None
    if code:
        # Read before anything is written: the search must not keep a press waiting.
        with room.read() as conn:
            about = feedback.told_of(conn, room.store, code, now)
    score = asked.get("score", "")
    return Typed(
        source=asked.get("source", ""),
        score=int(score) if score in ("1", "2", "3", "4") else 0,
        about=about,
        zone=asked.get("zone", "")[:32],
        answers={name: asked[name][:16] for name in questions.QUESTIONS if asked.get(name)},
        words=asked.get("words", "").replace("\r\n", "\n").strip(),
        at=at_here(now) or now,
    )
