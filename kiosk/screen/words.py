"""Everything that a shopper can read on the screen, in English: kiosk.texts and the screen's own words.

The keys are the contexts of the messages in translations/: one English word may need two in another language.
"""

from broker.questions import QUESTIONS
from kiosk.config import TOPICS
from kiosk.display import State
from kiosk.texts import SENTENCES

# Languages by the name that their speakers use, which is why these are not translated.
LANGUAGES = {"en": "English", "ca": "Català", "sr": "Srpski", "it": "Italiano", "pt": "Português"}

# Sentences with a number that other words must agree with, and the argument that holds it.
COUNTED = {
    "paging.best": "people",
    "paging.zone": "people",
    "paging.supervisors": "people",
    "paging.all": "people",
    "paging.still": "people",
    "pressed_again": "count",
}

OWN: dict[str, str] = {
    "topic.help": "Help",
    "topic.find-item": "Find an item",
    "topic.fitting-room": "Fitting room",
    "topic.till": "Till",
    "topic.collect": "Collect an order",
    "topic.return": "Return or refund",
    "topic.other": "Something else",
    "topic.supervisor": "Supervisor",
    "action.cancel": "Cancel",
    "action.attend": "Staff are here",
    "action.looking": "Just looking",
    "keys.label": "What do you need?",
    "state.pressed": "One moment",
    "state.saved": "Saved here",
    "state.sent": "Sent",
    "state.seen": "Seen",
    "state.on_the_way": "On the way",
    "state.here": "Here",
    "state.resolved": "Done",
    "state.cancelled": "Cancelled",
    "state.missed": "Nobody came",
    "state.unreachable": "No contact",
    "state.not_saved": "Not saved here",
    "code.label": "Your code",
    "language.label": "Language",
    "offer.dismiss": "No, thank you",
    "ask.request": "How was the help you got?",
    "ask.visit": "How was your visit?",
    "ask.thanks": "Thank you for your answer.",
    "ask.left": "Time left",
    "ask.skip": "Skip",
    "ask.help": "I need help",
    "score.1": "Very unhappy",
    "score.2": "Unhappy",
    "score.3": "Happy",
    "score.4": "Very happy",
    "question.wait": "How was the wait?",
    "question.wait.short": "Short",
    "question.wait.fair": "Acceptable",
    "question.wait.long": "Too long",
    "question.understood": "Did we understand what you needed?",
    "question.understood.yes": "Yes",
    "question.understood.partly": "Partly",
    "question.understood.no": "No",
    "question.manner": "How were you treated?",
    "question.manner.kind": "Kindly",
    "question.manner.neutral": "Neither kindly nor unkindly",
    "question.manner.unkind": "Unkindly",
    "question.found": "Did you find what you came for?",
    "question.found.yes": "Yes",
    "question.found.partly": "Partly",
    "question.found.no": "No",
    "question.ease": "How easy was your visit?",
    "question.ease.easy": "Easy",
    "question.ease.fair": "So-so",
    "question.ease.hard": "Hard",
    "question.again": "Would you come again?",
    "question.again.yes": "Yes",
    "question.again.perhaps": "Perhaps",
    "question.again.no": "No",
    "qr.words": "Or answer on your own phone",
    "qr.code": "with the code {code}",
    "filming.watched": "This place is filmed.",
    "filming.memory": "The last {seconds} s are in memory; they are stored only after a call.",
    "filming.stored": "Pictures are stored only after a call.",
    "filming.there": "There is a camera here.",
    "lost.sentence": "This screen has lost its connection to the kiosk.",
    "lost.hint": "Please ask at the till if you need help.",
}

ENGLISH: dict[str, str] = SENTENCES | OWN

# What is said when a newer store sends a text that this kiosk does not know, or one without its arguments.
PLAIN: dict[str, str] = {
    State.IDLE: "idle",
    State.PRESSED: "pressed",
    State.SAVED: "saved",
    State.SENT: "sent",
    State.SEEN: "seen.someone",
    State.ON_THE_WAY: "coming.someone",
    State.HERE: "here.someone",
    State.RESOLVED: "resolved",
    State.CANCELLED: "cancelled",
    State.MISSED: "gave_up",
    State.UNREACHABLE: "unreachable",
    State.NOT_SAVED: "not_saved",
}


def needed() -> set[str]:
    """The keys that the screen composes from names: topics, states, scores, questions and answers."""
    keys = {f"topic.{topic}" for topic in TOPICS}
    keys |= {f"state.{state}" for state in State if state is not State.IDLE}
    keys |= {f"score.{score}" for score in range(1, 5)}
    for question, answers in QUESTIONS.items():
        keys |= {f"question.{question}", *(f"question.{question}.{answer}" for answer in answers)}
    return keys
