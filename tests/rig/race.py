"""The history of one race for a request, and whether it could have been so. Pure.

Several people answer one request at the same moment, by different ways. Of what was asked and answered, and
of what is then written down, the checker says every way in which it is not one winner and several who were
told of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What an answer came to. A kiosk hears no answer of its own: of its badge only the log speaks.
WON, TOLD, UNKNOWN, UNHEARD = "won", "told", "unknown", "unheard"
ANSWERS = ("acknowledged", "attended")


@dataclass(frozen=True)
class Answer:
    """One invocation: who, by which way, from when to when on one monotonic clock, and what it came to.

    `holder` is the name that they were told.
    """

    name: str
    way: str
    began_s: float
    ended_s: float
    came_to: str
    holder: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the request's timeline, in the order of writing."""

    what: str
    name: str | None
    words: str = ""


@dataclass(frozen=True)
class Race:
    """`pages` are the feed's cursors of its pages, `answered` the first cursor at which somebody's page was
    over; `waits` the kinds of its timers; `may_not_know` those who need not have been called for it."""

    request: str
    answers: Sequence[Answer]
    lines: Sequence[Line]
    owner: str | None
    pages: Sequence[int] = ()
    answered: int | None = None
    waits: Sequence[str] = ()
    may_not_know: frozenset[str] = field(default_factory=frozenset)


def faults(race: Race) -> list[str]:
    """A sentence for everything that cannot be."""
    found = []
    won = [answer for answer in race.answers if answer.came_to == WON]
    first = [line for line in race.lines if line.what in ANSWERS]
    if len(first) != 1:
        found.append(f"The timeline has {len(first)} answers; there is one.")
    winner = first[0].name if first else None
    if race.owner is None or race.owner != winner:
        found.append(f"{race.owner} has it, and the timeline says {winner}.")
    if [answer.name for answer in won if answer.name != race.owner] or len(won) > 1:
        found.append(f"{', '.join(answer.name for answer in won)} won, and {race.owner} has it.")
    taken = next((answer for answer in race.answers if answer.name == race.owner), None)
    if taken is None:
        found.append(f"{race.owner} has it and never answered.")
    elif taken.came_to not in (WON, UNHEARD):
        found.append(f"{race.owner} has it and was told {taken.came_to}.")
    for answer in race.answers:
        found += _of_loser(race, answer, taken)
    found += _of_pages(race)
    return [f"{race.request}: {sentence}" for sentence in found]


def _of_loser(race: Race, answer: Answer, taken: Answer | None) -> list[str]:
    if answer.came_to == UNKNOWN:
        return [] if answer.name in race.may_not_know else [f"{answer.name} was told that there is none."]
    if answer.came_to == UNHEARD:
        heard = answer.name == race.owner or any(
            line.what == "noted" and str(race.owner) in line.words for line in race.lines
        )
        return [] if heard else [f"Nothing is written down of {answer.name}'s badge."]
    if answer.came_to == WON:
        return []
    if answer.came_to != TOLD:
        return [f"{answer.name} was {answer.came_to}."]
    if answer.holder != race.owner:
        return [f"{answer.name} was told {answer.holder}, and {race.owner} has it."]
    if taken is not None and taken.began_s > answer.ended_s:
        return [f"{answer.name} was told of {race.owner} before they had answered."]
    return []


def _of_pages(race: Race) -> list[str]:
    found = []
    whats = [line.what for line in race.lines]
    answer = next((n for n, what in enumerate(whats) if what in ANSWERS), len(whats))
    if "paged" in whats[answer:]:
        found.append("The timeline has somebody called after it was answered.")
    if race.answered is None:
        found.append("Nobody was told that it is over.")
    elif late := [cursor for cursor in race.pages if cursor > race.answered]:
        found.append(f"{len(late)} pages went out after it was answered.")
    if "escalate" in race.waits:
        found.append("It still waits to be escalated.")
    return found


def wins(races: Sequence[Race]) -> Mapping[str, int]:
    """How often each way won: a way that never does was not in the race."""
    counted: dict[str, int] = {}
    for race in races:
        for answer in race.answers:
            if answer.name == race.owner:
                counted[answer.way] = counted.get(answer.way, 0) + 1
    return counted
