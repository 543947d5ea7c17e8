"""The rules for moving an incident between its states. Pure.

open -> closed with an outcome -> open again with a reason. Words are only ever added: a correction is a
further entry that names the one which it corrects. What is refused changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from edge.incidents.classes import CHECKLISTS, CHECKS, CLASSES, NOTHING_HAPPENED, OUTCOMES

# Clips of the place that overlap this span belong to it.
BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=5)
# Whoever remembers later than that writes a letter.
OPENED_WITHIN = timedelta(days=366)
MAX_REASON = 500
MAX_WORDS = 4000


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Kind(StrEnum):
    """What is written into an incident."""

    STATEMENT = "statement"
    # the associate's own, on a complaint against them
    ACCOUNT = "account"
    # somebody involved, described without saying who they are
    PERSON = "person"
    LOSS = "loss"
    ACTION = "action"


# Whoever remembers something says it, also when the incident is closed; all else is work on an open one.
TAKEN_ALWAYS = frozenset({Kind.STATEMENT, Kind.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as the rules see it. `said` counts its statements and accounts; `last_name` and
    `last_words` are of the newest line of its timeline."""

    id: str
    store: str
    number: str
    classed_as: str
    zone: str
    happened_at: datetime
    state: State
    revision: int
    outcome: str | None = None
    ticked: frozenset[str] = frozenset()
    said: int = 0
    last_name: str = ""
    last_words: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """Something is added. `corrects` is the entry that it corrects, None for a new one; `corrected_by` the
    number of the entry that corrects that one already."""

    name: str
    kind: Kind
    number: int
    corrects: int | None = None
    corrects_kind: Kind | None = None
    corrected_by: int | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A point of the checklist is done, or was not done after all."""

    name: str
    check: str
    done: bool


@dataclass(frozen=True, slots=True)
class Correct:
    """What it is, where and when it happened. `based_on`: the revision that was read."""

    name: str
    classed_as: str
    zone: str
    zone_title: str
    happened_at: datetime
    at: datetime
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    name: str
    outcome: str
    note: str = ""
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    name: str
    reason: str
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something is done to it that the timeline alone tells. `work`: on an open one only."""

    what: str
    words: str
    work: bool = True


Action = Write | Tick | Correct | Close | Reopen | Note


@dataclass(frozen=True, slots=True)
class Change:
    """The incident afterwards, and the timeline's word and sentence for it."""

    incident: Incident
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class Noted:
    """It is so already; nothing changes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`holder`: whoever stands against it, by name."""

    sentence: str
    holder: str | None = None


def decide(incident: Incident, action: Action) -> Change | Noted | Refusal:
    """What an action does to an incident."""
    match action:
        case Write():
            return _write(incident, action)
        case Tick():
            return _tick(incident, action)
        case Correct():
            return _correct(incident, action)
        case Close():
            return _close(incident, action)
        case Reopen():
            return _reopen(incident, action)
        case Note(what, words, work):
            if work and incident.state is State.CLOSED:
                return _closed(incident)
            return Change(_next(incident), what, words)


def why_not_then(happened_at: datetime, now: datetime) -> str | None:
    """Against a time at which something is said to have happened."""
    if now - OPENED_WITHIN <= happened_at <= now + timedelta(minutes=1):
        return None
    return f"When it happened lies in the last {OPENED_WITHIN.days} days and not in the future."


def _write(incident: Incident, action: Write) -> Change | Refusal:
    if incident.state is State.CLOSED and action.kind not in TAKEN_ALWAYS:
        return _closed(incident)
    what = {
        Kind.STATEMENT: "a statement",
        Kind.ACCOUNT: "an account of their own",
        Kind.PERSON: "somebody involved",
        Kind.LOSS: "a loss",
        Kind.ACTION: "an action",
    }[action.kind]
    words = f"{action.name} wrote down {what}: entry {action.number}."
    if action.corrects is not None:
        if action.corrects_kind is not action.kind:
            return Refusal(f"Entry {action.corrects} is of another kind; correct it by one of its own.")
        if action.corrected_by is not None:
            return Refusal(
                f"Entry {action.corrects} was corrected by entry {action.corrected_by} already; "
                "correct that one."
            )
        words = f"{action.name} corrected entry {action.corrects} by entry {action.number}."
    said = incident.said + (action.kind in TAKEN_ALWAYS)
    return Change(replace(_next(incident), said=said), "written", words)


def _tick(incident: Incident, action: Tick) -> Change | Noted | Refusal:
    allowed = CHECKLISTS[incident.classed_as]
    # What was ticked before the class became another can be taken back.
    if action.check not in allowed and not (action.check in incident.ticked and not action.done):
        return Refusal(f"The check is {action.check[:40]!r}; allowed here are {', '.join(allowed)}.")
    if (action.check in incident.ticked) is action.done:
        return Noted()
    if incident.state is State.CLOSED:
        return _closed(incident)
    if action.done:
        ticked, words = incident.ticked | {action.check}, f"{action.name} ticked: {CHECKS[action.check]}."
    else:
        ticked, words = incident.ticked - {action.check}, f"{action.name} took back: {CHECKS[action.check]}."
    return Change(replace(_next(incident), ticked=ticked), "ticked" if action.done else "unticked", words)


def _correct(incident: Incident, action: Correct) -> Change | Noted | Refusal:
    if action.classed_as not in CLASSES:
        return Refusal(f"The class is {action.classed_as[:40]!r}; allowed are {', '.join(CLASSES)}.")
    if wrong := why_not_then(action.happened_at, action.at):
        return Refusal(wrong)
    if stale := _stale(incident, action.based_on):
        return stale
    after = replace(incident, classed_as=action.classed_as, zone=action.zone, happened_at=action.happened_at)
    if after == incident:
        return Noted()
    if incident.state is State.CLOSED:
        return _closed(incident)
    said = []
    if after.classed_as != incident.classed_as:
        said.append(f"class {CLASSES[incident.classed_as]} → {CLASSES[after.classed_as]}")
    if after.zone != incident.zone:
        said.append(f"place → {action.zone_title}")
    if after.happened_at != incident.happened_at:
        said.append("time of what happened")
    return Change(_next(after), "corrected", f"{action.name} changed: {', '.join(said)}.")


def _close(incident: Incident, action: Close) -> Change | Refusal:
    if action.outcome not in OUTCOMES:
        return Refusal(f"The outcome is {action.outcome[:40]!r}; allowed are {', '.join(OUTCOMES)}.")
    if len(action.note) > MAX_REASON:
        return Refusal(f"The note has {len(action.note)} signs; allowed are {MAX_REASON}.")
    if incident.state is State.CLOSED:
        return _closed(incident)
    if stale := _stale(incident, action.based_on):
        return stale
    if not incident.said and action.outcome != NOTHING_HAPPENED:
        return Refusal(
            "Nobody has written down what happened; write it down first, or close it as a false alarm."
        )
    words = f"{action.name} closed it: {OUTCOMES[action.outcome]}."
    if action.note:
        words += f" “{action.note}”"
    after = replace(_next(incident), state=State.CLOSED, outcome=action.outcome)
    return Change(after, "closed", words)


def _reopen(incident: Incident, action: Reopen) -> Change | Refusal:
    reason = action.reason.strip()
    if not 1 <= len(reason) <= MAX_REASON:
        return Refusal(f"The reason has {len(reason)} signs; 1 to {MAX_REASON} are allowed.")
    if incident.state is State.OPEN:
        return Refusal(f"This incident is open already. {incident.last_words}", incident.last_name or None)
    if stale := _stale(incident, action.based_on):
        return stale
    after = replace(_next(incident), state=State.OPEN, outcome=None)
    return Change(after, "reopened", f"{action.name} opened it again: “{reason}”")


def _next(incident: Incident) -> Incident:
    return replace(incident, revision=incident.revision + 1)


def _stale(incident: Incident, based_on: int | None) -> Refusal | None:
    """Whoever decides has read all that is written."""
    if based_on is None or based_on == incident.revision:
        return None
    return Refusal(
        f"It was changed meanwhile: {incident.last_words} Nothing of yours was saved; read it, then decide.",
        incident.last_name or None,
    )


def _closed(incident: Incident) -> Refusal:
    by = f" {incident.last_words}" if incident.last_words else ""
    return Refusal(f"This incident is closed; open it again first.{by}", incident.last_name or None)
