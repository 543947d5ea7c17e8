"""Long lists by pages, the newest first: the next page begins behind the last row of the one before."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """The last row of a page, by the time that the list is ordered by, and its id."""

    at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """What str() gave. ValueError for anything else."""
        micros, _, id_ = text.partition(".")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 17 and 0 < len(id_) <= 36):
            raise ValueError("This is not a place in a list.")
        return cls(_EPOCH + timedelta(microseconds=int(micros)), id_)

    def behind(self, at: sa.Column[Any], id_: sa.Column[Any]) -> sa.ColumnElement[bool]:
        """Whether a row with these columns stands behind it."""
        return sa.or_(at < self.at, sa.and_(at == self.at, id_ < self.id))
