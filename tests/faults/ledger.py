"""Pressed against saved against logged: the books of a run, and every way in which they may not agree."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from broker.events import reference_of
from tests.faults.booth import Booth
from tests.rig.store import Rig


@dataclass
class Books:
    """`wrong` has a sentence for each disagreement; a run passes only with none."""

    pressed: int = 0
    unsaved: int = 0
    saved: int = 0
    logged: int = 0
    events: int = 0
    lost: int = 0
    duplicated: int = 0
    phantom: int = 0
    paged_twice: int = 0
    pages: int = 0
    requests: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        return {
            "pressed": self.pressed,
            "not yet saved when its kiosk was killed": self.unsaved,
            "logged": self.logged,
            "lost": self.lost,
            "duplicated": self.duplicated,
            "phantom": self.phantom,
            "paged twice": self.paged_twice,
        }


@dataclass
class Pressed:
    """What was done before one kiosk. `unsure`: it was killed before it answered; `late`: just after."""

    presses: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)


def balance(
    rig: Rig, booths: Sequence[Booth], pressed: dict[str, Pressed] | None = None, *, from_memory: int = 0
) -> Books:
    """Compare. `pressed` is each kiosk's presses by kind; None where only what was saved is known.

    `from_memory` events went out from a kiosk whose disk took nothing, and are in no outbox.
    """
    books = Books()
    _events(rig, booths, books, from_memory)
    _interactions(rig, books)
    _pages(rig, books)
    for booth in booths:
        _said(rig, booth, books)
        if pressed is not None:
            _presses(booth, pressed[booth.name], books)
    if pressed is None:
        books.pressed = books.saved
    return books


def _events(rig: Rig, booths: Sequence[Booth], books: Books, from_memory: int) -> None:
    """Each event of an outbox is committed once, with the same content; and nothing else is."""
    # Phones and pagers have no outbox: tests.faults.security looks after their calls.
    devices = {booth.device for booth in booths}
    committed = {
        (str(device), str(event)): bytes(payload)
        for device, event, payload in rig.read("SELECT device, id, payload FROM event")
        if device in devices
    }
    kept = {(b.device, e.id): e for b in booths for e in b.kept()}
    for (device, event_id), event in kept.items():
        books.saved += event.presses
        if event.refused is not None:
            books.lost += event.presses
            books.wrong.append(f"{device}: {event.kind} {event_id} was refused: {event.refused}")
        elif (device, event_id) not in committed:
            books.lost += event.presses
            books.wrong.append(f"{device}: {event.kind} {event_id} is saved and not logged.")
        elif committed[device, event_id] != event.payload:
            books.wrong.append(f"{device}: {event.kind} {event_id} has other content at the server.")
    unnumbered = {(str(d), str(e)) for d, e in rig.read("SELECT device, id FROM event WHERE seq IS NULL")}
    sent = sorted((committed.keys() - kept.keys()) & unnumbered)[:from_memory]
    books.saved += len(sent)
    for key in committed.keys() - kept.keys() - set(sent):
        books.phantom += 1
        books.wrong.append(f"{key[0]}: {key[1]} is logged and in no outbox.")
    books.events = len(committed)
    (aside,) = rig.read("SELECT count(*), max(reason) FROM quarantine")
    if aside[0]:
        books.wrong.append(f"{aside[0]} payloads are in quarantine: {aside[1]}")
    for row in rig.read("SELECT device, first_seq, last_seq FROM gap WHERE closed_at IS NULL"):
        books.wrong.append(f"{row[0]}: a gap from {row[1]} to {row[2]} stands open.")


def _interactions(rig: Rig, books: Books) -> None:
    """Each press stands in one interaction, once: counts are compared request by request."""
    wanted: Counter[str] = Counter()
    rows = rig.read("SELECT id, kind, interaction, payload FROM event WHERE kind IN ('help', 'security')")
    for event_id, _kind, joined, payload in rows:
        data = json.loads(bytes(payload))["data"]
        wanted[str(joined or event_id)] += int(data.get("count", 1))
    (others,) = rig.read("SELECT count(*) FROM event WHERE kind IN ('cancel', 'attend')")
    books.logged = int(others[0])
    found = {
        str(request): int(count)
        for request, count in rig.read("SELECT id, count FROM interaction WHERE kind IN ('help', 'security')")
    }
    books.requests = len(found)
    for request, count in found.items():
        books.logged += count
        if count > wanted[request] > 0:
            books.duplicated += count - wanted[request]
        elif wanted[request] == 0:
            books.phantom += count
    for request, count in wanted.items():
        if found.get(request, 0) < count:
            books.lost += count - found.get(request, 0)
    for request in found.keys() | wanted.keys():
        if found.get(request, 0) != wanted[request]:
            books.wrong.append(f"{request} counts {found.get(request, 0)}, its events {wanted[request]}.")


def _pages(rig: Rig, books: Books) -> None:
    """One page and one feed entry for each (request, person, round)."""
    told: Counter[tuple[str, str, int]] = Counter()
    for audience, body in rig.read("SELECT audience, body FROM feed WHERE what = 'page'"):
        page = json.loads(str(body))
        told[page["request"], str(audience).removeprefix("person:"), page["round"]] += 1
    pages: Counter[tuple[str, str, int]] = Counter()
    for request, person, number in rig.read("SELECT request, person, round FROM page"):
        pages[str(request), str(person), int(number)] += 1
    books.pages = len(pages)
    for key in told.keys() | pages.keys():
        if told[key] != 1 or pages[key] != 1:
            books.paged_twice += max(told[key], pages[key]) > 1
            books.wrong.append(
                f"Request {key[0]}, round {key[2]}: {pages[key]} pages, told {told[key]} times."
            )


def _said(rig: Rig, booth: Booth, books: Books) -> None:
    """What a kiosk has shown as saved is in its outbox; what it has shown as sent is at the server."""
    saved = {event.reference for event in booth.kept()}
    logged = {reference_of(UUID(str(row[0]))) for row in rig.read("SELECT id FROM event")}
    for life in booth.lives:
        for reference in life.saved - saved:
            books.lost += 1
            books.wrong.append(f"{booth.name} showed {reference} as saved; it is not in its outbox.")
        for reference in life.sent - logged:
            books.lost += 1
            books.wrong.append(f"{booth.name} showed {reference} as sent; the store does not have it.")


def _presses(booth: Booth, pressed: Pressed, books: Books) -> None:
    """The outbox against the fingers. More than was pressed is a phantom; less must be a kill's doing."""
    saved: Counter[str] = Counter()
    for event in booth.kept():
        saved[event.kind] += event.presses
    for kind in ("help", "security"):
        sure, most = pressed.presses[kind], pressed.presses[kind] + pressed.unsure[kind]
        books.pressed += sure
        if saved[kind] > most:
            books.phantom += saved[kind] - most
            books.wrong.append(f"{booth.name}: {saved[kind]} x {kind} saved, {most} pressed at most.")
        missing = max(0, sure - saved[kind])
        books.unsaved += missing
        if missing > pressed.late[kind]:
            books.lost += missing - pressed.late[kind]
            books.wrong.append(
                f"{booth.name}: {missing} x {kind} pressed and not saved; "
                f"only {pressed.late[kind]} came just before a kill."
            )
    # Cancel and 'here' count only while a request is open: the outbox says how often they did.
    for kind in ("cancel", "attend"):
        books.pressed += saved[kind]
        if saved[kind] > _most(pressed, kind):
            books.phantom += 1
            books.wrong.append(
                f"{booth.name}: {saved[kind]} x {kind} saved, more than can come of its presses."
            )


def _most(pressed: Pressed, kind: str) -> int:
    presses = pressed.presses[kind] + pressed.unsure[kind]
    if kind == "attend":
        return presses
    # One cancel also withdraws the presses that were not receipted yet.
    return presses + pressed.presses["help"] + pressed.unsure["help"]
