"""Taking a CSV file of people in: first the plan, then all of it in one transaction or nothing."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor
from edge.db.store_tables import person
from edge.devices import store as devices
from edge.errors import Refused
from edge.handling import basis, staffing
from edge.people import importing, rights
from edge.people.details import Details
from edge.people.importing import Plan


class NotRight(Refused):
    """The file has faults, or says something else than what was confirmed. Nothing was written."""


def plan(conn: sa.Connection, store: str, actor: Actor, data: bytes) -> Plan:
    """What this file would do now, with what this actor may not do among its faults."""
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_change(by))
    p = person.c
    rows = conn.execute(
        sa.select(p.id, p.name, p.role, p.zones, p.languages, p.badge, p.active).where(p.store == store)
    ).all()
    known = {
        row.name.casefold(): Details(row.name, row.role, tuple(row.zones), tuple(row.languages), row.badge)
        for row in rows
    }
    ids = {row.name.casefold(): row for row in rows}
    in_charge = {row.id for row in rows if row.active and row.role in rights.CHANGERS}

    def refuse(before: Details | None, after: Details) -> str | None:
        if before is None:
            return rights.why_not_add(by, after.role)
        if before == after:
            return None
        row = ids[before.name.casefold()]
        if not row.active:
            return f"{before.name} is disabled; enable them first, or use another name."
        of_self, others = row.id == actor.person, len(in_charge - {row.id})
        return rights.why_not_edit(by, before.role, after.role, of_self=of_self, others_in_charge=others)

    return importing.read(data, devices.zones(conn, store), known, refuse)


def version(planned: Plan) -> str:
    """What a confirmation confirms."""
    lines = [[line.before.values() if line.before else None, line.after.values()] for line in planned.lines]
    return basis.of({"lines": lines, "faults": [fault.sentence for fault in planned.faults]})


def carry_out(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    data: bytes,
    confirmed: str,
    pin_hashes: Sequence[str],
    now: datetime,
) -> list[str]:
    """All of a plan, if it is still the one of version `confirmed`; who is new, in the order of `pin_hashes`.

    `pin_hashes` are made before (one for each person to add): hashing takes too long inside a transaction.
    """
    planned = plan(conn, store, actor, data)
    if planned.faults:
        raise NotRight(f"Line {planned.faults[0].line}: {planned.faults[0].sentence} Nothing was written.")
    new = planned.of("add")
    if version(planned) != confirmed or len(new) > len(pin_hashes):
        raise NotRight("The staff was changed meanwhile, so the file would do something else; look again.")
    ids: dict[str, str] = {
        row.name.casefold(): row.id
        for row in conn.execute(sa.select(person.c.id, person.c.name).where(person.c.store == store))
    }
    for line in planned.of("change"):
        assert line.before is not None
        staffing.change(conn, store, actor, ids[line.before.name.casefold()], line.after, now)
    for line, pin_hash in zip(new, pin_hashes, strict=False):
        staffing.add(conn, store, actor, line.after, now, pin_hash=pin_hash)
    return [line.after.name for line in new]
