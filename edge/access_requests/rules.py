"""The rules for moving an access request between its states. Pure.

open -> extended (the asker was told that it takes longer) -> answered -> closed. An answered or closed one is
opened again with a reason. What is refused changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from edge.access_requests import clock

MAX_REASON = 500
MAX_CONTACT = 300
MAX_LETTER = 8000
# Nobody looks through more than a day for one person.
LONGEST = timedelta(hours=24)
RECEIVED_WITHIN = timedelta(days=366)
# No camera's clip is as old.
OLDEST = timedelta(days=366 * 50)
MOST_CLIPS = 200


class State(StrEnum):
    OPEN = "open"
    EXTENDED = "extended"
    ANSWERED = "answered"
    CLOSED = "closed"


WAITING = (State.OPEN, State.EXTENDED)
CAME = {"desk": "At the desk", "letter": "By letter", "email": "By e-mail"}
ANSWERS = {
    "footage": "Footage given",
    "nothing": "Nothing found",
    "refused": "Refused",
    "withdrawn": "Taken back by the asker",
}


@dataclass(frozen=True, slots=True)
class Ready:
    """How far the clips are in which the asker was found. `unwatched` have no covered copy that a person has
    watched to the end."""

    chosen: int = 0
    unwatched: int = 0


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One access request as the rules see it."""

    id: str
    number: str
    received_on: date
    state: State
    revision: int
    extended_on: date | None = None
    answer: str | None = None
    last_words: str = ""

    @property
    def due_on(self) -> date:
        return clock.due(self.received_on, extended=self.extended_on is not None)


@dataclass(frozen=True, slots=True)
class Extend:
    """The asker was told on `told_on` that it takes up to two months longer, and why."""

    name: str
    told_on: date
    reason: str
    today: date
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason`: why it is refused; else what else is to be said of it."""

    name: str
    how: str
    reason: str
    letter: str
    ready: Ready
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    name: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    name: str
    reason: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something is done to it that the timeline alone tells; while it waits for its answer only, if
    `work`."""

    what: str
    words: str
    work: bool = True


Action = Extend | Answer | Close | Reopen | Note


@dataclass(frozen=True, slots=True)
class Change:
    """The access request afterwards, and the timeline's word and sentence for it."""

    request: AccessRequest
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class Refusal:
    sentence: str


def decide(request: AccessRequest, action: Action) -> Change | Refusal:
    """What an action does to an access request."""
    if not isinstance(action, Note) and (wrong := _stale(request, action.based_on)):
        return wrong
    match action:
        case Extend():
            return _extend(request, action)
        case Answer():
            return _answer(request, action)
        case Close(name):
            if request.state is not State.ANSWERED:
                return Refusal(
                    f"This access request is {request.state.value}; only answered ones are closed."
                )
            return Change(_next(request, State.CLOSED), "closed", f"{name} closed it.")
        case Reopen(name, reason):
            return _reopen(request, name, reason)
        case Note(what, words, work):
            if work and request.state not in WAITING:
                return _over(request)
            return Change(_next(request, request.state), what, words)


def why_not_open(
    came: str, received_on: date, began_at: datetime, ended_at: datetime, now: datetime, today: date
) -> tuple[str, str] | None:
    """Against a new access request: the field and the sentence."""
    if came not in CAME:
        return "came", f"It came {came[:40]!r}; allowed are {', '.join(CAME)}."
    if not today - RECEIVED_WITHIN <= received_on <= today:
        return "received", f"It must be of the last {RECEIVED_WITHIN.days} days, and not in the future."
    if ended_at <= began_at:
        return "to", "‘Until’ must be later than ‘From’."
    if ended_at - began_at > LONGEST:
        return "to", "The time to look through is at most 24 hours; ask when it was."
    if began_at > now:
        return "from", "The time to look through lies in the future."
    if now - began_at > OLDEST:
        return "from", "The time to look through lies more than fifty years back."
    return None


def _extend(request: AccessRequest, action: Extend) -> Change | Refusal:
    reason = action.reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        return Refusal(f"The reason has {len(reason)} signs; 1 to {MAX_REASON} are allowed.")
    if request.state is State.EXTENDED:
        return Refusal("It was extended already, and can be only once (GDPR art. 12(3)).")
    if request.state is not State.OPEN:
        return _over(request)
    last = clock.first_due(request.received_on)
    if not request.received_on <= action.told_on <= min(action.today, last):
        return Refusal(
            f"The asker must be told between {request.received_on} and {last}, and not in the future: "
            "later an extension does not count (GDPR art. 12(3))."
        )
    after = replace(_next(request, State.EXTENDED), extended_on=action.told_on)
    words = f"{action.name} extended it to {after.due_on}; the asker was told on {action.told_on}: “{reason}”"
    return Change(after, "extended", words)


def _answer(request: AccessRequest, action: Answer) -> Change | Refusal:
    reason, ready = action.reason.strip(), action.ready
    if action.how not in ANSWERS:
        return Refusal(f"The answer is {action.how[:40]!r}; allowed are {', '.join(ANSWERS)}.")
    if len(reason) > MAX_REASON or (action.how == "refused" and not reason):
        return Refusal(f"The reason has {len(reason)} signs; 1 to {MAX_REASON} are allowed.")
    if request.state not in WAITING:
        return _over(request)
    if action.how == "footage":
        if not ready.chosen:
            return Refusal("No clip is marked as showing the asker; mark those first, or say nothing found.")
        if ready.unwatched:
            number = "One clip has" if ready.unwatched == 1 else f"{ready.unwatched} clips have"
            return Refusal(f"{number} no covered copy that somebody has watched to the end.")
        if wrong := why_not_letter(action.letter):
            return Refusal(wrong)
    elif action.how == "nothing" and ready.chosen:
        return Refusal("A clip is marked as showing the asker; take the mark away, or give the footage.")
    words = f"{action.name} answered it: {ANSWERS[action.how]}."
    if reason:
        words += f" “{reason}”"
    return Change(replace(_next(request, State.ANSWERED), answer=action.how), "answered", words)


def why_not_letter(letter: str) -> str | None:
    """Against a letter that is to go out."""
    if not 1 <= len(letter.strip()) <= MAX_LETTER:
        return f"The letter has {len(letter.strip())} signs; 1 to {MAX_LETTER} are allowed."
    begin, end = letter.find("["), letter.find("]")
    if 0 <= begin < end:
        return f"The letter has a blank that is not filled in: {letter[begin : min(end + 1, begin + 80)]}"
    return None


def _reopen(request: AccessRequest, name: str, reason: str) -> Change | Refusal:
    reason = reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        return Refusal(f"The reason has {len(reason)} signs; 1 to {MAX_REASON} are allowed.")
    if request.state in WAITING:
        return Refusal(f"This access request is open already. {request.last_words}".rstrip())
    state = State.OPEN if request.extended_on is None else State.EXTENDED
    after = replace(_next(request, state), answer=None)
    return Change(after, "reopened", f"{name} opened it again: “{reason}”")


def _next(request: AccessRequest, state: State) -> AccessRequest:
    return replace(request, state=state, revision=request.revision + 1)


def _stale(request: AccessRequest, based_on: int | None) -> Refusal | None:
    if based_on is None or based_on == request.revision:
        return None
    return Refusal(
        f"It was changed meanwhile: {request.last_words} Nothing of yours was saved; read it, then decide."
    )


def _over(request: AccessRequest) -> Refusal:
    sentence = f"This access request is {request.state.value}; open it again first. {request.last_words}"
    return Refusal(sentence.rstrip())
