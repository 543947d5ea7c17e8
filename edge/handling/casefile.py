"""One incident with everything that belongs to it, as it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.evidence import register
from edge.evidence.register import Listed
from edge.incidents import entries, links, listing, store
from edge.incidents.classes import CHECKLISTS
from edge.incidents.entries import Entry, Identity
from edge.incidents.rules import Kind
from edge.incidents.store import Step
from edge.interactions import log
from edge.people import store as people


@dataclass(frozen=True)
class Check:
    """A point of the checklist; `done` says who ticked it and when."""

    key: str
    done: Step | None


@dataclass(frozen=True)
class Asked:
    """An associate whose own account was asked for."""

    person: str
    name: str
    at: datetime
    written: bool


@dataclass(frozen=True)
class Casefile:
    """`corrected` is the number of each entry that was corrected, with that of the one that corrects it;
    `identities` are by the id of an entry."""

    row: listing.Row
    steps: list[Step]
    entries: list[Entry]
    corrected: Mapping[int, int]
    checks: list[Check]
    requests: list[log.Row]
    clips: list[Listed]
    asked: list[Asked]
    identities: Mapping[str, Identity]

    def of(self, *kinds: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind in kinds]

    @property
    def lost_cents(self) -> int | None:
        """The sum of the losses that no further entry corrects; None where no amount is known."""
        losses = [
            entry.amount_cents
            for entry in self.of(Kind.LOSS)
            if entry.amount_cents is not None and entry.number not in self.corrected
        ]
        return sum(losses) if losses else None


def seen(conn: sa.Connection, name: str, incident_id: str, *, silent: bool) -> None:
    """NotFound if it is not there, or is silent and may not be seen."""
    listing.one(conn, name, incident_id, silent=silent)


def read(
    conn: sa.Connection,
    name: str,
    incident_id: str,
    overdue_at: datetime | None = None,
    *,
    silent: bool,
    silent_clips: bool,
) -> Casefile:
    """NotFound for a silent one without `silent`; without `silent_clips` there are no clips of silent
    requests. `overdue_at`: see clips.standing."""
    row = listing.one(conn, name, incident_id, silent=silent)
    steps, written = store.steps(conn, incident_id), entries.of_incident(conn, incident_id)
    ticks = store.ticks(steps)
    points = list(CHECKLISTS[row.classed_as])
    points += [key for key in ticks if key not in points]
    accounts = {entry.person for entry in written if entry.kind is Kind.ACCOUNT}
    return Casefile(
        row,
        steps,
        written,
        entries.corrected_by(written),
        [Check(key, ticks.get(key)) for key in points],
        log.among(conn, name, links.requests_of(conn, incident_id)),
        register.among(conn, name, links.clips_of(conn, incident_id), overdue_at, silent=silent_clips),
        [
            Asked(person, who.name if who else "", at, person in accounts)
            for person, at in store.asked(conn, incident_id).items()
            for who in [people.by_id(conn, name, person)]
        ],
        entries.identities(conn, incident_id),
    )
