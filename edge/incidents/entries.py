"""What is written into an incident: rows that are only ever added, and identities apart from them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.incident_tables import incident_entry, incident_identity
from edge.incidents.rules import Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `number` counts within the incident; `corrects` is the number of the one it corrects.

    `said_by` and `happened_at` are a statement's, `role` a person's, `amount_cents` a loss's.
    """

    id: str
    number: int
    kind: Kind
    words: str
    said_by: str
    role: str | None
    amount_cents: int | None
    happened_at: datetime | None
    corrects: int | None
    person: str
    name: str
    through: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person involved is, and why that is written down."""

    entry: str
    identity: str
    reason: str
    name: str
    written_at: datetime


_COLUMNS = [incident_entry.c[name] for name in Entry.__dataclass_fields__]


def add(conn: sa.Connection, store: str, incident_id: str, entry: Entry) -> None:
    row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__} | {"kind": entry.kind.value}
    conn.execute(sa.insert(incident_entry).values(store=store, incident=incident_id, **row))


def of_incident(conn: sa.Connection, incident_id: str) -> list[Entry]:
    """All of them, also those that were corrected, in the order in which they were written."""
    e = incident_entry.c
    query = sa.select(*_COLUMNS).where(e.incident == incident_id).order_by(e.number)
    return [_entry(row) for row in conn.execute(query)]


def find(conn: sa.Connection, store: str, entry_id: str) -> tuple[str, Entry] | None:
    """An entry, and the incident that it is written into."""
    e = incident_entry.c
    query = sa.select(e.incident, *_COLUMNS).where(e.store == store, e.id == entry_id)
    row = conn.execute(query).first()
    return None if row is None else (row[0], _entry(row[1:]))


def corrected_by(entries: list[Entry]) -> dict[int, int]:
    """The number of each entry that was corrected, with that of the one which corrects it."""
    return {entry.corrects: entry.number for entry in entries if entry.corrects is not None}


def identify(conn: sa.Connection, store: str, identity: Identity, person: str) -> None:
    """Say who it is. A newer word takes the place of an earlier one; the timeline tells that it did."""
    i = incident_identity.c
    conn.execute(sa.delete(incident_identity).where(i.store == store, i.entry == identity.entry))
    conn.execute(
        sa.insert(incident_identity).values(
            store=store,
            person=person,
            entry=identity.entry,
            identity=identity.identity,
            reason=identity.reason,
            name=identity.name,
            written_at=identity.written_at,
        )
    )


def identities(conn: sa.Connection, incident_id: str) -> dict[str, Identity]:
    """What is known of who the people involved are, by the id of their entry."""
    i, e = incident_identity.c, incident_entry.c
    columns = [i[name] for name in Identity.__dataclass_fields__]
    query = sa.select(*columns).join(incident_entry, e.id == i.entry).where(e.incident == incident_id)
    return {row.entry: Identity(*row) for row in conn.execute(query)}


def _entry(row: sa.Row[tuple[object, ...]] | tuple[object, ...]) -> Entry:
    values = dict(zip(Entry.__dataclass_fields__, row, strict=True))
    return Entry(**(values | {"kind": Kind(values["kind"])}))  # type: ignore[arg-type]
