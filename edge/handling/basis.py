"""What a form was based on: whoever saves over somebody else's change is told instead of overwriting it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from edge.audit.store import Actor
from edge.db.store_tables import audit, person
from edge.errors import Refused
from edge.people import rights


class Stale(Refused):
    """Somebody changed it since the form was shown. Nothing was saved."""


class NotAllowed(Refused):
    """This person may not do this; a page answers 403."""


def of(values: Mapping[str, Any]) -> str:
    """The version of the values that a form shows."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check(
    conn: sa.Connection, store: str, given: str | None, values: Mapping[str, Any], what: str, subject: str
) -> None:
    """Stale unless `given` is the version of `values`; None does not ask."""
    if given is None or given == of(values):
        return
    a = audit.c
    last = conn.execute(
        sa.select(a.actor, a.words)
        .where(a.store == store, a.what.startswith(f"{what}.", autoescape=True), a.subject == subject)
        .order_by(a.id.desc())
        .limit(1)
    ).first()
    who = f"{last.actor} changed it meanwhile: {last.words}" if last else "It was changed meanwhile."
    raise Stale(
        f"{who} Nothing of yours was saved; look at it again, then save.", last.actor if last else None
    )


def role_of(conn: sa.Connection, store: str, actor: Actor) -> str:
    """Whose rights count. The command line has an admin's, an integration's token a manager's."""
    if actor.person is None:
        return "admin" if actor.through == "command" else "manager"
    role = conn.execute(
        sa.select(person.c.role).where(person.c.store == store, person.c.id == actor.person, person.c.active)
    ).scalar()
    return role or ""


def allow_change(conn: sa.Connection, store: str, actor: Actor) -> None:
    """NotAllowed for whoever may not change what the desk sets."""
    allow(rights.why_not_change(role_of(conn, store, actor)))


def allow(sentence: str | None) -> None:
    """NotAllowed with the sentence, if there is one."""
    if sentence:
        raise NotAllowed(sentence)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only what differs, on both sides."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}
