"""Every score with what became of it: newest first, and totals of all that came and of what counts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge.db.feedback_tables import feedback
from edge.db.store_tables import person, zone
from edge.db.tables import interaction
from edge.feedback.judging import Judged

SCORES = (1, 2, 3, 4)
SOURCES = ("kiosk", "code", "phone", "letter", "desk")
# What a score speaks of.
ABOUT = ("request", "visit")


@dataclass(frozen=True)
class Filters:
    """What the scores are narrowed to; None or '' where they are not. `to_at` is exclusive."""

    from_at: datetime | None = None
    to_at: datetime | None = None
    zone: str = ""
    device: str = ""
    scores: tuple[int, ...] = ()
    source: str = ""
    judged: str = ""
    about: str = ""


@dataclass
class Totals:
    """How many scores came, by what they were judged and by face; and the answers of those that count."""

    scores: dict[Judged, dict[int, int]] = field(
        default_factory=lambda: {judged: dict.fromkeys(SCORES, 0) for judged in Judged}
    )
    answers: dict[str, Counter[str]] = field(default_factory=dict)

    def of(self, *judged: Judged) -> int:
        """How many were judged so; of all, if none is named."""
        return sum(sum(self.scores[one].values()) for one in judged or Judged)

    def faces(self, *judged: Judged) -> dict[int, int]:
        """How often each face was chosen in those judged so; in all, if none is named."""
        return {score: sum(self.scores[one][score] for one in judged or Judged) for score in SCORES}

    @property
    def all(self) -> int:
        return self.of()

    @property
    def counted(self) -> int:
        return self.of(Judged.COUNTED)

    @property
    def bursts(self) -> int:
        return self.of(Judged.BURST)

    @property
    def by_staff(self) -> int:
        return self.of(Judged.STAFF)


@dataclass(frozen=True)
class Opinion:
    """One score. `reason` is the shopper's own words, `why` the rule by which it was judged; `reference` and
    `topic` are those of the request that it speaks of, if it speaks of one."""

    interaction: str
    at: datetime
    score: int
    answers: dict[str, str]
    reason: str | None
    source: str
    judged: str
    why: str
    zone: str
    zone_title: str | None
    device: str
    about: str | None
    reference: str | None
    topic: str | None
    owner_name: str | None
    entered_by: str | None


def totals(conn: sa.Connection, store: str, filters: Filters) -> Totals:
    found = Totals()
    f = feedback.c
    where = (f.store == store, *_conditions(filters))
    counted = sa.select(f.judged, f.score, sa.func.count()).where(*where).group_by(f.judged, f.score)
    for judged, score, count in conn.execute(counted):
        found.scores[Judged(judged)][score] = count
    given = sa.select(f.answers).where(*where, f.judged == Judged.COUNTED.value)
    for (answers,) in conn.execution_options(yield_per=2000).execute(given):
        for question, answer in answers.items():
            found.answers.setdefault(question, Counter())[answer] += 1
    return found


def newest(
    conn: sa.Connection, store: str, filters: Filters, before: tuple[datetime, str] | None, limit: int
) -> list[Opinion]:
    """Up to `limit` scores, the newest first, behind the one of this (time, id)."""
    f, i, about, owner = feedback.c, interaction.c, interaction.alias("request"), person.alias("owner")
    query = (
        sa.select(
            f.interaction, f.at, f.score, f.answers, i.reason, f.source, f.judged, f.why, f.zone,
            zone.c.title.label("zone_title"), f.device, f.about, about.c.reference, about.c.topic,
            owner.c.name.label("owner_name"), person.c.name.label("entered_by"),
        )
        .select_from(
            feedback.join(interaction, i.id == f.interaction)
            .outerjoin(about, about.c.id == f.about)
            .outerjoin(owner, owner.c.id == about.c.owner)
            .outerjoin(person, person.c.id == f.entered_by)
            .outerjoin(zone, sa.and_(zone.c.store == f.store, zone.c.name == f.zone))
        )
        .where(f.store == store, *_conditions(filters))
    )  # fmt: skip
    if before is not None:
        at, id_ = before
        query = query.where(f.at <= at, sa.or_(f.at < at, f.interaction < id_))
    query = query.order_by(f.at.desc(), f.interaction.desc()).limit(limit)
    return [Opinion(**row) for row in conn.execute(query).mappings()]


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    f = feedback.c
    equal: tuple[tuple[sa.ColumnElement[Any], str], ...] = (
        (f.zone, filters.zone),
        (f.device, filters.device),
        (f.source, filters.source),
        (f.judged, filters.judged),
    )
    wanted: list[sa.ColumnElement[bool]] = [column == value for column, value in equal if value]
    if filters.from_at is not None:
        wanted.append(f.at >= filters.from_at)
    if filters.to_at is not None:
        wanted.append(f.at < filters.to_at)
    if filters.scores:
        wanted.append(f.score.in_(filters.scores))
    if filters.about:
        wanted.append(f.about.is_not(None) if filters.about == "request" else f.about.is_(None))
    return wanted
