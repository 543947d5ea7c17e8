"""How far a drill came, and whether it passed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# How long a drill may take, from its command to the kiosk's last word; True: the built-in responder answers.
LIMIT = {True: timedelta(seconds=30), False: timedelta(seconds=120)}

# The hops in their order, as the result names them, and what each is.
HOPS: dict[str, str] = {
    "asked": "Drill begun",
    "sent": "Command sent to the kiosk",
    "pressed": "Pressed and saved at the kiosk",
    "received": "Press received by the store",
    "paged": "Responder paged",
    "written": "Page sent to the phone",
    "delivered": "Page on the phone",
    "acknowledged": "Acknowledged",
    "told": "Kiosk has heard of it",
}


@dataclass(frozen=True)
class Known:
    """What is known of the drilled kiosk besides: its last word on itself, and when it was heard."""

    status: str = "unknown"
    status_at: datetime | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """`hop` is where it failed; None: it passed."""

    hop: str | None
    words: str


def judge(
    device: str,
    responder: str,
    passage: Mapping[str, datetime],
    until: datetime,
    known: Known,
    trouble: str | None,
    now: datetime,
    declined_at: datetime | None = None,
) -> Verdict | None:
    """None while a drill may still pass. `passage` is when each hop of HOPS was done, as far as is known;
    `trouble` what the built-in responder met."""
    if "told" in passage:
        took = (passage["told"] - passage["asked"]).total_seconds()
        return Verdict(None, f"The whole way took {took:.1f} s.")
    if declined_at is not None and "acknowledged" not in passage:
        return Verdict("acknowledged", f"{responder} said at {clock(declined_at)} that they cannot come.")
    if now < until:
        return None
    hop, since = missing(passage)
    at = clock(since)
    words = {
        "sent": f"The command for {device} has not left the server since {at}: the broker has not taken it.",
        "pressed": f"No press came from {device} since its command left at {at}; {_heard(known)}.",
        "received": f"The press at {device} of {at} has not reached the store; {_heard(known)}.",
        "paged": f"The press is here since {at}, and nobody was paged for it.",
        "written": f"The page for {responder} has not been sent to a phone since {at}.",
        "delivered": f"The page was sent at {at}; the phone of {responder} has not said that it is there.",
        "acknowledged": f"{responder} has not acknowledged the page since {at}.",
        "told": f"{device} has not said since {at} that it heard of the acknowledgement; {_heard(known)}.",
    }[hop]
    return Verdict(hop, f"{words} {trouble}" if trouble and hop in ("written", "delivered") else words)


def missing(passage: Mapping[str, datetime]) -> tuple[str, datetime]:
    """The first hop behind the last one that is known, and when that one was done."""
    names = list(HOPS)
    last = max(names.index(name) for name in passage)
    return names[last + 1], passage[names[last]]


def clock(at: datetime) -> str:
    """The time of day in the server's own zone."""
    return f"{at.astimezone():%H:%M:%S}"


def _heard(known: Known) -> str:
    if known.status == "offline" and known.status_at is not None:
        return f"it is offline since {clock(known.status_at)}"
    if known.heard_at is None:
        return "it was never heard"
    return f"it was last heard at {clock(known.heard_at)}"
