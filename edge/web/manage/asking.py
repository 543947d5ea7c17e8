"""The log's filters as they stand in the address: read, written, and the ready-made ones."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, request, url_for

from edge.db.keyset import Cursor
from edge.interactions.filters import DRILLS
from edge.interactions.log import Filters
from edge.web.services import services

ASKED = (
    "from", "to", "kind", "zone", "person", "state", "topic", "language", "device", "outcome", "score",
    "drill", "wait", "q", "source", "judged", "about", "class", "before",
)  # fmt: skip
LABELS = {
    "q": "Words",
    "from": "From",
    "to": "To",
    "kind": "Kind",
    "class": "Class",
    "state": "State",
    "zone": "Zone",
    "topic": "Topic",
    "language": "Language",
    "device": "Kiosk",
    "person": "Person",
    "outcome": "Outcome",
    "score": "Rating",
    "wait": "Waited at least",
    "drill": "Drills",
    "before": "Before",
}
# Of the four faces, the two unhappy ones.
LOW = (1, 2)
LONGEST_WAIT_S = 86_400


@dataclass(frozen=True)
class Quick:
    """A ready-made part of the address, and whether it is the one that is chosen."""

    title: str
    address: str
    chosen: bool


def filters_here() -> Filters:
    """The filters in the address of this request. 400 for an address that says nonsense."""
    asked = request.args
    drill = asked.get("drill", "")
    if drill and drill not in DRILLS:
        abort(400, f"The address says drill={drill[:40]!r}; allowed are {', '.join(DRILLS)}.")
    return Filters(
        from_at=_time("from", asked.get("from", "")),
        to_at=_time("to", asked.get("to", ""), end=True),
        kind=asked.get("kind", "")[:16],
        zone=asked.get("zone", "")[:32],
        person=asked.get("person", "")[:36],
        state=asked.get("state", "")[:16],
        text=asked.get("q", "")[:100],
        topic=asked.get("topic", "")[:32],
        language=asked.get("language", "")[:16],
        device=asked.get("device", "")[:32],
        outcome=asked.get("outcome", "")[:32],
        scores=_scores(asked.get("score", "")),
        drill=drill,
        min_wait_s=_wait_s(asked.get("wait", "")),
        asked_at=services().clock(),
    )


def before_here(where: str = "in the log") -> Cursor | None:
    """?before= of this request: behind which row a list goes on. 400 for an address that says nonsense."""
    text = request.args.get("before")
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        abort(400, f"The address says a place {where} that does not exist; begin again at its top.")


def span_here() -> tuple[datetime | None, datetime | None]:
    """?from= and ?to= of this request. 400 for an address that says nonsense."""
    asked = request.args
    return _time("from", asked.get("from", "")), _time("to", asked.get("to", ""), end=True)


def address(endpoint: str = "manage.log", **changes: str | None) -> str:
    """An address with the filters of this one, but for `changes`."""
    asked: dict[str, Any] = {key: value for key, value in request.args.items() if value}
    asked.update(changes)
    # Only our own names: url_for would take '_external' and the like as its options.
    return url_for(endpoint, **{key: asked[key] for key in ASKED if asked.get(key)})


def spans(endpoint: str = "manage.log", otherwise: str = "Any day") -> list[Quick]:
    """Today, yesterday, this week, by the store's calendar; and what is shown without any of them."""
    today = services().clock().astimezone().date()
    return [
        quick(endpoint, "Today", {"from": today.isoformat(), "to": None}),
        quick(endpoint, "Yesterday", dict.fromkeys(("from", "to"), (today - timedelta(days=1)).isoformat())),
        quick(endpoint, "This week", {"from": _monday(today).isoformat(), "to": None}),
        quick(endpoint, otherwise, {"from": None, "to": None}),
    ]


def said(titles: dict[str, dict[str, str]]) -> list[str]:
    """What the address asks for, in words: 'Zone: Tills'. `titles` has those of values that mean something
    else than they say."""
    asked = ((label, key, request.args.get(key, "")) for key, label in LABELS.items())
    return [f"{label}: {titles.get(key, {}).get(value, value)[:100]}" for label, key, value in asked if value]


def looks() -> list[Quick]:
    """What a manager looks for most."""
    none: dict[str, str | None] = {"score": None, "state": None, "wait": None, "kind": None}
    return [
        quick("manage.log", "Everything", none),
        quick("manage.log", "Complaints", none | {"score": "low"}),
        quick("manage.log", "Missed", none | {"state": "missed", "kind": "help"}),
        quick("manage.log", "Waited over a minute", none | {"wait": "60"}),
        quick("manage.log", "Security", none | {"kind": "security"}),
    ]


def quick(endpoint: str, title: str, changes: dict[str, str | None]) -> Quick:
    """The address of now with these changes, as a link of its own."""
    chosen = all((request.args.get(key) or None) == value for key, value in changes.items())
    return Quick(title, address(endpoint, before=None, **changes), chosen)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _scores(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    if text == "low":
        return LOW
    if text in ("1", "2", "3", "4"):
        return (int(text),)
    abort(400, f"The address says score={text[:40]!r}; allowed are 1, 2, 3, 4 and low.")


def _wait_s(text: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text[:9]) <= LONGEST_WAIT_S and len(text) < 9:
        return int(text)
    abort(400, f"The address says wait={text[:40]!r}; it is seconds, up to {LONGEST_WAIT_S}.")


def _time(name: str, text: str, *, end: bool = False) -> datetime | None:
    """A day or a minute in the store's own time, if it says no other. The end of a span includes the day or
    minute it names; an instant to the second is the end itself."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if end:
            # Before the zone is put to it: a day on which the clocks change has 23 or 25 hours.
            named = {10: timedelta(days=1), 16: timedelta(minutes=1)}
            at += named.get(len(text), timedelta(0))
        return at.astimezone()
    except (ValueError, OverflowError):
        abort(
            400, f"The address says {name}={text[:40]!r}; a time looks like 2026-03-01 or 2026-03-01T14:30."
        )
