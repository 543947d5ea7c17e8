"""What a person says of themselves from a phone: available, busy, on break until, unreachable."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from edge import presence as rule
from edge.db.store_tables import session
from edge.errors import Refused
from edge.handling import acting, staffing
from edge.handling.telling import Telling
from edge.people import store as people
from edge.people.store import PersonError
from edge.presence import AWAY, BREAK_MINUTES

# 'off' is said by signing out.
CHOICES = ("available", "busy", "on_break", "unreachable")


def say(
    conn: sa.Connection,
    store: str,
    person: str,
    presence: str,
    now: datetime,
    *,
    minutes: int | None = None,
    cover: str | None = None,
) -> None:
    """Set one's own presence; a break has its minutes, and whoever is unreachable names who stands in.

    Refused while a request is theirs, for a break or for being unreachable: somebody was told that they come.
    """
    who = acting.who_is(conn, store, person)
    if presence not in CHOICES:
        raise PersonError(f"The presence is {presence[:40]!r}; allowed are {', '.join(CHOICES)}.")
    until = None
    if presence == "on_break":
        if minutes not in BREAK_MINUTES:
            allowed = ", ".join(map(str, BREAK_MINUTES))
            raise PersonError(f"The break has {minutes} minutes; allowed are {allowed}.")
        until = now + timedelta(minutes=minutes)
    if presence in ("on_break", "unreachable"):
        stays(conn, store, person)
    if presence == "unreachable":
        _check_cover(conn, store, who.id, cover, now)
    named = cover if presence == "unreachable" else None
    people.set_presence(conn, store, person, presence, now, until=until, cover=named)
    telling = Telling(store)
    telling.store_changed("person", who.id)
    telling.presence({who.id} | {c for c in (who.cover, named) if c})
    telling.flush(conn, now)


def leave(conn: sa.Connection, store: str, person: str, key: str, now: datetime) -> None:
    """Refused as stays(), unless the person is signed in on another phone than that of session `key`."""
    if is_last_phone(conn, store, person, key, now):
        stays(conn, store, person)


def is_last_phone(conn: sa.Connection, store: str, person: str, key: str, now: datetime) -> bool:
    """Whether the person is signed in on no other phone than that of session `key`."""
    s = session.c
    others = sa.select(sa.func.count()).where(
        s.store == store, s.person == person, s.audience == "floor", s.expires_at > now, s.token_sha256 != key
    )
    return not conn.execute(others).scalar()


def stays(conn: sa.Connection, store: str, person: str) -> None:
    """Refused if a request is theirs or is being handed to them: somebody was told that they come."""
    if held := staffing.open_requests(conn, store, person):
        raise Refused(f"{', '.join(held)} is yours; close it or hand it over first.")


def _check_cover(conn: sa.Connection, store: str, person: str, cover: str | None, now: datetime) -> None:
    if not cover or cover == person:
        raise PersonError("Say who stands in for you; nobody would be called in your place.")
    colleague = acting.who_is(conn, store, cover)
    there = rule.at(colleague.presence, colleague.presence_until, now)
    if there in AWAY:
        raise PersonError(f"{rule.in_words(colleague.name, there)}; name somebody who is here.")
