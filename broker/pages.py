"""What a hardware pager is told: that its holder is called, and that they need not answer any more."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from broker.events import Language, Milliseconds, Name, Topic

# Four lines of twenty signs.
MAX_TEXT = 80
PagerText = Annotated[str, Meta(max_length=MAX_TEXT)]


class Page(Struct, frozen=True, omit_defaults=True):
    """One call of a pager's holder about one request, or its end. The newest `revision` of a request counts.

    `text` is what to show; the rest is for pagers with words of their own. Of a `silent` request only `text`
    is shown, and nothing is sounded. `age_ms` is how old the request was when this was written; unless
    `age_known` it may be older. `why` and `name` (whoever is coming, is there or closed it) come with an end.
    After `valid_s` without another message the pager must say that it no longer knows.
    """

    page: UUID
    request: UUID
    revision: Annotated[int, Meta(ge=0)]
    state: Literal["call", "ended"]
    kind: Topic
    zone: Name
    zone_title: PagerText
    text: PagerText
    reference: Annotated[str, Meta(max_length=16)]
    valid_s: Annotated[int, Meta(ge=1, le=86_400)]
    age_ms: Milliseconds
    age_known: bool = True
    round: Annotated[int, Meta(ge=0)] = 0
    topic: Topic | None = None
    language: Language | None = None
    silent: bool = False
    drill: bool = False
    why: Literal["acknowledged", "attended", "resolved", "cancelled", "missed", "withdrawn"] | None = None
    name: Annotated[str, Meta(max_length=80)] | None = None
