"""Text keys to short, plain English sentences: the store's keys and the kiosk's own."""

from collections.abc import Mapping

SENTENCES: dict[str, str] = {
    # The store's: broker.messages.CALL_TEXTS.
    "paging.best": "Calling staff nearby: {people} so far.",
    "paging.zone": "Calling everyone in this area: {people} so far.",
    "paging.supervisors": "Calling the supervisors too: {people} so far.",
    "paging.all": "Calling the whole shop: {people} so far.",
    "paging.still": "Still calling, {seconds} s so far: {people} called.",
    "pressed_again": "You have pressed {count} times; it is the same request.",
    "paging.nobody": "Nobody is free right now; we keep trying.",
    "seen": "{name} has seen your request.",
    "coming": "{name} is on the way.",
    "coming.still": "{name} is still on the way, {seconds} s so far.",
    "here": "{name} is here.",
    "here.someone": "Someone is here for you.",
    "resolved": "Done. Thank you.",
    "cancelled": "Your request is cancelled.",
    "missed": "We are sorry: nobody could come. Please ask at the till.",
    # The kiosk's own.
    "idle": "Press a button if you need help.",
    "unreachable": "Help is slower now: please ask at the till.",
    "pressed": "You pressed; one moment.",
    "pressed.still": "Still saving your request, {seconds} s so far.",
    "pressed.again": "You pressed again; it is the same request.",
    "saved": "Your request is saved here and is being sent.",
    "saved.still": "Your request is saved here, {seconds} s so far, and not yet sent.",
    "saved.unreachable": "Your request is saved here, {seconds} s so far; the store cannot be reached. "
    "Please ask at the till.",
    "not_saved": "Your request is being sent, but could not be saved here. Please wait.",
    "not_saved.still": "Your request is not yet sent, {seconds} s so far. Please ask at the till.",
    "sent": "The store has your request.",
    "sent.still": "The store has your request; no answer yet, {seconds} s so far.",
    "waiting.still": "We are calling people for you, {seconds} s so far.",
    "seen.someone": "Somebody has seen your request.",
    "coming.someone": "Somebody is on the way.",
    "coming.someone.still": "Somebody is still on the way, {seconds} s so far.",
    "silent": "We have not heard from the store for {seconds} s. Please ask at the till.",
    "gave_up": "Nobody could be reached. Please ask at the till.",
    "refused": "The store could not take this request. Please ask at the till.",
    "cancel.pressed": "Cancelling; one moment.",
    "cancel.saved": "You cancelled; we are telling the store.",
    "cancel.not_saved": "You cancelled; it could not be saved here, we are telling the store.",
    "attend.pressed": "Noting that an associate is here.",
    "attend.saved": "Noted: an associate is here.",
    "looking.noted": "Take your time; press whenever you need help.",
    "looking.offer": "Would you like some help now?",
    "drill.note": "The store is testing this help point; a press of yours counts as always.",
    "feedback.ask": "How was it?",
    "feedback.saved": "Your answer is saved here and is being sent.",
    "feedback.not_saved": "Your answer is being sent, but could not be saved here.",
    "feedback.thanks": "The store has your answer. Thank you.",
    # At the door and at the exit, in turn, so that nobody hears the same words twice in a row.
    "greet.1": "Hello, good to see you.",
    "greet.2": "Welcome! Help is one press away.",
    "greet.3": "Hello! Have a look around.",
    "greet.4": "Welcome in. We are happy to help.",
    "greet.5": "Hello there. Just press if you need anything.",
    "greet.6": "Hello and welcome.",
    "thanks.1": "Thank you for coming. Goodbye.",
    "thanks.2": "Thanks for your visit. See you soon.",
    "thanks.3": "Thank you. Have a good day.",
    "thanks.4": "Goodbye, and thank you for stopping by.",
}


def say(key: str, args: Mapping[str, str]) -> str:
    """The sentence for a key, or the key itself where that fails: never an error on a display."""
    try:
        return SENTENCES[key].format_map(args)
    except (KeyError, ValueError, IndexError):
        return key
