"""Scores in the database: each given once, judged again whenever something near it becomes known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from edge.db.feedback_tables import feedback, judge_due
from edge.db.tables import interaction
from edge.feedback.judging import REPEAT, STAFF, Judged, Score, Verdict, judge

# How far around an instant a device's scores are read; further where one run reaches beyond.
AROUND = timedelta(minutes=2)
# Whoever arrives or closes does so within this long after the press.
LONGEST_HELP = timedelta(hours=1)
# A run is followed for some two hours either way; nobody hammers a face for longer without a pause.
MOST_RUN_READS = 5


@dataclass(frozen=True, slots=True)
class Given:
    """One score as it was given. `interaction` is its row in the log; `entered_by` who typed it in."""

    interaction: str
    device: str
    zone: str
    about: str | None
    source: str
    score: int
    answers: dict[str, str]
    at: datetime
    entered_by: str | None = None


_SCORES = sa.select(
    feedback.c.interaction.label("id"),
    feedback.c.at,
    feedback.c.score,
    feedback.c.about,
    feedback.c.source,
    feedback.c.judged,
    feedback.c.why,
)
_NEAR = _SCORES.where(
    feedback.c.store == sa.bindparam("in_store"),
    feedback.c.device == sa.bindparam("in_device"),
    feedback.c.at >= sa.bindparam("in_from"),
    feedback.c.at <= sa.bindparam("in_to"),
)
_OF_REQUESTS = _SCORES.where(
    feedback.c.store == sa.bindparam("in_store"),
    feedback.c.about.in_(sa.bindparam("in_requests", expanding=True)),
)
_STAFF = sa.select(
    interaction.c.attended_at,
    sa.case((interaction.c.state == "resolved", interaction.c.closed_at)).label("resolved_at"),
).where(
    interaction.c.store == sa.bindparam("in_store"),
    interaction.c.device == sa.bindparam("in_device"),
    interaction.c.raised_at >= sa.bindparam("in_from"),
    interaction.c.raised_at <= sa.bindparam("in_to"),
    interaction.c.kind.in_(("help", "security")),
    interaction.c.attended_at.is_not(None),
)


def _widen(new: Any, least: Any, most: Any) -> Any:
    """Add a mark, or make the one that is there wide enough for both."""
    d = judge_due.c
    wider = {"from_at": least(d.from_at, new.excluded.from_at), "to_at": most(d.to_at, new.excluded.to_at)}
    return new.on_conflict_do_update(index_elements=["store", "device"], set_=wider)


_DOUBT = {
    "sqlite": _widen(sqlite.insert(judge_due), sa.func.min, sa.func.max),
    "postgresql": _widen(postgresql.insert(judge_due), sa.func.least, sa.func.greatest),
}
_JUDGE = (
    sa.update(feedback)
    .where(feedback.c.interaction == sa.bindparam("in_id"))
    .values(judged=sa.bindparam("in_judged"), why=sa.bindparam("in_why"))
)


def insert(conn: sa.Connection, store: str, given: Sequence[Given]) -> None:
    """Write scores, counted until they are judged: call doubt() or judge_around() in the same transaction."""
    rows = [
        {
            "interaction": g.interaction,
            "store": store,
            "device": g.device,
            "zone": g.zone,
            "about": g.about,
            "source": g.source,
            "score": g.score,
            "answers": g.answers,
            "judged": Judged.COUNTED.value,
            "why": "",
            "at": g.at,
            "entered_by": g.entered_by,
        }
        for g in given
    ]
    if rows:
        conn.execute(sa.insert(feedback), rows)


def doubt(conn: sa.Connection, store: str, device: str, first: datetime, last: datetime) -> None:
    """Something new stands at this device between `first` and `last`: settle() judges what is near it.

    Judging reads all that hangs together, so nothing that a person waits for does it.
    """
    mark = {"store": store, "device": device, "from_at": first, "to_at": last}
    conn.execute(_DOUBT[conn.dialect.name], mark)


def settle(conn: sa.Connection, store: str) -> str | None:
    """Judge what is in doubt at one device; its name, or None if nothing is."""
    d = judge_due.c
    first = sa.select(d.device).where(d.store == store).limit(1).scalar_subquery()
    taken = sa.delete(judge_due).where(d.store == store, d.device == first)
    row = conn.execute(taken.returning(d.device, d.from_at, d.to_at)).first()
    if row is None:
        return None
    judge_around(conn, store, row.device, row.from_at, row.to_at)
    return str(row.device)


def judge_around(conn: sa.Connection, store: str, device: str, first: datetime, last: datetime) -> None:
    """Judge the device's scores from `first` to `last`, and whatever hangs together with them, again."""
    known = _scores(conn, _NEAR, store, device, first - STAFF, last + STAFF)
    if not known:
        return
    from_at, to_at = first - AROUND, last + AROUND
    for _ in range(MOST_RUN_READS):
        known = _scores(conn, _NEAR, store, device, from_at, to_at)
        times = [score.at for score, _ in known.values()]
        # A run that reaches to the edge may go on behind it.
        begins, ends = min(times) - from_at <= REPEAT, to_at - max(times) <= REPEAT
        if not begins and not ends:
            break
        from_at -= (to_at - from_at) if begins else timedelta()
        to_at += (to_at - from_at) if ends else timedelta()
    requests = sorted({score.about for score, _ in known.values() if score.about})
    if requests:
        given = {"in_store": store, "in_requests": requests}
        known |= {row.id: _known(row) for row in conn.execute(_OF_REQUESTS, given)}
    there = {"in_store": store, "in_device": device}
    there_at = [
        at
        for row in conn.execute(_STAFF, {**there, "in_from": from_at - LONGEST_HELP, "in_to": to_at + STAFF})
        for at in (row.attended_at, row.resolved_at)
        if at is not None
    ]
    verdicts = judge([score for score, _ in known.values()], there_at)
    changed = [
        {"in_id": id_, "in_judged": verdicts[id_].judged.value, "in_why": verdicts[id_].why}
        for id_, (_, before) in known.items()
        if verdicts[id_] != before
    ]
    if changed:
        conn.execute(_JUDGE, changed)


def tie(conn: sa.Connection, store: str, score: str, about: str) -> None:
    """Say which request a score speaks of."""
    given = (feedback.c.store == store, feedback.c.interaction == score)
    conn.execute(sa.update(feedback).where(*given).values(about=about))
    conn.execute(sa.update(interaction).where(interaction.c.id == score).values(about=about))


def complete(conn: sa.Connection, score: str, answers: dict[str, str], reason: str | None) -> None:
    """Put the answers to its questions beside a score."""
    conn.execute(sa.update(feedback).where(feedback.c.interaction == score).values(answers=answers))
    if reason:
        conn.execute(sa.update(interaction).where(interaction.c.id == score).values(reason=reason))


def given_by_code(conn: sa.Connection, store: str, about: str) -> Any:
    """What a shopper's own phone has said of a request: score, answers, reason, at. None if nothing."""
    query = (
        sa.select(feedback.c.score, feedback.c.answers, interaction.c.reason, feedback.c.at)
        .join(interaction, interaction.c.id == feedback.c.interaction)
        .where(feedback.c.store == store, feedback.c.about == about, feedback.c.source == "code")
    )
    return conn.execute(query).first()


_Known = tuple[Score, Verdict]


def _scores(
    conn: sa.Connection,
    query: sa.Select[tuple[object, ...]],
    store: str,
    device: str,
    from_at: datetime,
    to_at: datetime,
) -> dict[str, _Known]:
    values = {"in_store": store, "in_device": device, "in_from": from_at, "in_to": to_at}
    return {row.id: _known(row) for row in conn.execute(query, values)}


def _known(row: Any) -> _Known:
    score = Score(row.id, row.at, row.score, row.about, row.source)
    return score, Verdict(Judged(row.judged), row.why)
