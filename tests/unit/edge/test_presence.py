"""Presence: a break ends by itself, a cover is called in the place of whoever cannot be reached."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from edge.errors import Refused
from edge.handling import being
from edge.people import sessions
from edge.people import store as people
from edge.people.store import PersonError
from edge.presence import Presence, at, in_words
from edge.reports import floor as now_there
from edge.reports.staff import members
from edge.routing import roster

from .conftest import START, STORE, SmallStore
from .test_log import add


def there(conn: sa.Connection, name: str, after_min: float = 0) -> Presence:
    floor = roster.read(conn, STORE, START + timedelta(minutes=after_min))
    return next(c.presence for c in floor.roster if c.name == name)


def test_a_break_is_over_when_its_time_has_come() -> None:
    assert at("on_break", START, START) is Presence.AVAILABLE
    assert at("on_break", START + timedelta(seconds=1), START) is Presence.ON_BREAK
    assert at("on_break", None, START) is Presence.ON_BREAK
    assert at("unreachable", START, START) is Presence.UNREACHABLE
    assert in_words("Bo", Presence.UNREACHABLE) == "Bo is unreachable"


def test_everyone_who_looks_sees_the_break_end(conn: sa.Connection, small_store: SmallStore) -> None:
    ana = small_store.people["Ana"]
    being.say(conn, STORE, ana, "on_break", START, minutes=15)
    assert (there(conn, "Ana", 14.9), there(conn, "Ana", 15)) == ("on_break", "available")
    later = START + timedelta(minutes=20)
    someone = next(p for p in now_there.people(conn, STORE, [], later) if p.id == ana)
    (member,) = members(conn, STORE, later, [ana])
    for shown in (someone, member):
        assert (shown.presence, shown.presence_until) == ("available", None)
        assert shown.presence_at == START + timedelta(minutes=15)


def test_a_break_has_one_of_the_lengths_that_are_offered(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    for minutes in (None, 0, 600):
        with pytest.raises(PersonError, match="allowed are 5, 15, 30"):
            being.say(conn, STORE, small_store.people["Ana"], "on_break", START, minutes=minutes)
    with pytest.raises(PersonError, match="allowed are available, busy"):
        being.say(conn, STORE, small_store.people["Ana"], "off", START)


def test_whoever_cannot_be_reached_names_somebody_who_can(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    for cover in (None, "", ana):
        with pytest.raises(PersonError, match="Say who stands in"):
            being.say(conn, STORE, ana, "unreachable", START, cover=cover)
    people.set_presence(conn, STORE, bo, "off", START)
    with pytest.raises(PersonError, match="Bo is off; name somebody who is here"):
        being.say(conn, STORE, ana, "unreachable", START, cover=bo)
    people.set_presence(conn, STORE, bo, "available", START)
    being.say(conn, STORE, ana, "unreachable", START, cover=bo)
    assert next(c.cover for c in roster.read(conn, STORE, START).roster if c.id == ana) == bo


def test_being_available_again_leaves_no_end_and_no_cover(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    being.say(conn, STORE, ana, "unreachable", START, cover=bo)
    being.say(conn, STORE, ana, "on_break", START, minutes=5)
    who = people.by_id(conn, STORE, ana)
    assert who is not None and who.cover is None and who.presence_until is not None
    token = sessions.start(conn, who, "floor", START, 9)
    sessions.end(conn, STORE, sessions.key_of(token), START)
    who = people.by_id(conn, STORE, ana)
    assert who is not None and (who.presence, who.presence_until) == ("off", None)


def test_nobody_goes_while_a_shopper_was_told_that_they_come(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    add(conn, state="acknowledged", owner=ana)
    with pytest.raises(Refused, match="is yours; close it or hand it over first"):
        being.say(conn, STORE, ana, "unreachable", START, cover=bo)
    with pytest.raises(Refused):
        being.say(conn, STORE, ana, "on_break", START, minutes=5)
    being.say(conn, STORE, ana, "busy", START)
