"""A furnished store whose every trace can be read, put back to how it was before each deed."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from broker.events import reference_of
from deploy.provision import writing
from edge import create_app
from edge.config import EdgeConfig
from edge.db import store_tables, tables
from edge.evidence.files import VaultFiles
from edge.people import sessions
from edge.people import store as people
from edge.people.store import Person
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web.access import COOKIES
from edge.web.services import Services
from tests.rig import furnished

from .conftest import Browser
from .test_objects import more

ORIGIN = "https://floorbell.shop.example"
PROGRAM = "Everything"
# Where traces are: what each row says of what was done to what, by whom and through what.
TRACES: Mapping[str, tuple[str, ...]] = {
    "audit": ("what", "subject", "actor", "through"),
    "custody": ("action", "subject", "actor"),
    "timeline": ("what", "interaction", "person", "through"),
    "incident_step": ("what", "incident", "name", "through"),
    "incident_entry": ("kind", "incident", "name", "through"),
    "access_step": ("what", "request", "name", "through"),
}
Rows = dict[str, dict[tuple[Any, ...], sa.RowMapping]]


@dataclass(frozen=True)
class Deed:
    """One change, and what is written down of it: `audit` as 'kind subject', all of it and nothing else.
    Where that is nothing, `elsewhere` are rows as 'table kind subject' and `holds` a query that answers 1;
    `why` says why. `first` are deeds before it, `before` statements, `phone` who is signed in on one; `of`
    is what the address names instead."""

    audit: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    phone: str = ""
    elsewhere: tuple[str, ...] = ()
    holds: str = ""
    why: str = ""


class Traced:
    """`names` as in furnished.furnish(), and what deeds answered; `now` stands still."""

    def __init__(self, config: EdgeConfig) -> None:
        self.names = furnished.furnish(config)
        told = sa.select(store_tables.device.c.heartbeat_at).where(
            store_tables.device.c.name == "kiosk-tills"
        )
        with writing(config) as conn:
            self.now: datetime = conn.execute(told).scalar_one()
        web = msgspec.structs.replace(config.web, origin=ORIGIN)
        self.config = msgspec.structs.replace(config, web=web)
        self.names |= more(config, self.names)
        secret = tokens.fresh()
        with writing(config) as conn:
            tokens.add(conn, config.store, PROGRAM, list(SCOPES), tokens.key_of(secret), "Helen", self.now)
            page = sa.select(tables.page.c.id).where(tables.page.c.request == self.names["waiting"])
            self.names["page"] = conn.execute(page).scalar_one()
            hold = "SELECT id FROM hold WHERE reason = 'Police case 12'"
            self.names["hold"] = conn.execute(sa.text(hold)).scalar_one()
        # As if the vault had made it.
        VaultFiles(config.vault_path).exported(UUID(self.names["exported"])).write_bytes(b"PK")
        self.names |= {"channel": "guards"}
        today = self.now.astimezone().date()
        self.names |= {"today": str(today), "month_ago": str(today - timedelta(days=30))}
        self.names |= {"hour_ago": (self.now - timedelta(hours=1)).isoformat(), "now": self.now.isoformat()}
        eve = f"{self.now.astimezone() - timedelta(days=1):%Y-%m-%d}"
        self.names |= {"from": f"{eve}T10:00", "to": f"{eve}T11:00"}
        for name, id_ in list(self.names.items()):
            self.call(name, id_)
        self.furnished = dict(self.names)
        self.file = Path(config.directory) / config.database
        self.kept = self.file.with_name("kept.db")
        with closing(sqlite3.connect(self.file)) as own, closing(sqlite3.connect(self.kept)) as kept:
            own.backup(kept)
        self.app = create_app(self.config, clock=lambda: self.now)
        self.room: Services = self.app.extensions["floorbell"]
        self.headers = {"Authorization": f"Bearer {secret}"}

    def put_back(self) -> None:
        """The store as it was furnished."""
        self.names = dict(self.furnished)
        with closing(sqlite3.connect(self.kept)) as kept, closing(sqlite3.connect(self.file)) as own:
            # It need not outlast a power cut.
            own.execute("PRAGMA synchronous = OFF")
            kept.backup(own)

    def call(self, name: str, id_: str) -> None:
        """`id_` by this name, and its code by the name with a #."""
        self.names[name] = id_
        with suppress(ValueError):
            self.names[f"{name}#"] = reference_of(UUID(id_))

    def remember(self, name: str, query: str) -> None:
        """What this query finds, if it finds anything, by this name."""
        with self.room.read() as conn:
            self.call(name, str(conn.execute(sa.text(query)).scalar()))

    def execute(self, statement: str) -> None:
        self.room.writer.run(lambda conn: conn.execute(sa.text(statement.format(**self.names))))

    def person(self, name: str) -> Person:
        with self.room.read() as conn:
            found = people.by_id(conn, self.config.store, self.names[name])
        assert found is not None
        return found

    def browser(self, name: str, audience: str = "manage") -> Browser:
        """Somebody is signed in, without a trace; names["key"] is their session's."""
        browser, person = Browser(self.app), self.person(name)
        token = self.room.writer.run(
            lambda conn: sessions.start(conn, person, audience, self.now, 10, present=True, strong=False)
        )
        browser.client.set_cookie(COOKIES[audience], token, path=f"/{audience}")
        self.names["key"] = sessions.key_of(token)
        self.names["key16"] = self.names["key"][:16]
        return browser

    def rows(self) -> Rows:
        """Every trace, by its key."""
        self.room.errands.record_noted()
        found: Rows = {}
        with self.room.read() as conn:
            for name in TRACES:
                table = tables.metadata.tables[name]
                key = [column.name for column in table.primary_key]
                rows = conn.execute(sa.select(table)).mappings()
                found[name] = {tuple(row[part] for part in key): row for row in rows}
        return found

    def whole(self) -> dict[str, int]:
        """A print of every row, but for when a token was last used."""
        self.room.errands.record_noted()
        with self.room.read() as conn:
            return {
                table.name: hash(tuple(sorted(map(repr, conn.execute(sa.select(table))))))
                for table in tables.metadata.sorted_tables
            }

    def filled(self, value: Any) -> Any:
        """With what the names in braces stand for."""
        if isinstance(value, str):
            return value.format(**self.names)
        if isinstance(value, list | tuple):
            return [self.filled(one) for one in value]
        return {key: self.filled(one) for key, one in value.items()} if isinstance(value, dict) else value


def new(before: Rows, after: Rows) -> Rows:
    return {
        name: {key: row for key, row in rows.items() if key not in before[name]}
        for name, rows in after.items()
    }


def said(found: Rows, table: str) -> list[tuple[str, ...]]:
    return [tuple(str(row[part]) for part in TRACES[table]) for row in found[table].values()]


def expect(traced: Traced, deed: Deed, found: Rows, actor: str, through: str) -> None:
    """Exactly what the deed says, by this actor and through this."""
    assert said(found, "audit") == [_audited(traced.filled(one), actor, through) for one in deed.audit]
    # Who an entry of a timeline is of is kept as their id.
    ids = {"timeline": traced.names.get(actor, actor)}
    for one in deed.elsewhere:
        table, what, subject = traced.filled(one).split(" ", 2)
        row = (what, subject, ids.get(table, actor), through)[: len(TRACES[table])]
        assert row in said(found, table), (row, said(found, table))
    if deed.holds:
        with traced.room.read() as conn:
            assert conn.execute(sa.text(traced.filled(deed.holds))).scalar() == 1
    assert deed.audit or deed.why


def no_secret(found: Rows, secrets: list[str]) -> None:
    """None of these stands in what was written, as a word of its own."""
    kept = (value for rows in found.values() for row in rows.values() for value in row.values())
    written = "\n".join(str(value) for value in kept if isinstance(value, str | dict))
    for secret in secrets:
        assert secret and not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", written), secret


def _audited(text: str, actor: str, through: str) -> tuple[str, ...]:
    """'kind subject', behind which ' by ' names another actor, and ' through ' through what."""
    told, _, by = text.partition(" by ")
    name, _, other = by.partition(" through ")
    return (*told.split(" ", 1), name or actor, other or through)


@contextmanager
def opened(directory: Path) -> Iterator[Traced]:
    traced = Traced(furnished.empty(directory))
    yield traced
    traced.room.stop()
