"""Open incidents that nobody adds to. Pure.

As long as an incident is open its clips are kept, so somebody is reminded of it once it has been left alone
for so long, and again each time as much has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.supervision.facts import Found, Key, What


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """`added_at`: when a person last did something to it, or when it was opened. `silent`: one of its
    requests is."""

    id: str
    number: str
    opened_at: datetime
    added_at: datetime
    silent: bool


def forgotten(incidents: Sequence[OpenIncident], after: timedelta, now: datetime) -> list[Found]:
    """Those left alone for `after`; after each further `after` they are reminded of anew."""
    found = []
    for one in incidents:
        times = (now - one.added_at) // after
        if times < 1:
            continue
        opened, added = (f"{at.astimezone():%Y-%m-%d}" for at in (one.opened_at, one.added_at))
        words = (
            f"Incident {one.number} is open since {opened}, and nobody has added to it since {added}; its "
            "clips are kept until it is closed."
        )
        key = Key("", What.INCIDENT, one.id)
        found.append(Found(key, one.added_at, words, mark=str(times), silent=one.silent))
    return found
