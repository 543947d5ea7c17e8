"""Adding, finding, disabling people; their sessions and presence."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from edge.errors import NotFound
from edge.people import sessions
from edge.people import store as people
from edge.people.store import PersonError

from ..conftest import START, STORE, SmallStore

HOURS = 10


def presence(conn: sa.Connection, person: str) -> str:
    found = people.by_id(conn, STORE, person)
    assert found is not None
    return found.presence


def test_a_name_is_taken_once_whatever_its_case(conn: sa.Connection) -> None:
    with pytest.raises(PersonError, match="already"):
        people.add(conn, STORE, " ana ", "associate", START)
    assert people.add(conn, "elsewhere", "Ana", "associate", START).presence == "off"


@pytest.mark.parametrize(("name", "role"), [("", "associate"), ("x" * 81, "associate"), ("Eva", "boss")])
def test_a_person_who_cannot_be_is_refused_with_a_sentence(conn: sa.Connection, name: str, role: str) -> None:
    with pytest.raises(PersonError):
        people.add(conn, STORE, name, role, START)


def test_a_badge_belongs_to_one_person(conn: sa.Connection) -> None:
    with pytest.raises(PersonError, match="someone else"):
        people.add(conn, STORE, "Eva", "associate", START, badge="badge-ana")


def test_people_are_found_in_their_own_store_only(conn: sa.Connection, small_store: SmallStore) -> None:
    assert people.by_name(conn, STORE, "ANA") == people.by_id(conn, STORE, small_store.people["Ana"])
    assert people.by_id(conn, "elsewhere", small_store.people["Ana"]) is None


def test_a_disabled_person_is_signed_out_off_and_gone_from_the_list(
    conn: sa.Connection, small_store: SmallStore
) -> None:
    ana = people.by_name(conn, STORE, "Ana")
    assert ana is not None
    token = sessions.start(conn, ana, "floor", START, HOURS)
    people.disable(conn, STORE, ana.id, START)
    assert sessions.find(conn, STORE, "floor", sessions.key_of(token), START) is None
    assert "Ana" not in [person.name for person in people.all_people(conn, STORE)]
    assert presence(conn, ana.id) == "off"


def test_a_new_pin_ends_the_sessions_of_whoever_knew_the_old_one(conn: sa.Connection) -> None:
    ana = people.by_name(conn, STORE, "Ana")
    assert ana is not None
    token = sessions.start(conn, ana, "floor", START, HOURS)
    people.set_pin(conn, STORE, ana.id, "hash")
    assert sessions.find(conn, STORE, "floor", sessions.key_of(token), START) is None


def test_whoever_does_not_exist_cannot_be_changed(conn: sa.Connection) -> None:
    with pytest.raises(NotFound):
        people.set_presence(conn, STORE, "nobody", "busy", START)
    with pytest.raises(PersonError):
        people.set_presence(conn, STORE, "nobody", "asleep", START)


def test_signing_in_keeps_a_presence_that_was_chosen(conn: sa.Connection, small_store: SmallStore) -> None:
    ana = people.by_name(conn, STORE, "Ana")
    assert ana is not None
    people.set_presence(conn, STORE, ana.id, "busy", START)
    sessions.start(conn, ana, "floor", START, HOURS)
    assert presence(conn, ana.id) == "busy"


def test_whoever_went_home_without_signing_out_is_off_after_the_shift(conn: sa.Connection) -> None:
    ana, bo = people.by_name(conn, STORE, "Ana"), people.by_name(conn, STORE, "Bo")
    assert ana is not None and bo is not None
    sessions.start(conn, ana, "floor", START, HOURS)
    sessions.start(conn, bo, "floor", START, HOURS)
    later = START + timedelta(hours=1)
    sessions.start(conn, bo, "floor", later, HOURS)
    assert sessions.sweep(conn, STORE, START + timedelta(hours=HOURS)) == 2
    assert (presence(conn, ana.id), presence(conn, bo.id)) == ("off", "available")


def test_a_session_is_valid_in_its_own_room_and_store_only(conn: sa.Connection) -> None:
    sofia = people.by_name(conn, STORE, "Sofia")
    assert sofia is not None
    key = sessions.key_of(sessions.start(conn, sofia, "manage", START, HOURS))
    assert sessions.find(conn, STORE, "manage", key, START) is not None
    assert sessions.find(conn, STORE, "floor", key, START) is None
    assert sessions.find(conn, "elsewhere", "manage", key, START) is None


def test_whoever_lost_the_role_lost_the_desk(conn: sa.Connection) -> None:
    bo = people.by_name(conn, STORE, "Bo")
    assert bo is not None
    key = sessions.key_of(sessions.start(conn, bo, "manage", START, HOURS))
    assert sessions.find(conn, STORE, "manage", key, START) is None
