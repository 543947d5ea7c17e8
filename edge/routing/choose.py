"""Who is best placed for a request: a pure function of (request, roster, presence, open work).

The reason in words goes on the timeline and on the page, so that nobody has to guess why they were called.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from edge.presence import AWAY
from edge.presence import Presence as Presence

BEST = 2
GREET = "greet"
# As the staff reads them; PRODUCT 8.
LANGUAGES = {"en": "English", "ca": "Catalan", "sr": "Serbian", "it": "Italian", "pt": "Portuguese"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: where, by which kind of request, in which language. `callers` asked for it, and are
    not called; who stands in for them is."""

    request: str
    kind: str
    zone: str
    zone_title: str
    language: str | None
    callers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person on the roster. `open_requests` are those that they are answering now."""

    id: str
    name: str
    role: str
    zones: frozenset[str] = field(default_factory=frozenset)
    languages: frozenset[str] = field(default_factory=frozenset)
    presence: Presence = Presence.AVAILABLE
    open_requests: int = 0
    # Who is called in their place while they are unreachable.
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    person: str
    name: str
    reason: str


def choose(
    wanted: Wanted, roster: Sequence[Colleague], groups: Sequence[str], already: Collection[str]
) -> list[Chosen]:
    """The people of these groups (one, best, zone, supervisors, security, all) who are not paged `already`.

    If that leaves a request for which nobody who is here was ever paged, everyone present is the fallback; a
    security request with nobody present goes to everyone on the roster. A greeting has no fallback, and is
    only for those who are free: help and security come first.
    """
    chosen: dict[str, Chosen] = {}
    for group in groups:
        for colleague, why in _group(group, wanted, roster, {*already, *chosen}):
            if colleague.id not in already and colleague.id not in chosen:
                chosen[colleague.id] = Chosen(colleague.id, colleague.name, why)
    if chosen or wanted.kind == GREET:
        return list(chosen.values())
    why = "nobody better placed is here; everyone is called"
    others = [c for c in roster if c.id not in wanted.callers]
    rest = [c for c in others if c.presence not in AWAY]
    if not rest and wanted.kind == "security":
        rest, why = others, "nobody is signed in; everyone on the roster is called"
    if any(c.id in already for c in rest):
        return []
    return [Chosen(c.id, c.name, why) for c in rest]


def seniors(roster: Sequence[Colleague]) -> list[Chosen]:
    """Who can be called to help a colleague: supervisors who are here, else those on break, else managers."""
    present = [c for c in roster if c.presence not in AWAY]
    supervisors = [c for c in present if c.role == "supervisor"]
    free = [c for c in supervisors if c.presence is not Presence.ON_BREAK]
    able = free or supervisors or [c for c in present if c.role in ("manager", "admin")]
    return [Chosen(c.id, c.name, c.role) for c in able]


def _group(
    group: str, wanted: Wanted, roster: Sequence[Colleague], called: Collection[str]
) -> list[tuple[Colleague, str]]:
    here = [(c, why) for c, why in _here(roster) if c.id not in wanted.callers]
    if wanted.kind != "security":
        here = [(c, why) for c, why in here if group == "all" or c.presence is not Presence.ON_BREAK]
    if wanted.kind == GREET:
        here = [(c, why) for c, why in here if c.presence is Presence.AVAILABLE and not c.open_requests]
    match group:
        case "one" | "best":
            free = [h for h in here if h[0].role == "associate" and h[0].presence is Presence.AVAILABLE]
            free.sort(key=lambda h: _rank(h[0], wanted))
            # Whoever also stands in for somebody is there twice.
            best: dict[str, tuple[Colleague, str]] = {}
            for c, why in free:
                best.setdefault(c.id, (c, why))
            if group == "one":
                # The best placed of those who are left.
                some = [h for id_, h in best.items() if id_ not in called][:1]
            else:
                some = _pair(list(best.values()), wanted)
            return [(c, _why(c, wanted, why)) for c, why in some]
        case "zone":
            zone = [(c, why) for c, why in here if c.role == "associate" and _in_zone(c, wanted)]
            return [(c, why or _place(c, wanted)) for c, why in zone]
        case "supervisors":
            return [(c, why or "supervisor") for c, why in here if c.role == "supervisor"]
        case "security":
            return [(c, why or "security") for c, why in here if c.role == "security"]
        case _:
            return [(c, why or "all hands") for c, why in here]


def _here(roster: Sequence[Colleague]) -> list[tuple[Colleague, str]]:
    """Who can be called, each as themselves and then as whoever they stand in for, with the reason."""
    known = {c.id: c for c in roster}
    found = [(c, "") for c in roster if c.presence not in AWAY]
    # Whoever stands in for several is called as the first of them by name.
    for away in sorted(roster, key=lambda c: (c.name, c.id)):
        cover = known.get(away.cover or "")
        if away.presence is Presence.UNREACHABLE and cover is not None and cover.presence not in AWAY:
            place = replace(cover, role=away.role, zones=away.zones)
            found.append((place, f"stands in for {away.name}"))
    return found


def _pair(best: list[tuple[Colleague, str]], wanted: Wanted) -> list[tuple[Colleague, str]]:
    """The first of them; one who speaks the language is among them if one is free (PRODUCT 8)."""
    pair, rest = best[:BEST], best[BEST:]
    if wanted.language and not any(wanted.language in c.languages for c, _ in pair):
        free = (h for h in rest if wanted.language in h[0].languages and not h[0].open_requests)
        if (speaker := next(free, None)) is not None:
            pair[-1] = speaker
    return pair


def _rank(colleague: Colleague, wanted: Wanted) -> tuple[int, bool, bool, bytes]:
    """Least busy among those in the zone, then language; equals take turns by a hash of the request."""
    away = not _in_zone(colleague, wanted)
    mute = wanted.language is not None and wanted.language not in colleague.languages
    turn = hashlib.blake2b(f"{wanted.request}{colleague.id}".encode(), digest_size=8).digest()
    return (2 * min(colleague.open_requests, 2) + away, mute, away, turn)


def _in_zone(colleague: Colleague, wanted: Wanted) -> bool:
    """Whoever has no zone of their own has the whole floor."""
    return wanted.zone in colleague.zones or not colleague.zones


def _place(colleague: Colleague, wanted: Wanted) -> str:
    if wanted.zone in colleague.zones:
        return f"works in {wanted.zone_title}"
    return "near enough" if colleague.zones else "has the whole floor"


def _why(colleague: Colleague, wanted: Wanted, stands_in: str) -> str:
    reasons = [stands_in or _place(colleague, wanted)]
    if wanted.language and wanted.language in colleague.languages:
        reasons.append(f"speaks {LANGUAGES.get(wanted.language, wanted.language)}")
    if colleague.open_requests:
        reasons.append(f"answering {colleague.open_requests}")
    else:
        reasons.append("free")
    return ", ".join(reasons)
