"""What is to be seen at this moment, for every browser that looks; None while the panel is away."""

import threading

from kiosk.screen.messages import View


class Board:
    """Set by the link to the panel, waited for by the streams."""

    def __init__(self, language: str = "en", languages: list[str] | None = None) -> None:
        self._changed = threading.Condition()
        self._view: View | None = None
        self._version = 0
        # What an absent panel last offered, so that its absence is told in the shopper's language.
        self.language = language
        self.languages = languages or []

    def set(self, view: View | None) -> None:
        with self._changed:
            if view is not None:
                self.language, self.languages = view.language, list(view.languages)
            elif self._view is None and self._version:
                return
            self._view = view
            self._version += 1
            self._changed.notify_all()

    def look(self) -> tuple[int, View | None]:
        with self._changed:
            return self._version, self._view

    def wait(self, version: int, timeout_s: float) -> tuple[int, View | None]:
        """As look(), once it is another version or `timeout_s` is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout_s)
            return self._version, self._view
