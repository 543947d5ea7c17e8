"""Changes to the store itself: people, zones and devices, each with its row in the audit."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from broker import codec
from broker.events import HelpRequested, new_id
from edge.audit import store as audits
from edge.audit.store import Actor
from edge.db import store_tables, tables
from edge.db.store_tables import session
from edge.db.tables import outgoing
from edge.devices import store as devices
from edge.errors import NotFound, Refused
from edge.handling import acting, basis, commanding, staffing, zoning
from edge.people import sessions
from edge.people import store as people
from edge.people.details import Details
from edge.people.store import PersonError
from tests.unit.edge.conftest import START, STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

COMMAND = Actor("command line", "command")


@pytest.fixture
def mira(small_store: SmallStore) -> Actor:
    return Actor("Mira", "desk", small_store.people["Mira"])


def last(conn: sa.Connection) -> audits.Entry:
    return audits.entries(conn, STORE)[0]


def test_a_new_person_stands_in_the_audit_without_the_secret(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        nora = staffing.add(
            conn, STORE, mira, Details(" Nora  K ", "associate", ("shoes",)), START, pin_hash="$hash"
        )
        entry = last(conn)
    assert nora.name == "Nora K" and nora.presence == "off"
    assert (entry.actor, entry.through, entry.what) == ("Mira", "desk", "person.added")
    assert entry.after["pin"] is True and "hash" not in str(entry)


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (Details("", "associate"), "1 to 80"),
        (Details("Nora", "boss"), "allowed are associate, supervisor"),
        (Details("Nora", "associate", ("roof",)), "The zone is 'roof'; this store has shoes, tills"),
        (Details("Nora", "associate", (), ("English",)), "tags like en"),
        (Details("Nora", "associate", (), ()), "allowed are 1 to 10"),
        (Details("ana", "associate"), "There is a Ana in this store already"),
        (Details("Nora", "associate", badge="badge-bo"), "is Bo's"),
    ],
)
def test_a_faulty_person_is_refused_with_what_is_allowed(
    conn: sa.Connection, mira: Actor, details: Details, said: str
) -> None:
    with conn.begin(), pytest.raises(PersonError, match=said):
        staffing.add(conn, STORE, mira, details, START)
    assert audits.entries(conn, STORE) == []


def test_a_change_says_only_what_changed(conn: sa.Connection, small_store: SmallStore, mira: Actor) -> None:
    with conn.begin():
        ana = staffing.details_of(staffing.find(conn, STORE, small_store.people["Ana"]))
        after = Details("Ana", "supervisor", ana.zones, ana.languages, ana.badge)
        staffing.change(conn, STORE, mira, small_store.people["Ana"], after, START)
        entry = last(conn)
    assert entry.before == {"role": "associate"} and entry.after == {"role": "supervisor"}


def test_whoever_saves_over_anothers_change_is_told_who_it_was(
    conn: sa.Connection, small_store: SmallStore, mira: Actor
) -> None:
    bo = small_store.people["Bo"]
    with conn.begin():
        seen = staffing.details_of(staffing.find(conn, STORE, bo))
        version = basis.of(seen.values())
        mine = Details("Bo", "associate", ("tills",), ("en",), None)
        staffing.change(conn, STORE, COMMAND, bo, Details("Bob", "associate"), START, version)
        with pytest.raises(basis.Stale, match=r"command line changed it meanwhile: Bo: name"):
            staffing.change(conn, STORE, mira, bo, mine, START, version)
        assert staffing.find(conn, STORE, bo).name == "Bob"


def test_a_supervisor_changes_nothing_but_presence(conn: sa.Connection, small_store: SmallStore) -> None:
    sofia = Actor("Sofia", "desk", small_store.people["Sofia"])
    bo = small_store.people["Bo"]
    with conn.begin():
        sessions.start(conn, staffing.find(conn, STORE, bo), "floor", START, 10)
        for refused in (
            lambda: staffing.disable(conn, STORE, sofia, bo, START),
            lambda: staffing.set_pin(conn, STORE, sofia, bo, "x", START),
            lambda: zoning.add(conn, STORE, sofia, "roof", "Roof", START),
            lambda: commanding.identify(conn, STORE, sofia, "kiosk-1", START),
        ):
            with pytest.raises(basis.NotAllowed, match="Only a manager or an admin"):
                refused()
        staffing.set_presence(conn, STORE, sofia, bo, "on_break", START)
        assert staffing.find(conn, STORE, bo).presence == "on_break"


def test_a_manager_cannot_become_admin_through_another(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        boss = staffing.add(conn, STORE, COMMAND, Details("Boss", "admin"), START)
        with pytest.raises(basis.NotAllowed):
            staffing.set_password(conn, STORE, mira, boss.id, "x", START)
        with pytest.raises(basis.NotAllowed):
            staffing.disable(conn, STORE, mira, boss.id, START)


def test_who_is_disabled_is_out_at_once_and_comes_back_off(
    conn: sa.Connection, small_store: SmallStore, mira: Actor
) -> None:
    bo = small_store.people["Bo"]
    with conn.begin():
        sessions.start(conn, staffing.find(conn, STORE, bo), "floor", START, 10)
        staffing.disable(conn, STORE, mira, bo, START)
        assert conn.execute(sa.select(session)).all() == []
        staffing.enable(conn, STORE, mira, bo, START)
        assert staffing.find(conn, STORE, bo).presence == "off"
        assert [e.what for e in audits.entries(conn, STORE)] == ["person.enabled", "person.disabled"]


def test_nobody_is_disabled_while_a_shopper_waits_for_them(
    server: Server, kiosk: Kiosk, small_store: SmallStore, mira: Actor
) -> None:
    help_ = kiosk.event(HelpRequested("till", "en"))
    server.take(help_)
    ana = small_store.people["Ana"]
    server.do(acting.acknowledge, str(id_of(help_)), ana)
    with server.conn.begin():
        with pytest.raises(Refused, match="Ana has an open request"):
            staffing.disable(server.conn, STORE, mira, ana, START)
        with pytest.raises(Refused, match="open; close or hand over"):
            staffing.set_presence(server.conn, STORE, mira, ana, "off", START)
        assert staffing.find(server.conn, STORE, ana).active


def test_a_presence_from_the_desk_needs_a_phone_that_can_be_paged(
    conn: sa.Connection, small_store: SmallStore, mira: Actor
) -> None:
    with conn.begin(), pytest.raises(Refused, match="signed in on no phone"):
        staffing.set_presence(conn, STORE, mira, small_store.people["Bo"], "busy", START)


def test_a_zone_lives_from_its_adding_to_its_removal(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        zoning.add(conn, STORE, mira, "roof", " Roof  garden ", START)
        first = basis.of(zoning.values_of(conn, STORE, "roof"))
        zoning.change(conn, STORE, mira, "roof", "Terrace", START, first)
        with pytest.raises(basis.Stale, match="Mira changed it meanwhile: Zone roof is now called Terrace"):
            zoning.change(conn, STORE, mira, "roof", "Attic", START, first)
        zoning.remove(conn, STORE, mira, "roof", START)
        assert "roof" not in devices.zones(conn, STORE)
        done = [e.what for e in audits.entries(conn, STORE, what="zone")]
    assert done == ["zone.removed", "zone.renamed", "zone.added"]


def test_zones_beside_each_other_are_so_from_either_side_until_one_is_removed(
    conn: sa.Connection, mira: Actor
) -> None:
    with conn.begin():
        zoning.add(conn, STORE, mira, "roof", "Roof", START, ["tills", "shoes"])
        assert devices.neighbours(conn, STORE) == {
            "roof": ["shoes", "tills"],
            "shoes": ["roof"],
            "tills": ["roof"],
        }
        zoning.change(conn, STORE, mira, "tills", "Tills", START, neighbours=["shoes"])
        assert devices.neighbours(conn, STORE) == {
            "roof": ["shoes"],
            "shoes": ["roof", "tills"],
            "tills": ["shoes"],
        }
        zoning.change(conn, STORE, mira, "tills", "All tills", START)
        for wrong in ("cellar", "tills"):
            with pytest.raises(zoning.ZoneError, match=f"is '{wrong}'; allowed are roof, shoes"):
                zoning.change(conn, STORE, mira, "tills", "Tills", START, neighbours=[wrong])
        zoning.remove(conn, STORE, mira, "roof", START)
        assert devices.neighbours(conn, STORE) == {"shoes": ["tills"], "tills": ["shoes"]}
        said = [e.words for e in audits.entries(conn, STORE, what="zone") if e.what == "zone.neighbours"]
    assert said == ["Beside zone tills are now shoes, before roof."]


def test_a_faulty_zone_is_refused(conn: sa.Connection, mira: Actor) -> None:
    with conn.begin():
        for name, title, said in (
            ("Roof", "Roof", "The zone's name is 'Roof'; allowed is"),
            ("shoes", "Shoes", "There is a zone shoes already"),
            ("roof", " ", "1 to 80 letters"),
        ):
            with pytest.raises(zoning.ZoneError, match=said):
                zoning.add(conn, STORE, mira, name, title, START)
        with pytest.raises(Refused, match="Shoes is used by kiosk-1, Ana, Bo; move them"):
            zoning.remove(conn, STORE, mira, "shoes", START)
        with pytest.raises(NotFound):
            zoning.remove(conn, STORE, mira, "roof", START)


def test_a_device_moves_and_says_so_in_the_audit(conn: sa.Connection, mira: Actor) -> None:
    shown = basis.of({"zone": "shoes", "pager": False, "holder": None})
    with conn.begin():
        commanding.move(conn, STORE, mira, "kiosk-1", "tills", START, shown)
        assert last(conn).words == "kiosk-1 stands in Tills now, before in Shoes."
        with pytest.raises(basis.Stale):
            commanding.move(conn, STORE, mira, "kiosk-1", "shoes", START, shown)
        with pytest.raises(commanding.DeviceError, match="allowed are shoes, tills"):
            commanding.move(conn, STORE, mira, "kiosk-1", "roof", START)


def test_only_a_device_that_is_heard_is_made_to_blink(conn: sa.Connection, mira: Actor) -> None:
    heard = {"status": "online", "heartbeat": {"depth": 0}, "heartbeat_at": START}
    with conn.begin():
        with pytest.raises(Refused, match="not heard"):
            commanding.identify(conn, STORE, mira, "kiosk-1", START)
        conn.execute(sa.update(store_tables.device).values(**heard))
        commanding.identify(conn, STORE, mira, "kiosk-1", START)
        (payload,) = conn.execute(sa.select(outgoing.c.payload)).scalars()
        assert codec.decode_command(payload) == commanding.Identify(10)
        with pytest.raises(Refused, match="not heard"):
            commanding.identify(conn, STORE, mira, "kiosk-1", START + timedelta(minutes=1))


def test_a_replay_begins_at_the_first_open_gap(conn: sa.Connection, mira: Actor) -> None:
    outbox = str(new_id(0))
    gap = {"store": STORE, "device": "kiosk-1", "outbox": outbox, "last_seq": 9, "found_at": START}
    with conn.begin():
        with pytest.raises(Refused, match="not yet said which outbox"):
            commanding.replay(conn, STORE, mira, "kiosk-1", START)
        conn.execute(sa.update(store_tables.device).values(heartbeat={"outbox": outbox}))
        assert commanding.replay(conn, STORE, mira, "kiosk-1", START) == 1
        conn.execute(sa.insert(tables.gap).values(first_seq=7, **gap))
        assert commanding.replay(conn, STORE, mira, "kiosk-1", START) == 7
        payloads = list(conn.execute(sa.select(outgoing.c.payload).order_by(outgoing.c.id)).scalars())
    assert codec.decode_command(payloads[-1]) == commanding.Replay(UUID(outbox), 7)


def test_the_first_person_may_be_made_by_the_command_line_alone(conn: sa.Connection) -> None:
    token = Actor("integration", "api")
    with conn.begin():
        with pytest.raises(basis.NotAllowed):
            staffing.add(conn, STORE, token, Details("Root", "admin"), START)
        assert staffing.add(conn, STORE, COMMAND, Details("Root", "admin"), START).role == "admin"
        assert people.by_name(conn, STORE, "root") is not None
