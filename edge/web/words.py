"""The words and times that templates show. Pure; what the wire calls things becomes what people call them."""

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby

from edge.interactions.log import Row
from edge.interactions.request import ENDINGS
from edge.lengths import in_words
from edge.pushing.told import Pushed

KINDS = {
    "help": "Help",
    "security": "Security",
    "greet": "Greeting",
    "feedback": "Feedback",
    "tamper": "Tamper",
    "drawer": "Drawer",
    "clip": "Clip",
    "trouble": "Trouble",
    "watch": "Movement",
}
# What a second pair of eyes is asked for.
EYES = {"drawer": "A drawer is open", "watch": "Movement where nobody should be"}
# What can be wrong with the store's own things.
TROUBLES = {
    "silent": "Kiosk not heard",
    "camera": "Something is wrong with a camera",
    "tamper": "A kiosk says that it was tampered with",
    "path": "Presses do not come through",
    "clock": "A clock is wrong",
    "certificate": "A certificate ends soon",
    "copied": "A kiosk's identity may have been copied",
    "disk": "A disk is nearly full",
    "hot": "A kiosk is too hot",
    "stuck": "A button is stuck",
    "fault": "A kiosk reports a fault",
    "refused": "A message was refused",
    "gap": "Something that a kiosk sent has not come",
    "custody": "A kiosk refuses the custody log",
    "drill": "A drill failed",
    "access": "An access request must be answered",
    "backup": "There is no new backup",
    "release": "A roll-out stopped",
    "incident": "An incident waits",
    "phone": "A phone does not answer",
    "broker": "The server hears no kiosk",
    "worker": "A part of the server is not heard: calls may wait",
}
STATES = {
    "raised": "Waiting",
    "acknowledged": "Coming",
    "attended": "There",
    "resolved": "Done",
    "cancelled": "Cancelled",
    "missed": "Missed",
    "recorded": "Recorded",
}
TOPICS = {
    "help": "Help",
    "find": "Find an item",
    "find-item": "Find an item",
    "find_item": "Find an item",
    "fitting-room": "Fitting room",
    "till": "Till",
    "collect": "Collect an order",
    "return": "Return or refund",
    "other": "Something else",
    "supervisor": "Supervisor",
}
LANGUAGES = {"en": "English", "ca": "Català", "sr": "Srpski", "it": "Italiano", "pt": "Português"}
ROLES = {
    "associate": "Associates",
    "supervisor": "Supervisors",
    "security": "Security",
    "manager": "Managers",
    "admin": "Administrators",
}
PRESENCES = {
    "available": "Available",
    "busy": "Busy",
    "on_break": "On break",
    "unreachable": "Unreachable",
    "off": "Off",
}
CLIP_STATES = {
    "announced": "Waiting for it",
    "sealed": "Sealed",
    "not_arrived": "Not arrived",
    "mismatched": "Not what was told of",
    "gone": "Gone from the card",
    "damaged": "Damaged on the card",
    "purged": "Deleted",
}
EXPORT_STATES = {
    "asked": "Being made",
    "ready": "Ready",
    "failed": "Could not be made",
    "removed": "Removed after a week",
}
ACCESS_STATES = {
    "open": "Open",
    "extended": "Open, extended",
    "answered": "Answered",
    "closed": "Closed",
}
OUTSIDE_STATES = {
    "waiting": "Waiting",
    "accepted": "Accepted",
    "refused": "Refused for good",
    "given_up": "Given up",
}
OUTCOMES_OUTSIDE = {
    "accepted": "Accepted",
    "refused": "Refused for good",
    "failed": "Did not get there",
    "unknown": "Not known",
}
DEEDS = {
    "begun": "Begun",
    "sealed": "Sealed",
    "mismatched": "Not what was told of",
    "lost": "Lost on the card",
    "viewed": "Looked at",
    "exported": "Exported",
    "downloaded": "Downloaded",
    "held": "Held",
    "release_asked": "Release asked for",
    "released": "Released",
    "purged": "Deleted",
    "erased": "Name erased",
    "restored": "Restored from a backup",
}
PAGE_STATES = {
    "pending": "Not sent yet",
    "sent": "Sent",
    "delivered": "On the phone",
    "seen": "Seen",
    "answered": "Answered",
    "superseded": "No answer needed",
    "declined": "Declined",
}
SOURCES = {
    "kiosk": "at the kiosk",
    "code": "on the shopper's phone",
    "phone": "by telephone",
    "letter": "by letter",
    "desk": "at the desk",
}
SCORES = {1: "Very unhappy", 2: "Unhappy", 3: "Happy", 4: "Very happy"}


def presence(state: str, until: datetime | None = None, cover: str | None = None) -> str:
    """'On break until 10:25', 'Unreachable: Bo stands in', or just the state."""
    said = PRESENCES.get(state, state)
    if until is not None:
        said += f" until {local(until):%H:%M}"
    return f"{said}: {cover} stands in" if cover else said


def topic(name: str | None) -> str:
    """'fitting-room' as 'Fitting room'; of a topic that is the store's own, its name."""
    if not name:
        return ""
    return TOPICS.get(name) or re.sub(r"[-_]+", " ", name).strip().capitalize()


def subject(kind: str, topic_name: str | None) -> str:
    """What an interaction is about, in a few words."""
    # A security request's topic is the gesture that raised it.
    if kind == "security":
        return KINDS[kind]
    if kind in EYES:
        return EYES[kind] if topic_name != "closed" else "A drawer is closed"
    if kind == "trouble":
        return TROUBLES.get(topic_name or "", KINDS[kind])
    # And a greeting's is the way that was taken.
    if kind == "greet":
        return {"in": "Somebody came in", "out": "Somebody went out"}.get(topic_name or "", KINDS[kind])
    return topic(topic_name) or KINDS.get(kind, kind.capitalize())


def shown_state(kind: str, state: str) -> tuple[str, str]:
    """The mark and the word for a state. That nobody went to greet is a fact, and no failure."""
    if kind == "greet" and state in ("raised", "missed"):
        return "recorded", {"raised": "Being called", "missed": "Not greeted"}[state]
    if kind in EYES and state == "missed":
        return "missed", "Nobody looked"
    return state, STATES.get(state, state)


def language(tag: str | None) -> str:
    return LANGUAGES.get(tag.split("-")[0], tag) if tag else ""


def outcome(key: str | None) -> str:
    return ENDINGS.get(key, key) if key else ""


def span(length: timedelta | None) -> str:
    """A length of time as people say it; '' for None."""
    return "" if length is None else in_words(length)


def open_for(length: timedelta) -> str:
    """'open for 23 days', 'open for less than a day'."""
    days = max(0, length.days)
    return "open for less than a day" if not days else f"open for {days} day{'s' * (days > 1)}"


def clock_span(length: timedelta) -> str:
    """A length of time without words, as scripts count it on: '1:05', '2:00:09'."""
    seconds = max(0, int(length.total_seconds()))
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def seconds_span(seconds: float) -> str:
    """Seconds as a length of time; below a minute exact to a tenth."""
    return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds < 60 else span(timedelta(seconds=seconds))


def counted_sum(counted: dict[int, int]) -> int:
    return sum(counted.values())


def chart_json(chart: object) -> str:
    """What charts.js draws, for an attribute."""
    return json.dumps(asdict(chart), separators=(",", ":"))  # type: ignore[call-overload]


def since_press(length: timedelta) -> str:
    """Exact to a tenth, for timelines: '+4.2 s', '+1:05.0'."""
    tenths = max(0, round(length.total_seconds() * 10))
    if tenths < 600:
        return f"+{tenths / 10:.1f} s"
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    head = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"+{head}:{rest // 10:02}.{rest % 10}"


def local(at: datetime) -> datetime:
    """In the store server's own time zone."""
    return at.astimezone()


def clock_time(at: datetime) -> str:
    return f"{local(at):%H:%M:%S}"


def day(at: datetime) -> str:
    here = local(at)
    return f"{here:%A} {here.day} {here:%B %Y}"


@dataclass(frozen=True)
class Day:
    """The rows of a log that were raised on one day, in their order."""

    day: str
    rows: list[Row]


def groupby_day(rows: list[Row]) -> list[Day]:
    return [Day(name, list(group)) for name, group in groupby(rows, key=lambda row: day(row.raised_at))]


def moment(at: datetime) -> str:
    """'2 March 2026, 14:05:10'."""
    here = local(at)
    return f"{here.day} {here:%B %Y, %H:%M:%S}"


def until(began: datetime, ended: datetime) -> str:
    """'2 March 2026, 14:05:10 to 14:25:10'; with the day again where it is another."""
    same = local(began).date() == local(ended).date()
    return f"{moment(began)} to {clock_time(ended) if same else moment(ended)}"


def size(count: int) -> str:
    """Bytes as people say them: '812 bytes', '4.1 MB'."""
    if count < 1000:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{count / 1e3:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def times(count: int) -> str:
    """'once', '3 times'."""
    return "once" if count == 1 else f"{count} times"


def first_text(pair: tuple[object, object]) -> tuple[str, object]:
    """(1, 'One') as ('1', 'One'): what a form compares."""
    return str(pair[0]), pair[1]


FILTERS = {
    "first_text": first_text,
    "seconds_span": seconds_span,
    "counted_sum": counted_sum,
    "chart_json": chart_json,
    "groupby_day": groupby_day,
    "times": times,
    "zip": zip,
    "topic": topic,
    "language": language,
    "outcome": outcome,
    "span": span,
    "open_for": open_for,
    "clock_span": clock_span,
    "since_press": since_press,
    "clock_time": clock_time,
    "day": day,
    "moment": moment,
    "until": until,
    "size": size,
    "local": local,
}


def pushed(one: Pushed) -> str:
    """How a push to a locked phone went, as far as is known."""
    if one.opened_at:
        return f"opened on the phone at {local(one.opened_at):%H:%M:%S}"
    if one.shown_at:
        return f"shown by the phone at {local(one.shown_at):%H:%M:%S}"
    if one.sent_at:
        return f"sent to the phone's push service at {local(one.sent_at):%H:%M:%S}"
    said = f" {one.words}" if one.words else ""
    tried = f"after {one.tries} {'try' if one.tries == 1 else 'tries'}."
    match one.state:
        case "waiting":
            return f"being tried.{said}" if one.tries else "not tried yet"
        case "over":
            return f"not needed any more {tried}{said}" if one.tries else "not needed any more"
        case "given_up":
            return f"given up {tried}{said}"
        case _:
            return f"not sent.{said}"
