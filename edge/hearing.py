"""How long a device may be silent, for how long somebody works on it, and what it says of itself that not
everybody may hear. Pure."""

import re
from datetime import datetime, timedelta

# A device beats every 5 s. Once three beats are missing, nobody knows that it is there.
SILENT_AFTER = timedelta(seconds=16)
# Whoever forgets to say that they are done has worked on it for a day.
MAINTENANCE_LASTS = timedelta(hours=24)
# Of a kiosk's faults those that begin with a press: a clip was wanted, an event could not be stored or was
# refused, a finger rests on a button.
_OF_A_PRESS = re.compile(
    r"\bclips?\b|something that happened|events are only in memory|events were refused|is stuck",
    re.IGNORECASE,
)


def in_maintenance(since: datetime | None, now: datetime) -> bool:
    """Whether somebody works on a device; `since`: when they said so."""
    return since is not None and now - since < MAINTENANCE_LASTS


def tells_of_a_call(fault: str) -> bool:
    """Whether what a device says is wrong with it can come of a call of security, and so tell of a silent
    one. Only of our own kiosks' sentences can that be known."""
    return _OF_A_PRESS.search(fault) is not None
