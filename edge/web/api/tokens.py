"""Tokens, for a token that may make others."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from edge.handling import granting
from edge.tokens import store as kept
from edge.tokens.scopes import SCOPES
from edge.web import bearer
from edge.web.api.shapes import Short, shape
from edge.web.services import services

Scope = Annotated[
    str,
    Meta(
        description=" ".join(f"{name}: {words}" for name, words in SCOPES.items()),
        extra_json_schema={"enum": list(SCOPES)},
    ),
]


class Token(Struct):
    """`last_used_at` is true to the minute; one that was revoked opens nothing."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


class Tokens(Struct):
    tokens: list[Token]


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[Short, Meta(min_length=1)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(SCOPES))]


class TokenMade(Struct):
    """`secret` is shown this once."""

    token: Token
    secret: str


def token_own() -> Token:
    """The token that asks, and what it may do."""
    return shape(bearer.token_here(), Token)


def tokens_list() -> Tokens:
    """Every token, without its secret."""
    room = services()
    with room.read() as conn:
        return Tokens([shape(one, Token) for one in kept.all_tokens(conn, room.store)])


def token_add(body: NewToken) -> TokenMade:
    """Make a token that may do no more than this one."""
    room, actor, secret = services(), bearer.actor_here(), kept.fresh()
    held = bearer.token_here().scopes
    made = room.change(
        lambda conn: granting.grant(
            conn, room.store, actor, body.name, body.scopes, kept.key_of(secret), room.clock(), held
        )
    )
    return TokenMade(shape(made, Token), secret)


def token_revoke(id: str) -> None:
    """It opens nothing from now on."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: granting.revoke(conn, room.store, actor, id, room.clock()))
