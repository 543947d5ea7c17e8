"""The index of the log's words: kept by the worker, a moment behind what happens.

A press only leaves a mark (table log_due, by triggers); the worker reads the marked interactions in its own
time and writes their words. `place` orders the words as the log is ordered, so that the newest finds come
first without sorting all of them. Names stand there as they were when an interaction last changed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from edge.db.feedback_tables import feedback
from edge.db.store_tables import person, zone
from edge.db.tables import interaction, log_due, log_words, page, timeline
from edge.interactions.request import ENDINGS
from edge.interactions.wording import document, sought

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As many interactions may have been raised in one microsecond.
PLACES = 1024
# As many as a tap may wait for: 64 took 16 ms beside a million others here, one 2 ms.
BATCH = 64
# Of a request that was paged all night, what is said last.
_MOST_LINES = 300


def settle(conn: sa.Connection, store: str, limit: int = BATCH) -> int:
    """Write the words of up to `limit` marked interactions, the newest first; how many there were.

    Runs inside the caller's transaction.
    """
    d = log_due.c
    newest = sa.select(d.interaction).where(d.store == store).order_by(d.interaction.desc()).limit(limit)
    newest = newest.with_for_update(skip_locked=True)
    ids = [row[0] for row in conn.execute(newest)]
    if not ids:
        return 0
    # First the mark, then the reading: what changes from here on leaves a new mark.
    conn.execute(sa.delete(log_due).where(d.store == store, d.interaction.in_(ids)))
    conn.execute(sa.delete(log_words).where(log_words.c.interaction.in_(ids)))
    found = _documents(conn, store, ids)
    if found:
        taken = _taken(conn, [raised_at for _, raised_at, _ in found])
        rows = [
            {"store": store, "interaction": id_, "place": _free(raised_at, id_, taken), "words": words}
            for id_, raised_at, words in found
        ]
        conn.execute(sa.insert(log_words), rows)
    return len(ids)


def behind(conn: sa.Connection, store: str, most: int = 1000) -> int:
    """How many interactions wait for their words to be written; counted up to `most`."""
    some = sa.select(log_due.c.interaction).where(log_due.c.store == store).limit(most).subquery()
    return conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def first_place(at: datetime) -> int:
    """The first place of what was raised at `at`."""
    return (at - _EPOCH) // timedelta(microseconds=1) * PLACES


def place_of(conn: sa.Connection, interaction_id: str) -> int | None:
    """Where an interaction's words stand, once they do."""
    query = sa.select(log_words.c.place).where(log_words.c.interaction == interaction_id)
    return conn.execute(query).scalar()


# SQLite's index of log_words: a virtual table that triggers keep (migration "log words").
_fts = sa.table("log_index", sa.column("rowid", sa.BigInteger), sa.column("log_index"))


@dataclass(frozen=True)
class Held:
    """Where a search for words begins: what to select from, what must hold there, and what its finds are
    ordered by. SQLite's index gives them in order only by its own name for the place."""

    source: sa.FromClause
    holds: sa.ColumnElement[bool]
    place: sa.ColumnElement[int]


def holding(conn: sa.Connection, text: str) -> Held:
    """The entries in which, for each word of `text`, some word begins so. None for a text without words."""
    beginnings = sought(text)
    if not beginnings:
        return Held(log_words, sa.false(), log_words.c.place)
    if conn.dialect.name == "sqlite":
        match = " ".join(f'"{word}"*' for word in beginnings)
        joined = _fts.join(log_words, log_words.c.place == _fts.c.rowid)
        return Held(joined, _fts.c.log_index.op("MATCH")(match), _fts.c.rowid)
    vector = sa.func.array_to_tsvector(sa.func.string_to_array(log_words.c.words, sa.literal_column("' '")))
    query = sa.cast(" & ".join(f"'{word}':*" for word in beginnings), TSQUERY)
    return Held(log_words, vector.op("@@", is_comparison=True)(query), log_words.c.place)


def _documents(conn: sa.Connection, store: str, ids: Sequence[str]) -> list[tuple[str, datetime, str]]:
    """(id, raised_at, words) of these interactions."""
    parts: dict[str, list[str | None]] = defaultdict(list)
    i, owner = interaction.c, person.alias("owner")
    rows = conn.execute(
        sa.select(interaction, zone.c.title, owner.c.name.label("owner_name"))
        .select_from(
            interaction.outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone)).outerjoin(
                owner, owner.c.id == i.owner
            )
        )
        # No bare column: SQLite would rather read the store's whole log than look for each id.
        .where(i.store + "" == store, i.id.in_(ids))
    ).all()
    for row in rows:
        outcome = ENDINGS.get(row.outcome, row.outcome) if row.outcome else None
        # A code is said with its dash and typed without.
        parts[row.id] += [
            row.reference,
            row.reference.replace("-", ""),
            row.kind,
            row.topic,
            row.zone,
            row.title,
            row.device,
        ]
        parts[row.id] += [row.owner_name, outcome, row.note, row.reason]
    lines = sa.select(timeline.c.interaction, timeline.c.words).where(timeline.c.interaction.in_(ids))
    for line in conn.execute(lines.order_by(timeline.c.id.desc())):
        if len(parts[line.interaction]) < _MOST_LINES:
            parts[line.interaction].append(line.words)
    names = (
        sa.select(page.c.request, person.c.name)
        .select_from(page.join(person, person.c.id == page.c.person))
        .where(page.c.request.in_(ids))
        .distinct()
    )
    for request, name in conn.execute(names):
        parts[request].append(name)
    answers = sa.select(feedback.c.interaction, feedback.c.source, feedback.c.answers)
    for id_, source, given in conn.execute(answers.where(feedback.c.interaction.in_(ids))):
        parts[id_] += [source, *given.keys(), *given.values()]
    return [(row.id, row.raised_at, document(parts[row.id])) for row in rows]


def _taken(conn: sa.Connection, times: Sequence[datetime]) -> set[int]:
    bases = {first_place(at) for at in times}
    spans = [log_words.c.place.between(base, base + PLACES - 1) for base in bases]
    return set(conn.execute(sa.select(log_words.c.place).where(sa.or_(*spans))).scalars())


def _free(raised_at: datetime, id_: str, taken: set[int]) -> int:
    """A place of its own, by its id where several were raised at once."""
    base = first_place(raised_at)
    slot = _slot(id_)
    while base + slot in taken:
        slot += 1
    taken.add(base + slot)
    return base + slot


def _slot(id_: str) -> int:
    return int(id_.replace("-", "")[-3:], 16) % (PLACES // 2)
