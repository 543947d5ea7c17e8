"""The errors of the store server. Each message is one sentence for the person who reads it."""


class EdgeError(Exception):
    """Root of every error raised by this package."""


class Refused(EdgeError):
    """An action that the request's state does not allow. Nothing changed. A page answers 409.

    `holder` is the name of the person who has the request, where that is the reason.
    """

    def __init__(self, sentence: str, holder: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.holder = holder


class Faulty(EdgeError):
    """What was typed cannot be saved like this. The sentence says what to mend, `field` where."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NotFound(EdgeError):
    """There is no such thing in this store."""


class StorageError(EdgeError):
    """The database cannot be opened, is of another version, or cannot be written now."""
