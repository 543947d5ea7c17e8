"""What the panel and its screen say to each other over a Unix socket: one JSON record a line.

The panel sends a View at the connection and at each change; the screen sends a Touch. The words are the
screen's business: here are only keys, which kiosk/screen/translations/ holds in every language.
A silent request is in no View, by construction: the panel makes Views from kiosk.display alone.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Word = Annotated[str, Meta(max_length=64)]


class Key(Struct, frozen=True):
    """One button to touch. `topic` is set where `action` is 'help'; `real`: there is also one to press."""

    name: Word
    action: Literal["help", "cancel", "attend", "looking"]
    topic: Word | None = None
    real: bool = False


class Asking(Struct, frozen=True, omit_defaults=True):
    """The shopper may give a score now, or has given it and is asked `questions` (broker.questions).

    `request` is what it is about, None for the visit. `ends_s` is the monotonic time at which it is over.
    `code` is the reference code of that request and `link` the address behind the QR code, if there is one.
    """

    request: str | None = None
    score: int | None = None
    questions: list[Word] = []
    code: str | None = None
    link: str | None = None
    ends_s: float = 0.0


class Filming(Struct, frozen=True, omit_defaults=True):
    """There is a camera. `watches`: it keeps the last `seconds` in memory, as its lamp says; False if that is
    not known. `notice` is the shop's own text for that."""

    watches: bool = False
    seconds: int = 0
    notice: Annotated[str, Meta(max_length=120)] = ""


class View(Struct, frozen=True, omit_defaults=True):
    """What is to be seen now. `text` and `args` are a sentence's key and values; `state` is that of the lamp.

    `note` is the key of what stands beside it for a while: a greeting, thanks, or what became of a score that
    was given while a request is open. `offer`: help was declined
    some time ago and is quietly offered again. `news` rises with each new thing said.
    """

    number: int
    language: Word
    languages: list[Word]
    state: Word
    text: Word
    keys: list[Key]
    args: dict[str, str] = {}
    name: str | None = None
    reference: str | None = None
    since_s: float = 0.0
    news: int = 0
    note: Word | None = None
    offer: bool = False
    asking: Asking | None = None
    filming: Filming | None = None
    zone: Word = ""


class Touch(Struct, frozen=True, omit_defaults=True):
    """One touch. `key`: the Key of that name. `language`: `value` is chosen. `score`: 1 to 4 in `value`.
    `answer`: `value` answers `question`. `dismiss`: the asking or the offer is put away."""

    what: Literal["key", "language", "score", "answer", "dismiss"]
    key: Word = ""
    value: Word = ""
    question: Word = ""
