"""What is known of a happening, read when it is passed on: requests and incidents as facts."""

from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa
from msgspec.structs import replace

from edge.db.incident_tables import incident
from edge.db.store_tables import person, zone
from edge.db.tables import interaction
from edge.incidents.links import is_silent
from edge.incidents.store import numbered
from edge.outside.channels import CLOSED, OPENED, REOPENED, TEST, Channel, Happening
from edge.outside.store import Happened
from edge.outside.wording import Facts


@dataclass(frozen=True, slots=True)
class Known:
    """A happening for the rules, and all that could be said of it."""

    happening: Happening
    facts: Facts

    def for_channel(self, channel: Channel, base_url: str) -> Facts:
        """What this channel is told: names only where it has them, a link only where the desk is reached.

        Whoever is not told of silent requests gets no numbers: those that are missing would tell of them.
        """
        facts, base = self.facts, base_url.rstrip("/")
        return replace(
            facts,
            name=facts.name if channel.names else "",
            link=f"{base}{facts.link}" if base and facts.link else "",
            number=facts.number if channel.silent else "",
        )


def read(conn: sa.Connection, store: str, title: str, happened: Happened) -> Known | None:
    """None if it is not there any more."""
    if happened.what == TEST:
        return Known(Happening(TEST, channel=happened.channel), Facts(store, title, happened.at))
    if happened.what in (OPENED, CLOSED, REOPENED):
        return _of_incident(conn, store, title, happened)
    return _of_request(conn, store, title, happened)


def _of_request(conn: sa.Connection, store: str, title: str, happened: Happened) -> Known | None:
    i = interaction.c
    columns = i.zone, i.reference, i.drill, i.silent, i.raised_at, i.age_known, i.raised_by
    query = sa.select(*columns, zone.c.title).select_from(_with_zone(interaction))
    row = conn.execute(query.where(i.store == store, i.id == happened.subject)).first()
    if row is None:
        return None
    facts = Facts(
        store,
        title,
        row.raised_at,
        zone=row.zone,
        zone_title=row.title or row.zone,
        reference=row.reference,
        drill=row.drill,
        silent=row.silent,
        age_known=row.age_known,
        name=_name(conn, row.raised_by),
        link=f"/manage/log/{quote(happened.subject)}",
    )
    return Known(Happening(happened.what, row.drill, row.silent), facts)


def _of_incident(conn: sa.Connection, store: str, title: str, happened: Happened) -> Known | None:
    i = incident.c
    columns = i.zone, i.year, i.number, i.classed_as, i.outcome
    query = sa.select(*columns, zone.c.title, is_silent().label("silent"))
    query = query.select_from(_with_zone(incident)).where(i.store == store, i.id == happened.subject)
    row = conn.execute(query).first()
    if row is None:
        return None
    facts = Facts(
        store,
        title,
        happened.at,
        zone=row.zone,
        zone_title=row.title or row.zone,
        classed_as=row.classed_as,
        number=numbered(row.year, row.number),
        outcome=(row.outcome or "") if happened.what == CLOSED else "",
        silent=bool(row.silent),
        name=_name(conn, happened.person),
        link=f"/manage/incidents/{quote(happened.subject)}",
    )
    return Known(Happening(happened.what, False, bool(row.silent), row.classed_as), facts)


def _with_zone(table: sa.Table) -> sa.Join:
    return table.outerjoin(zone, sa.and_(zone.c.store == table.c.store, zone.c.name == table.c.zone))


def _name(conn: sa.Connection, person_id: str | None) -> str:
    if person_id is None:
        return ""
    return conn.execute(sa.select(person.c.name).where(person.c.id == person_id)).scalar() or ""
