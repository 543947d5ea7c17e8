"""A moment in a form: the store's own time, in minutes."""

from datetime import datetime

from flask import request

from edge.errors import Faulty

_MINUTE = "%Y-%m-%dT%H:%M"


def minute(at: datetime) -> str:
    """As a field of the kind datetime-local has it."""
    return at.astimezone().strftime(_MINUTE)


def at_here(now: datetime, name: str = "at") -> datetime | None:
    """What stands in this field; None if nothing does. As it knows minutes alone, the present one is now.
    Faulty."""
    text = request.form.get(name, "")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise Faulty(f"When is {text[:40]!r}; it looks like 2026-03-01T14:30.", name) from None
    return now if at.strftime(_MINUTE) == now.astimezone(at.tzinfo).strftime(_MINUTE) else at
