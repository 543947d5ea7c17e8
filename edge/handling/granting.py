"""Tokens for integrations: made and revoked by managers and admins, or by a token that may do so itself."""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import basis
from edge.handling.telling import Telling
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES, faults, why_not_give
from edge.tokens.store import Token


class TokenError(EdgeError):
    """A token that cannot be like this. The sentence says what to mend."""


def grant(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    scopes: Sequence[str],
    key: str,
    now: datetime,
    held: Collection[str] | None = None,
) -> Token:
    """A new token whose secret has this key (tokens.key_of). TokenError; Refused if the name is in use.

    `held` is what the token that asks may do itself; None where a person asks.
    """
    basis.allow_change(conn, store, actor)
    name = " ".join(name.split())
    if found := faults(name, scopes):
        raise TokenError(found[0])
    if held is not None:
        basis.allow(why_not_give(scopes, held))
    if tokens.by_name(conn, store, name) is not None:
        raise Refused(f"There is a token {name} already; choose another name, or revoke that one first.")
    ordered = [scope for scope in SCOPES if scope in scopes]
    made = tokens.add(conn, store, name, ordered, key, actor.name, now)
    words = f"Token {name} made: {', '.join(ordered)}."
    record(conn, store, actor, "token.added", name, words, now, {}, {"scopes": ordered})
    _tell(conn, store, made, now)
    return made


def revoke(conn: sa.Connection, store: str, actor: Actor, token: str, now: datetime) -> Token:
    """It opens nothing from now on, and its streams end. Doing so twice does nothing. NotFound."""
    basis.allow_change(conn, store, actor)
    found = tokens.by_id(conn, store, token)
    if found is None:
        raise NotFound("There is no such token in this store.")
    if found.revoked_at is None:
        tokens.revoke(conn, store, found.id, now)
        before = {"scopes": list(found.scopes)}
        record(
            conn, store, actor, "token.revoked", found.name, f"Token {found.name} revoked.", now, before, {}
        )
        _tell(conn, store, found, now)
    return found


def _tell(conn: sa.Connection, store: str, token: Token, now: datetime) -> None:
    telling = Telling(store)
    telling.store_changed("token", token.id)
    telling.flush(conn, now)
