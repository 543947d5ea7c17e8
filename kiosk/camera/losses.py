"""What the camera has not, or no longer: told to the store as an event, like a clip."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from broker.events import ClipLost, Clock

Why = Literal["late", "blind", "full", "unwritten", "damaged", "missing"]
# Of a clip, or of a cause that there is no clip of.
Lose = Callable[[Why, UUID | None, UUID | None], None]


class Loss(Struct, frozen=True):
    """A loss as the panel stores it. `clock` and `at_ms` (Unix) are of when it was found."""

    event: UUID
    content: ClipLost
    clock: Clock
    at_ms: int

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)
