"""What a zone is watched for: a drawer that stays open, and movement where nobody should be. Pure."""

import re
from dataclasses import dataclass
from datetime import time

DRAWER_S, LEAST_DRAWER_S, MOST_DRAWER_S = 60, 10, 3600
# When movement in the zone has somebody look: never, outside its hours, or also while nobody works there.
WATCHED = {"never": "Never", "closed": "While closed", "unattended": "While closed or nobody is there"}
_HOUR = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class Watching:
    """`drawer_s`: how long a drawer may be open, 0 for ever. `opens` and `closes`, as 09:00, are the zone's
    hours by the server's clock; without them it is closed while nobody of the staff is here."""

    drawer_s: int = DRAWER_S
    watched: str = "never"
    opens: str | None = None
    closes: str | None = None


def fault(watching: Watching) -> str | None:
    """What is wrong: where, what, and what is allowed."""
    seconds = watching.drawer_s
    if seconds != 0 and not LEAST_DRAWER_S <= seconds <= MOST_DRAWER_S:
        allowed = f"allowed are {LEAST_DRAWER_S} to {MOST_DRAWER_S} seconds, and 0 for ever"
        return f"A drawer may be open for {seconds} s; {allowed}."
    if watching.watched not in WATCHED:
        return f"The zone is watched {watching.watched[:32]!r}; allowed are {', '.join(WATCHED)}."
    for name, at in (("opens", watching.opens), ("closes", watching.closes)):
        if at is not None and not _HOUR.fullmatch(at):
            return f"The zone {name} at {at[:16]!r}; allowed are times from 00:00 to 23:59."
    if (watching.opens is None) != (watching.closes is None):
        return "A zone has both times, when it opens and when it closes, or neither."
    if watching.opens is not None and watching.opens == watching.closes:
        return f"The zone opens and closes at {watching.opens}; leave both empty for one that never closes."
    return None


def why(watching: Watching, local: time, *, anyone_there: bool, anyone_here: bool) -> str | None:
    """Why movement now has somebody look, in words; None where it is nothing to look at.

    `anyone_there`: somebody who works in the zone is here; `anyone_here`: somebody of the staff is.
    """
    if watching.watched == "never":
        return None
    if _closed(watching, local, anyone_here):
        return "It is closed."
    if watching.watched == "unattended" and not anyone_there:
        return "Nobody who works there is here."
    return None


def _closed(watching: Watching, local: time, anyone_here: bool) -> bool:
    if watching.opens is None or watching.closes is None:
        return not anyone_here
    now = f"{local:%H:%M}"
    if watching.opens < watching.closes:
        return not watching.opens <= now < watching.closes
    # Open over midnight.
    return watching.closes <= now < watching.opens
