"""Tokens: what is kept of them, who may make them, and that a revoked one opens nothing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from edge.audit import store as audits
from edge.audit.store import Actor
from edge.errors import NotFound, Refused
from edge.handling import granting
from edge.handling.basis import NotAllowed
from edge.handling.granting import TokenError
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES, faults, why_not_give
from tests.unit.edge.conftest import START, STORE, SmallStore

LATER = START + timedelta(hours=1)


@pytest.fixture
def mira(small_store: SmallStore) -> Actor:
    return Actor("Mira", "desk", small_store.people["Mira"])


def test_a_token_is_random_and_only_its_hash_is_kept(conn: sa.Connection, mira: Actor) -> None:
    secret = tokens.fresh()
    assert secret.startswith("fb_") and len(secret) == 46 and secret != tokens.fresh()
    with conn.begin():
        made = granting.grant(
            conn, STORE, mira, " Wall  display ", ["security", "read:log"], tokens.key_of(secret), START
        )
        row = conn.execute(sa.text("SELECT * FROM token")).one()
        entry = audits.entries(conn, STORE)[0]
        assert tokens.find(conn, STORE, tokens.key_of(secret)) == made
    assert (made.name, made.scopes, made.created_by) == ("Wall display", ("read:log", "security"), "Mira")
    assert secret not in str(row) and secret[3:] not in str(entry)
    assert (entry.what, entry.subject, entry.after) == (
        "token.added",
        "Wall display",
        {"scopes": ["read:log", "security"]},
    )


def test_a_revoked_token_opens_nothing_and_its_name_is_free_again(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        made = granting.grant(conn, STORE, mira, "Wall", ["read:log"], "a" * 64, START)
        with pytest.raises(Refused, match="There is a token Wall already"):
            granting.grant(conn, STORE, mira, "Wall", ["read:log"], "b" * 64, START)
        granting.revoke(conn, STORE, mira, made.id, LATER)
        granting.revoke(conn, STORE, mira, made.id, LATER)
        assert tokens.find(conn, STORE, "a" * 64) is None
        granting.grant(conn, STORE, mira, "Wall", ["read:log"], "b" * 64, LATER)
        assert [one.revoked_at for one in tokens.all_tokens(conn, STORE)] == [None, LATER]
        told = [entry.what for entry in audits.entries(conn, STORE, what="token")]
    assert told == ["token.added", "token.revoked", "token.added"]


def test_a_token_of_another_store_is_unknown_here(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        made = granting.grant(conn, STORE, mira, "Wall", ["read:log"], "a" * 64, START)
        assert tokens.find(conn, "other", "a" * 64) is None
        with pytest.raises(NotFound):
            granting.revoke(conn, "other", Actor("command line", "command"), made.id, START)


def test_when_it_was_last_used_is_kept(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        made = granting.grant(conn, STORE, mira, "Wall", ["read:log"], "a" * 64, START)
        tokens.mark_used(conn, STORE, {made.id: LATER})
        found = tokens.by_id(conn, STORE, made.id)
    assert found is not None and found.last_used_at == LATER


def test_only_who_may_change_the_store_makes_tokens(conn: sa.Connection, small_store: SmallStore) -> None:
    sofia = Actor("Sofia", "desk", small_store.people["Sofia"])
    with conn.begin(), pytest.raises(NotAllowed, match="Only a manager or an admin"):
        granting.grant(conn, STORE, sofia, "Wall", ["read:log"], "a" * 64, START)


def test_a_token_gives_no_more_than_it_has(conn: sa.Connection) -> None:
    wall = Actor("Wall", "api")
    with conn.begin():
        granting.grant(conn, STORE, wall, "One", ["read:log"], "a" * 64, START, held={"admin", "read:log"})
        with pytest.raises(NotAllowed, match="what it does not have: security"):
            granting.grant(conn, STORE, wall, "Two", ["security"], "b" * 64, START, held={"admin"})


@pytest.mark.parametrize(
    ("name", "scopes", "said"),
    [
        ("  ", ["read:log"], "1 to 80 letters; this one has 0"),
        ("W" * 81, ["read:log"], "this one has 81"),
        ("Wall", [], "may do nothing"),
        ("Wall", ["write:all"], "The scope is 'write:all'; allowed are read:log"),
    ],
)
def test_a_faulty_token_is_refused_with_what_is_allowed(
    conn: sa.Connection, mira: Actor, name: str, scopes: list[str], said: str
) -> None:
    with conn.begin(), pytest.raises(TokenError, match=said):
        granting.grant(conn, STORE, mira, name, scopes, "a" * 64, START)


def test_each_scope_is_said_in_a_sentence() -> None:
    assert all(words.endswith(".") for words in SCOPES.values())
    assert faults("Wall", list(SCOPES)) == [] and why_not_give(["admin"], SCOPES) is None
