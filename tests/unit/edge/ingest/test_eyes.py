"""A second pair of eyes: a drawer that stays open, and movement where nobody should be."""

import pytest
import sqlalchemy as sa

from broker.events import Attended, Cancelled, DrawerMoved, Greeted
from edge.db.tables import interaction, page, timer
from edge.devices import store as devices
from edge.errors import Refused
from edge.handling import acting
from edge.people import store as people
from edge.watching import Watching
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Arrival, Kiosk, Server, id_of

OPEN, CLOSED, IN = DrawerMoved(True), DrawerMoved(False), Greeted("in", "door")
NIGHT = Watching(watched="closed")


def watch(server: Server, watching: Watching, zone: str = "shoes") -> None:
    with server.conn.begin():
        devices.set_watching(server.conn, STORE, zone, watching)


def everybody(server: Server, small_store: SmallStore, presence: str, *but: str) -> None:
    with server.conn.begin():
        for name, who in small_store.people.items():
            if name not in but:
                people.set_presence(server.conn, STORE, who, presence, server.clock())


def later(server: Server, kiosk: Kiosk, seconds: float) -> None:
    for _ in range(int(seconds)):
        kiosk.wait(1)
        kiosk.heard()
        server.timers()


def state(server: Server, arrival: Arrival) -> str:
    (row,) = server.rows(interaction, id=str(id_of(arrival)))
    return str(row["state"])


def test_a_drawer_that_stays_open_has_the_zone_and_supervisors_look_once(
    server: Server, kiosk: Kiosk
) -> None:
    opened = kiosk.event(OPEN)
    server.take(opened)
    later(server, kiosk, 59)
    assert (server.paged(), state(server, opened)) == ([], "recorded")
    later(server, kiosk, 2)
    assert server.paged() == ["Ana", "Bo", "Igor", "Sofia"] and state(server, opened) == "raised"
    later(server, kiosk, 500)
    assert len(server.paged()) == 4 and server.calls() == []
    assert server.words()[0] == "The drawer is still open."
    server.take(kiosk.event(CLOSED))
    assert state(server, opened) == "cancelled" and server.words()[-1] == "The drawer was closed."
    assert {row["state"] for row in server.rows(page)} == {"superseded"} and server.rows(timer) == []


def test_one_that_is_closed_in_time_calls_nobody_and_the_next_opening_begins_anew(
    server: Server, kiosk: Kiosk
) -> None:
    first = kiosk.event(OPEN)
    server.take(first)
    later(server, kiosk, 50)
    server.take(kiosk.event(CLOSED), kiosk.event(OPEN))
    later(server, kiosk, 50)
    assert server.paged() == [] and len(server.rows(timer)) == 1
    later(server, kiosk, 15)
    assert len(server.paged()) == 4
    # What is opened twice is one drawer.
    server.take(kiosk.event(OPEN))
    assert len(server.rows(timer)) == 1


def test_one_tap_is_the_whole_answer_and_a_button_at_the_kiosk_is_none(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    opened = kiosk.event(OPEN)
    server.take(opened)
    later(server, kiosk, 61)
    server.take(kiosk.event(Cancelled(id_of(opened))), kiosk.event(Attended(id_of(opened))))
    assert state(server, opened) == "raised"
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    server.do(acting.acknowledge, str(id_of(opened)), ana)
    (row,) = server.rows(interaction, id=str(id_of(opened)))
    assert (row["state"], row["owner"], row["outcome"]) == ("resolved", ana, "looked")
    assert server.words()[-1] == "Ana looks."
    with pytest.raises(Refused, match="Ana looks already"):
        server.do(acting.acknowledge, str(id_of(opened)), bo)
    later(server, kiosk, 200)
    assert len(server.paged()) == 4


def test_the_zone_says_how_long_and_0_is_for_ever(server: Server, kiosk: Kiosk) -> None:
    watch(server, Watching(drawer_s=300))
    server.take(kiosk.event(OPEN))
    later(server, kiosk, 299)
    assert server.paged() == []
    later(server, kiosk, 2)
    assert len(server.paged()) == 4
    server.take(kiosk.event(CLOSED))
    watch(server, Watching(drawer_s=0))
    server.take(kiosk.event(OPEN), kiosk.event(OPEN, drill=True))
    assert server.rows(timer) == []


def test_what_was_opened_and_closed_while_the_kiosk_was_cut_off_calls_nobody(
    server: Server, kiosk: Kiosk
) -> None:
    opened = kiosk.event(OPEN)
    later(server, kiosk, 300)
    closed = kiosk.event(CLOSED)
    later(server, kiosk, 300)
    server.take(opened)
    server.timers()
    later(server, kiosk, 1)
    server.take(closed)
    later(server, kiosk, 60)
    assert server.paged() == []


def test_movement_in_a_watched_zone_while_nobody_is_here_is_told_of_once_for_ten_minutes(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    watch(server, NIGHT)
    day = kiosk.event(IN)
    server.take(day)
    assert server.rows(interaction, kind="watch") == []
    server.take(kiosk.event(Cancelled(id_of(day))))
    everybody(server, small_store, "off")
    server.take(kiosk.event(IN))
    (row,) = server.rows(interaction, kind="watch")
    assert (row["state"], row["zone"], row["topic"]) == ("raised", "shoes", "movement")
    assert server.words()[-2:] == ["Somebody moves there. It is closed.", "Nobody is signed in."]
    # Whoever signs in after the alarm went unheard hears of the next movement after the quiet time.
    everybody(server, small_store, "available", "Ana", "Bo", "Carla", "Sofia", "Mira")
    watch(server, Watching(watched="unattended"), "tills")
    watch(server, Watching(watched="closed", opens="00:00", closes="00:01"))
    for _ in range(5):
        later(server, kiosk, 60)
        server.take(kiosk.event(IN))
    assert len(server.rows(interaction, kind="watch")) == 1 and server.paged() == []
    later(server, kiosk, 620)
    server.take(kiosk.event(IN))
    assert server.paged() == ["Igor"]
    assert len(server.rows(interaction, kind="watch")) == 2 and server.calls() == []


def test_an_unattended_zone_is_one_where_nobody_who_works_there_is_here(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    watch(server, Watching(watched="unattended", opens="00:00", closes="23:59"))
    everybody(server, small_store, "off", "Carla")
    # Carla works at the tills; nobody of the zone is here, so everybody who is looks.
    server.take(kiosk.event(IN))
    (row,) = server.rows(interaction, kind="watch")
    assert server.paged() == ["Carla"] and "Nobody who works there is here." in server.words()[0]
    server.do(acting.acknowledge, row["id"], small_store.people["Carla"])
    assert server.words()[-1] == "Carla looks."
    with server.conn.begin():
        people.set_presence(server.conn, STORE, small_store.people["Ana"], "busy", server.clock())
    later(server, kiosk, 700)
    server.take(kiosk.event(IN))
    assert len(server.rows(interaction, kind="watch")) == 1


def test_movement_of_an_unknown_age_or_of_long_ago_and_drills_call_nobody(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    watch(server, NIGHT)
    everybody(server, small_store, "off")
    old = kiosk.event(IN)
    later(server, kiosk, 40)
    server.take(old, kiosk.event(IN, drill=True))
    server.origins.clear()
    server.take(kiosk.event(IN))
    with server.conn.begin():
        kinds = server.conn.execute(sa.select(interaction.c.kind).distinct()).scalars().all()
    assert kinds == ["greet"]
