"""What people outside are told: one record, as JSON for a webhook and as words for everybody else. Pure.

No shopper is in it, and of the staff nobody but, where a channel is set to have names, whose deed it was.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from edge.incidents.classes import CLASSES, OUTCOMES
from edge.lengths import in_words
from edge.outside.channels import CLOSED, MISSED, OPENED, REOPENED, SECURITY, TEST

# So old, it is said to be late.
LATE = timedelta(minutes=2)
WHATS = {
    SECURITY: "Security request",
    OPENED: "Incident opened",
    CLOSED: "Incident closed",
    REOPENED: "Incident opened again",
    MISSED: "Missed help request",
    TEST: "Test",
}


class Facts(Struct, frozen=True, omit_defaults=True, rename={"classed_as": "class"}):
    """What happened. `happened_at` is when it did, by what is known; `age_known` false: perhaps long before.

    `number` is an incident's, `reference` a request's. `name`: whose deed it was.
    """

    store: str
    store_title: str
    happened_at: datetime
    zone: str = ""
    zone_title: str = ""
    classed_as: str = ""
    number: str = ""
    reference: str = ""
    outcome: str = ""
    drill: bool = False
    silent: bool = False
    age_known: bool = True
    name: str = ""
    link: str = ""


def encode(facts: Facts) -> str:
    return msgspec.json.encode(facts).decode()


def decode(text: str) -> Facts:
    return msgspec.json.decode(text, type=Facts)


def body(what: str, facts: Facts) -> bytes:
    """A webhook's body: the same bytes in every try."""
    data: dict[str, Any] = msgspec.to_builtins(facts)
    data |= {"drill": facts.drill, "silent": facts.silent, "age_known": facts.age_known}
    return msgspec.json.encode({"type": what, "timestamp": facts.happened_at, "data": data}, order="sorted")


def title(what: str, facts: Facts) -> str:
    """'DRILL: Security request, Shoes (Riverside)'."""
    return f"{'DRILL: ' if facts.drill else ''}{headline(what, facts)} ({facts.store_title})"


def headline(what: str, facts: Facts) -> str:
    """'Incident opened, theft, Shoes'."""
    kind = WHATS.get(what, what)
    if facts.classed_as:
        kind += f", {CLASSES.get(facts.classed_as, facts.classed_as).lower()}"
    return f"{kind}, {facts.zone_title}" if facts.zone_title else kind


def text(what: str, facts: Facts, local: datetime, now: datetime) -> str:
    """The lines of a message. `local` is `happened_at` in the store's own zone."""
    if what == TEST:
        return f"This is a test from {facts.store_title}. Nothing has happened; nobody needs to do anything."
    lines = ["This is a drill: nothing has happened."] if facts.drill else []
    code = (
        f"Incident {facts.number}" if facts.number else f"Code {facts.reference}" if facts.reference else ""
    )
    lines.append(f"{facts.zone_title}, {local:%H:%M} on {local:%Y-%m-%d} (UTC{local:%z}).")
    if not facts.age_known:
        lines.append("How old it was when it came is not known.")
    elif what in (SECURITY, MISSED) and now - facts.happened_at > LATE:
        lines.append(f"This comes late: it was {in_words(now - facts.happened_at)} ago.")
    if facts.silent:
        lines.append("It is silent: nobody in the store may notice it from you.")
    if facts.outcome:
        lines.append(f"Outcome: {OUTCOMES.get(facts.outcome, facts.outcome)}.")
    if facts.name:
        lines.append(f"By {facts.name}.")
    if code:
        lines.append(f"{code}.")
    if facts.link:
        lines.append(facts.link)
    return "\n".join(lines)
