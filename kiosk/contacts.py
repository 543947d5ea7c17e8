"""What a drawer's contact means: opened, closed. Pure: levels and seconds in, happenings out.

A contact bounces longer than a button, and a drawer that is pushed shut springs back: only a level that has
stood for a moment counts, and then from when it began. The first one is said too: the store may have heard of
another before the kiosk was switched off.
"""

from collections.abc import Callable, Sequence

from kiosk.config import Contact

SETTLED_S = 0.25


class ContactWatch:
    """One contact. Give it levels, and look() when due_at says so; each gives (open, since when) once."""

    def __init__(self) -> None:
        self._said: bool | None = None
        self._level: bool | None = None
        self._since_s = 0.0

    def level(self, is_open: bool, now_s: float) -> None:
        """The drawer seems open or shut, from `now_s` on."""
        if is_open != self._level:
            self._level, self._since_s = is_open, now_s

    def due_at(self) -> float | None:
        """When look() has something to say at the earliest."""
        return None if self._level is None or self._level == self._said else self._since_s + SETTLED_S

    def look(self, now_s: float) -> tuple[bool, float] | None:
        """What is new, if it has settled."""
        due_s = self.due_at()
        if due_s is None or now_s < due_s or self._level is None:
            return None
        self._said = self._level
        return self._level, self._since_s


class Contacts:
    """The contacts of a kiosk. `pressed` reads a pin's level as it is."""

    def __init__(self, contacts: Sequence[Contact]) -> None:
        self._contacts = {contact.name: contact for contact in contacts}
        self._watches = {contact.name: ContactWatch() for contact in contacts}

    def __contains__(self, name: str) -> bool:
        return name in self._contacts

    def begin(self, pressed: Callable[[str], bool], now_s: float) -> None:
        """Take them as they are."""
        for name in self._contacts:
            self.edge(name, pressed(name), now_s)

    def edge(self, name: str, closed: bool, at_s: float) -> None:
        """A contact closed or opened."""
        closed_means_open = self._contacts[name].open_when == "closed"
        self._watches[name].level(closed if closed_means_open else not closed, at_s)

    def due_at(self) -> float | None:
        times = [at_s for watch in self._watches.values() if (at_s := watch.due_at()) is not None]
        return min(times, default=None)

    def look(self, pressed: Callable[[str], bool], now_s: float) -> list[tuple[bool, float]]:
        """(open, since when) of each that is new."""
        news = []
        for name, watch in self._watches.items():
            due_s = watch.due_at()
            if due_s is None or now_s < due_s:
                continue
            # An edge that was lost is found here.
            self.edge(name, pressed(name), now_s)
            if (said := watch.look(now_s)) is not None:
                news.append(said)
        return news
