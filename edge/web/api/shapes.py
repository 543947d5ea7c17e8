"""Values that many records of the API have, with their limits."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from broker.events import Name as Name

# Any text but the sign that no database keeps.
Text = Annotated[str, Meta(pattern=r"^[^\u0000]*$")]
Short = Annotated[Text, Meta(max_length=80)]
Tag = Annotated[str, Meta(max_length=16, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Moment = Annotated[
    Text,
    Meta(
        max_length=40,
        description="A day, or a time; the store's own unless it has an offset.",
        examples=["2026-03-01", "2026-03-01T14:30", "2026-03-01T14:30:00+01:00"],
    ),
]
BasedOn = Annotated[
    str | None,
    Meta(description="As it was read. If somebody changed it since, the answer is 409; null does not ask."),
]

T = TypeVar("T")


def shape(value: Any, wanted: type[T]) -> T:
    """A record of the store as one of the API, field by field."""
    return msgspec.convert(value, wanted, from_attributes=True)
