"""The story's incidents: of each security request that was no drill, by the functions that pages call."""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa

from deploy.demo.history.records import Row
from edge.handling import incidents, writing
from edge.handling.writing import Said
from edge.incidents import store
from edge.incidents.classes import CHECKLISTS
from edge.incidents.rules import Kind
from edge.interactions.request import OUTCOMES
from edge.people.store import Person

# What is younger than that is still looked into.
OPEN_FOR = dt.timedelta(days=2)


def tell(conn: sa.Connection, name: str, rows: Iterable[Row], staff: list[Person], now: dt.datetime) -> None:
    """Open, write down, tick and close, each at its time."""
    decider = next((p for p in staff if p.role == "supervisor"), None)
    for row in sorted(rows, key=lambda row: row["raised_at"]):
        if row["kind"] != "security" or row["drill"] or row["closed_at"] is None or decider is None:
            continue
        about = incidents.of_request(conn, name, row["id"], row["raised_at"] + dt.timedelta(seconds=2))
        note, owner = row["note"] or "", row["owner"]
        if row["outcome"] == "false-alarm":
            at = row["closed_at"] + dt.timedelta(minutes=20)
            if at < now:
                incidents.close(conn, name, about, decider.id, "false-alarm", note, None, at, "desk")
            continue
        wrote_at = row["closed_at"] + dt.timedelta(minutes=3)
        if owner is None or wrote_at >= now:
            continue
        words = note or OUTCOMES.get(row["outcome"] or "", "Handled") + "."
        writing.write(conn, name, about, owner, Said(Kind.STATEMENT, words), wrote_at, "phone")
        police = "police" in words.lower()
        classed = "theft" if "shoplifter" in words.lower() else "threat"
        looked_at = wrote_at + dt.timedelta(hours=2)
        if looked_at >= now:
            continue
        found = store.load(conn, name, about)
        where = classed, found.zone, found.happened_at
        incidents.correct(conn, name, about, decider.id, *where, None, looked_at, "desk")
        for check in CHECKLISTS[classed]:
            if check != "police-called" or police:
                incidents.tick(conn, name, about, decider.id, check, True, looked_at, "desk")
        if police:
            loss = Said(Kind.LOSS, "Two bottles of perfume; he gave them back", amount_cents=8_990)
            writing.write(conn, name, about, decider.id, loss, looked_at, "desk")
        if row["raised_at"] < now - OPEN_FOR:
            outcome = "police" if police else "settled"
            incidents.close(conn, name, about, decider.id, outcome, "", None, looked_at, "desk")
