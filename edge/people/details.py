"""What the desk says of a person, and the rules that it must keep. Pure."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
ROLES = ("associate", "supervisor", "security", "manager", "admin")
MAX_LANGUAGES, MAX_BADGE, MAX_NAME = 10, 64, 80


@dataclass(frozen=True, slots=True)
class Details:
    """No `zones` means the whole floor; `languages` are tags like "en", best first."""

    name: str
    role: str
    zones: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    badge: str | None = None

    def values(self) -> dict[str, Any]:
        """For the audit, and for the version that a form is based on."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    def tidy(self) -> "Details":
        """Without what people type by mistake: blanks around, twice the same."""
        return Details(
            " ".join(self.name.split()),
            self.role.strip().lower(),
            tuple(dict.fromkeys(self.zones)),
            tuple(dict.fromkeys(self.languages)),
            (self.badge or "").strip() or None,
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Which of the details is wrong, what it says, and a sentence with what is allowed."""

    field: str
    value: str
    sentence: str


def faults(details: Details, zones: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with details that are tidy; `zones` are the store's, name -> title."""
    found = []

    def wrong(field: str, value: str, sentence: str) -> None:
        found.append(Fault(field, value, sentence))

    name, badge = details.name, details.badge or ""
    if not 1 <= len(name) <= MAX_NAME:
        wrong("name", name, f"The name has {len(name)} letters; allowed are 1 to {MAX_NAME}.")
    elif not name.isprintable():
        wrong("name", name, "The name has signs that cannot be read; allowed are ordinary letters.")
    if details.role not in ROLES:
        wrong("role", details.role, f"The role is {details.role[:40]!r}; allowed are {', '.join(ROLES)}.")
    for zone in details.zones:
        if zone not in zones:
            allowed = ", ".join(zones) or "none yet"
            wrong("zones", zone, f"The zone is {zone[:40]!r}; this store has {allowed}.")
    for tag in details.languages:
        if len(tag) > 16 or not _LANGUAGE.fullmatch(tag):
            allowed = "tags like en, ca, sr, it, pt"
            wrong("languages", tag, f"The language is {tag[:40]!r}; allowed are {allowed}.")
    if not 1 <= len(details.languages) <= MAX_LANGUAGES:
        count = len(details.languages)
        wrong("languages", "", f"{count} languages are given; allowed are 1 to {MAX_LANGUAGES}.")
    if len(badge) > MAX_BADGE:
        wrong("badge", badge, f"The badge has {len(badge)} signs; allowed are up to {MAX_BADGE}.")
    elif not badge.isprintable():
        wrong("badge", badge, "The badge has signs that cannot be read; allowed are letters and digits.")
    return found
