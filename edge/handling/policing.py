"""Escalation policies as the desk or the API sets them: in the database, over those of edge.toml."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.db.store_tables import setting
from edge.errors import EdgeError, NotFound
from edge.handling import basis
from edge.handling.telling import Telling
from edge.policies import Policies, Policy, faults
from edge.routing import inforce


class PolicyError(EdgeError):
    """A policy that may not be used. `faults` is every sentence, the message the first of them."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(found[0])
        self.faults = found


def set_policy(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    file: Policies,
    kind: str,
    policy: Policy,
    now: datetime,
    based_on: str | None = None,
) -> None:
    """This policy from now on, also for requests that wait (following.follow). `file` is edge.toml's."""
    basis.allow_change(conn, store, actor)
    before = _before(conn, store, file, kind, based_on)
    if found := faults(kind, policy):
        raise PolicyError(found)
    after = values(policy)
    if after == before:
        return
    _write(conn, store, kind, now, after)
    words = f"The policy for {kind} requests was changed."
    record(conn, store, actor, "policy.changed", kind, words, now, *basis.changed(before, after))
    _tell(conn, store, kind, now)


def back_to_file(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    file: Policies,
    kind: str,
    now: datetime,
    based_on: str | None = None,
) -> None:
    """What edge.toml says counts again."""
    basis.allow_change(conn, store, actor)
    before = _before(conn, store, file, kind, based_on)
    _write(conn, store, kind, now, None)
    words = f"The policy for {kind} requests is that of edge.toml again."
    after = values(getattr(file, kind))
    record(conn, store, actor, "policy.reset", kind, words, now, *basis.changed(before, after))
    _tell(conn, store, kind, now)


def values(policy: Policy) -> dict[str, Any]:
    """The policy as it is stored, and as its version is made of (basis.of)."""
    plain: dict[str, Any] = msgspec.to_builtins(policy)
    return plain


def _before(
    conn: sa.Connection, store: str, file: Policies, kind: str, based_on: str | None
) -> dict[str, Any]:
    if kind not in inforce.KINDS:
        raise NotFound(f"There is no policy {kind[:32]!r}; there are {', '.join(inforce.KINDS)}.")
    before = values(getattr(inforce.read(conn, store, file), kind))
    basis.check(conn, store, based_on, before, "policy", kind)
    return before


def _write(conn: sa.Connection, store: str, kind: str, now: datetime, value: dict[str, Any] | None) -> None:
    mine = (setting.c.store == store, setting.c.name == f"policy.{kind}")
    conn.execute(sa.delete(setting).where(*mine))
    if value is not None:
        conn.execute(
            sa.insert(setting).values(store=store, name=f"policy.{kind}", value=value, changed_at=now)
        )


def _tell(conn: sa.Connection, store: str, kind: str, now: datetime) -> None:
    telling = Telling(store)
    telling.store_changed("policy", kind)
    telling.flush(conn, now)
