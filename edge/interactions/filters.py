"""What the log can be narrowed to, and the conditions that it becomes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.tables import interaction, page

# 'only' drills, or everything 'without' them.
DRILLS = ("only", "without")


@dataclass(frozen=True)
class Filters:
    """What the log is narrowed to; None or '' where it is not. `to_at` is exclusive.

    `person` is whoever has the request or was paged for it; `text` is beginnings of words that all stand in
    it; `min_wait_s` how long it waited for an answer, or is waiting at `asked_at`. Without
    `with_silent` there are no silent requests.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    kind: str = ""
    zone: str = ""
    person: str = ""
    state: str = ""
    text: str = ""
    topic: str = ""
    language: str = ""
    device: str = ""
    outcome: str = ""
    scores: tuple[int, ...] = ()
    drill: str = ""
    min_wait_s: int | None = None
    asked_at: datetime | None = field(default=None, compare=False)
    with_silent: bool = field(default=True, compare=False)


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Everything but the text, which needs an index of its own."""
    i = interaction.c
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.from_at is not None:
        wanted.append(i.raised_at >= filters.from_at)
    if filters.to_at is not None:
        wanted.append(i.raised_at < filters.to_at)
    equal: tuple[tuple[sa.ColumnElement[Any], object], ...] = (
        (i.zone, filters.zone),
        (i.topic, filters.topic),
        (i.device, filters.device),
        (i.outcome, filters.outcome),
    )
    wanted += [column == value for column, value in equal if value]
    wanted += _rare(filters)
    if filters.language:
        # 'pt' is also 'pt-BR'.
        wanted.append(
            sa.or_(
                i.language == filters.language, i.language.startswith(f"{filters.language}-", autoescape=True)
            )
        )
    if filters.person:
        paged = sa.exists().where(page.c.person == filters.person, page.c.request == i.id)
        wanted.append(sa.or_(i.owner == filters.person, paged))
    if not filters.with_silent:
        wanted.append(sa.not_(i.silent))
    if filters.min_wait_s is not None:
        wanted.append(_waited(timedelta(seconds=filters.min_wait_s), filters.asked_at))
    return wanted


# Values that few rows have: each has an index of its own, which SQLite only takes for a value that it sees.
_SEEN_KINDS, _SEEN_STATES = ("security",), ("missed",)


def _rare(filters: Filters) -> list[sa.ColumnElement[bool]]:
    i = interaction.c
    wanted: list[sa.ColumnElement[bool]] = []
    for column, value, seen in ((i.kind, filters.kind, _SEEN_KINDS), (i.state, filters.state, _SEEN_STATES)):
        if value in seen:
            wanted.append(column == sa.literal_column(f"'{value}'"))
        elif value:
            wanted.append(column == value)
    if filters.scores:
        wanted.append(i.score.in_(filters.scores))
    if filters.drill:
        wanted.append(i.drill if filters.drill == "only" else sa.not_(i.drill))
    return wanted


def _waited(least: timedelta, asked_at: datetime | None) -> sa.ColumnElement[bool]:
    """From the press to the answer, or, where there was none, to the end or to now. Requests alone wait."""
    i = interaction.c
    ended = sa.func.coalesce(i.acknowledged_at, i.closed_at, type_=sa.BigInteger)
    raised = sa.type_coerce(i.raised_at, sa.BigInteger)
    waited: sa.ColumnElement[bool] = ended - raised >= least // timedelta(microseconds=1)
    if asked_at is not None:
        still = sa.and_(i.acknowledged_at.is_(None), i.closed_at.is_(None), i.raised_at <= asked_at - least)
        waited = sa.or_(waited, still)
    return sa.and_(i.kind.in_(("help", "security")), i.age_known, waited)
