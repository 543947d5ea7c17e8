"""What all tables are made of: one metadata, instants, ids and names."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC: exact, sortable and the same in every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def moved(column: sa.Column[datetime], by: timedelta) -> sa.ColumnElement[int]:
    """A column of instants, later by so much, for an UPDATE."""
    return sa.type_coerce(column, sa.BigInteger) + by // _MICROSECOND


def id_kind() -> sa.String:
    return sa.String(36)


def name_kind() -> sa.String:
    return sa.String(32)


counter_kind = sa.BigInteger().with_variant(sa.Integer, "sqlite")
