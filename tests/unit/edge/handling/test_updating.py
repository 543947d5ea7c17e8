"""A roll-out from its beginning to its end, as the store writes it down."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import sqlalchemy as sa

from broker import codec
from broker.events import ReleaseMoved
from broker.messages import DeviceState, Revert, Update
from broker.release import File, Manifest
from edge.audit.store import Actor, entries
from edge.devices import store as devices
from edge.errors import NotFound, Refused
from edge.handling import supervising, updating
from edge.handling.basis import NotAllowed
from edge.handling.telling import Telling
from edge.handling.updating import UpdateError
from edge.supervision import store as troubles
from edge.supervision.facts import Server
from edge.updates import store as updates
from tests.unit.edge.conftest import START, STORE, Clock, SmallStore

DIGEST, URL = "a" * 64, "https://store:8444"
MANIFEST = Manifest("floorbell-release-1", "0.2.0", START, [File("kiosk/x.py", 1, "0" * 64)])


class Shop:
    """A store with two kiosks that take releases, and a release that it carries."""

    def __init__(self, conn: sa.Connection, store: SmallStore, clock: Clock) -> None:
        self.conn, self.clock = conn, clock
        self.mira = Actor("Mira", "desk", store.people["Mira"])
        self.ana = Actor("Ana", "desk", store.people["Ana"])
        for name in ("kiosk-1", "till-1"):
            self.comes(name)
        self.add()

    def comes(self, name: str, version: str = "0.1.0", updates_: bool = True) -> None:
        said = DeviceState("online", uuid4(), 5, version, updates=updates_)
        devices.save_status(self.conn, STORE, name, said, self.clock())
        updates.forget_tickets(self.conn, STORE, name)

    def add(self, manifest: Manifest = MANIFEST, digest: str = DIGEST, actor: Actor | None = None) -> None:
        updating.add(self.conn, STORE, actor or self.mira, manifest, digest, 1000, "b" * 64, self.clock())

    def begin(self, first: str = "kiosk-1", **more: Any) -> str:
        return updating.roll_out(
            self.conn, STORE, self.mira, "0.2.0", first, self.clock(), vault_url=URL, **more
        )

    def look(self, seconds: float = 1, window: str = "") -> dict[str, Any]:
        """The commands that go out, by device."""
        self.clock.forward(seconds)
        telling = Telling(STORE)
        updating.look(self.conn, telling, URL, window, self.clock())
        return {m.topic.split("/")[3]: codec.decode_command(m.payload) for m in telling.messages}

    def says(self, name: str, order: UUID, stage: str, reason: str = "", release: str = "0.2.0") -> None:
        said = msgspec.convert(
            {"order": str(order), "release": release, "stage": stage, "reason": reason}, ReleaseMoved
        )
        updating.heard(self.conn, Telling(STORE), name, said, self.clock(), self.clock())

    def states(self, made: str) -> dict[str, str]:
        return {one.device: one.state for one in updates.parts(self.conn, made)}

    def state(self, made: str) -> str:
        found = updates.find(self.conn, STORE, made)
        assert found is not None
        return found.state

    def admits(self, name: str, command: Update, digest: str = DIGEST) -> bool:
        return updates.admits(self.conn, STORE, name, digest, command.ticket, self.clock())

    def audited(self) -> list[str]:
        return [one.what for one in reversed(entries(self.conn, STORE, what="release"))]


@pytest.fixture
def shop(conn: sa.Connection, small_store: SmallStore, clock: Clock) -> Shop:
    return Shop(conn, small_store, clock)


def test_a_good_release_goes_to_one_kiosk_then_to_the_rest(shop: Shop) -> None:
    made = shop.begin(soak_minutes=10)
    told = shop.look()
    command = told.pop("kiosk-1")
    assert not told and isinstance(command, Update)
    assert (command.release, command.sha256, command.bytes) == ("0.2.0", DIGEST, 1000)
    assert command.url == f"{URL}/release/{DIGEST}" and shop.admits("kiosk-1", command)
    assert shop.look() == {}
    for stage in ("taken", "trying", "healthy"):
        shop.says("kiosk-1", command.order, stage)
        assert not shop.admits("kiosk-1", command)
    assert shop.look(599) == {}
    other = shop.look(2)["till-1"]
    shop.says("till-1", other.order, "healthy")
    shop.look()
    assert shop.state(made) == "done" and set(shop.states(made).values()) == {"healthy"}
    assert shop.audited() == [
        "release.added", "release.rolled_out", "release.taken", "release.trying", "release.healthy",
        "release.healthy", "release.done",
    ]  # fmt: skip


def test_a_ticket_is_for_its_device_its_release_and_its_time(shop: Shop) -> None:
    shop.begin()
    command = shop.look()["kiosk-1"]
    assert not shop.admits("till-1", command) and not shop.admits("kiosk-1", command, "c" * 64)
    shop.clock.forward(3599)
    assert shop.admits("kiosk-1", command)
    shop.clock.forward(2)
    assert not shop.admits("kiosk-1", command)
    again = shop.look()["kiosk-1"]
    assert again.order == command.order and again.ticket != command.ticket
    assert not shop.admits("kiosk-1", command) and shop.admits("kiosk-1", again)


def test_a_kiosk_that_comes_back_is_told_again(shop: Shop) -> None:
    shop.begin()
    command = shop.look()["kiosk-1"]
    devices.save_status(shop.conn, STORE, "kiosk-1", DeviceState("offline"), shop.clock())
    assert shop.look() == {}
    shop.comes("kiosk-1")
    assert shop.look()["kiosk-1"].order == command.order


def test_a_failure_stops_it_and_whoever_manages_is_told_until_somebody_deals_with_it(shop: Shop) -> None:
    made = shop.begin()
    order = shop.look()["kiosk-1"].order
    shop.says("kiosk-1", order, "rolled_back", "It did not say that it runs.")
    assert shop.look() == {} and shop.state(made) == "failed"
    assert shop.look(100_000) == {}

    def trouble() -> list[str]:
        supervising.look(shop.conn, Telling(STORE), Server(shop.clock()), shop.clock.forward(61))
        return [
            t.words for t in troubles.going_on(shop.conn, STORE) if t.key.what == "release" and not t.well_at
        ]

    (words,) = trouble()
    assert words == "The roll-out of 0.2.0 stopped at kiosk-1. It did not say that it runs."
    assert trouble() == [words]
    updating.stop(shop.conn, STORE, shop.mira, made, shop.clock())
    assert trouble() == []


def test_a_kiosk_speaks_only_of_what_it_was_ordered(shop: Shop) -> None:
    made = shop.begin()
    order = shop.look()["kiosk-1"].order
    shop.says("till-1", order, "healthy")
    shop.says("kiosk-1", uuid4(), "healthy")
    shop.says("kiosk-1", order, "healthy", release="0.3.0")
    assert shop.states(made) == {"kiosk-1": "told", "till-1": "waiting"}


def test_what_is_called_back_is_called_back_and_a_kiosk_that_cannot_says_why(shop: Shop) -> None:
    made = shop.begin(soak_minutes=0)
    shop.says("kiosk-1", shop.look()["kiosk-1"].order, "healthy")
    shop.says("till-1", shop.look()["till-1"].order, "trying")
    updating.call_back(shop.conn, STORE, shop.mira, made, shop.clock())
    commands = shop.look()
    assert all(isinstance(one, Revert) and one.release == "0.2.0" for one in commands.values())
    assert shop.look() == {}
    shop.says("kiosk-1", commands["kiosk-1"].order, "refused", "The release before it is not here any more.")
    shop.says("till-1", commands["till-1"].order, "rolled_back")
    assert shop.states(made) == {"kiosk-1": "kept", "till-1": "rolled_back"}
    assert shop.look(120) == {}
    with pytest.raises(Refused, match="already"):
        updating.call_back(shop.conn, STORE, shop.mira, made, shop.clock())


def test_a_stopped_roll_out_tells_nobody_more(shop: Shop) -> None:
    made = shop.begin(soak_minutes=0)
    shop.says("kiosk-1", shop.look()["kiosk-1"].order, "healthy")
    updating.stop(shop.conn, STORE, shop.mira, made, shop.clock())
    assert shop.look() == {} and shop.state(made) == "stopped"
    with pytest.raises(Refused, match="does not run"):
        updating.stop(shop.conn, STORE, shop.mira, made, shop.clock())


def test_whoever_was_told_when_it_ended_is_told_no_more_and_is_shown_so_until_it_says_otherwise(
    shop: Shop,
) -> None:
    made = shop.begin()
    command = shop.look()["kiosk-1"]
    updating.stop(shop.conn, STORE, shop.mira, made, shop.clock())
    assert shop.states(made) == {"kiosk-1": "left", "till-1": "waiting"}
    assert not shop.admits("kiosk-1", command)
    shop.comes("kiosk-1")
    assert shop.look() == {}
    # It had all of it at that moment.
    shop.says("kiosk-1", command.order, "taken")
    assert shop.states(made)["kiosk-1"] == "taken"


def test_a_failure_leaves_those_who_were_only_told(shop: Shop) -> None:
    devices.register(shop.conn, STORE, "till-2", "shoes", None, shop.clock())
    shop.comes("till-2")
    made = shop.begin(soak_minutes=0)
    shop.says("kiosk-1", shop.look()["kiosk-1"].order, "healthy")
    told = shop.look()
    shop.says("till-1", told["till-1"].order, "refused", "It is full.")
    shop.look()
    assert shop.states(made) == {"kiosk-1": "healthy", "till-1": "refused", "till-2": "left"}
    # Whoever calls it back calls that one back, too.
    updating.call_back(shop.conn, STORE, shop.mira, made, shop.clock())
    assert set(shop.look()) == {"kiosk-1", "till-2"}


def test_an_order_to_go_back_is_answered_by_nothing_but_that(shop: Shop) -> None:
    made = shop.begin()
    shop.says("kiosk-1", shop.look()["kiosk-1"].order, "healthy")
    updating.call_back(shop.conn, STORE, shop.mira, made, shop.clock())
    order = shop.look()["kiosk-1"].order
    for stage in ("taken", "trying", "healthy"):
        shop.says("kiosk-1", order, stage)
        assert shop.states(made)["kiosk-1"] == "healthy"
    shop.says("kiosk-1", order, "rolled_back")
    assert shop.states(made)["kiosk-1"] == "rolled_back"


def test_a_kiosk_that_says_nothing_for_two_hours_is_named_to_whoever_manages(shop: Shop) -> None:
    shop.begin()
    first = shop.look()["kiosk-1"]

    def trouble() -> list[str]:
        for _ in range(2):
            supervising.look(shop.conn, Telling(STORE), Server(shop.clock()), shop.clock.forward(61))
        return [
            t.words for t in troubles.going_on(shop.conn, STORE) if t.key.what == "release" and not t.well_at
        ]

    # Its ticket is over, and it is told again: told since the first time all the same.
    assert shop.look(3601)["kiosk-1"].order == first.order
    assert trouble() == []
    shop.clock.forward(3600)
    assert trouble() == ["The roll-out of 0.2.0 waits for kiosk-1, which says nothing new of it."]
    shop.says("kiosk-1", first.order, "taken")
    assert trouble() == []


def test_only_kiosks_that_take_releases_and_run_another_are_in_it(shop: Shop) -> None:
    shop.comes("till-1", updates_=False)
    with pytest.raises(UpdateError, match="allowed are kiosk-1"):
        shop.begin("till-1")
    shop.comes("kiosk-1", "0.2.0")
    with pytest.raises(Refused, match="no kiosk that takes"):
        shop.begin()


def test_who_may_not_and_what_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        shop.add(actor=shop.ana)
    with pytest.raises(NotAllowed):
        updating.roll_out(shop.conn, STORE, shop.ana, "0.2.0", "kiosk-1", shop.clock(), vault_url=URL)
    with pytest.raises(NotFound):
        updating.roll_out(shop.conn, STORE, shop.mira, "9.9.9", "kiosk-1", shop.clock(), vault_url=URL)
    with pytest.raises(UpdateError, match="no address under"):
        updating.roll_out(shop.conn, STORE, shop.mira, "0.2.0", "kiosk-1", shop.clock(), vault_url=None)
    with pytest.raises(NotFound):
        updating.stop(shop.conn, STORE, shop.mira, str(uuid4()), shop.clock())
    for more in ({"soak_minutes": -1}, {"batch": 0}, {"batch": 101}):
        with pytest.raises(UpdateError, match="Allowed are"):
            shop.begin(**more)
    shop.add()
    with pytest.raises(Refused, match="a version is given once"):
        shop.add(digest="c" * 64)
    shop.begin()
    with pytest.raises(Refused, match="stop that first"):
        shop.begin()


def test_outside_its_hours_no_kiosk_is_told(shop: Shop) -> None:
    shop.begin()
    local = shop.clock().astimezone()
    later = local + timedelta(hours=2)
    assert shop.look(1, f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}") == {}
    assert "kiosk-1" in shop.look(1, f"{local:%H:%M}-{later:%H:%M}")
