"""The policies in force: those of edge.toml, but for what the desk has set instead (table setting)."""

import logging
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from edge.db.store_tables import setting
from edge.policies import Policies, Policy, faults

log = logging.getLogger(__name__)

KINDS: tuple[str, ...] = Policies.__struct_fields__
_NAMES = [f"policy.{kind}" for kind in KINDS]
_READ = (
    sa.select(setting.c.name, setting.c.value, setting.c.changed_at)
    .where(setting.c.store == sa.bindparam("in_store"), setting.c.name.in_(_NAMES))
    .order_by(setting.c.name)
)


class InForce:
    """Reads the few rows at each look and understands them anew only when one of them has moved."""

    def __init__(self, store: str, file: Policies) -> None:
        self._store, self._file = store, file
        self._seen: dict[str, Any] | None = None
        self.policies = file

    def read(self, conn: sa.Connection) -> Policies:
        """Those in force now."""
        rows = conn.execute(_READ, {"in_store": self._store}).all()
        seen = {row.name: row.value for row in rows}
        if seen != self._seen:
            self.policies, self._seen = _override(self._file, seen), seen
        return self.policies


def read(conn: sa.Connection, store: str, file: Policies) -> Policies:
    """The policies in force, once."""
    return InForce(store, file).read(conn)


def overridden(conn: sa.Connection, store: str) -> dict[str, datetime]:
    """Which policies the desk has set, and since when."""
    return {
        row.name.removeprefix("policy."): row.changed_at for row in conn.execute(_READ, {"in_store": store})
    }


def _override(file: Policies, values: dict[str, Any]) -> Policies:
    found: dict[str, Policy] = {}
    for kind in KINDS:
        if (value := values.get(f"policy.{kind}")) is None:
            continue
        try:
            policy = msgspec.convert(value, Policy)
            wrong = "; ".join(faults(kind, policy))
        except msgspec.ValidationError as error:
            wrong = str(error)
        if wrong:
            # Whatever wrote it, requests must be paged.
            log.error("The policy for %s in the database is not used; edge.toml's is: %s", kind, wrong)
        else:
            found[kind] = policy
    return msgspec.structs.replace(file, **found)
