"""How long a device may be silent, and for how long somebody works on it. Pure."""

from datetime import datetime, timedelta

# A device beats every 5 s. Once three beats are missing, nobody knows that it is there.
SILENT_AFTER = timedelta(seconds=16)
# Whoever forgets to say that they are done has worked on it for a day.
MAINTENANCE_LASTS = timedelta(hours=24)


def in_maintenance(since: datetime | None, now: datetime) -> bool:
    """Whether somebody works on a device; `since`: when they said so."""
    return since is not None and now - since < MAINTENANCE_LASTS
