"""What really happens in a store, and what people outside are told of it: by class, and no more than that."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from broker.events import HelpRequested, SecurityRequested, new_id
from edge.db.tables import feed
from edge.handling import incidents
from edge.incidents.store import New
from edge.outside import wording
from edge.outside.channels import CLOSED, MISSED, OPENED, REOPENED, SECURITY, Channel
from edge.outside.rules import Outcome
from edge.outside.store import Claimed, Ended
from tests.unit.edge.conftest import STORE
from tests.unit.edge.ingest.conftest import kiosk, server
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

from .conftest import Post

__all__ = ["kiosk", "server"]
ALL = Channel("all", "apprise", "f", opened=("all",), closed=("all",), missed=True, drills=True, names=True)
GUARDS = Channel("guards", "webhook", "f")
LOUD = Channel("loud", "webhook", "f", silent=False, opened=("all",), closed=("theft",))
Told = dict[str, list[tuple[str, wording.Facts]]]


class Outside:
    """A messenger whose every try is accepted; `told` is what each channel was told, in order."""

    def __init__(self, post: Post, *channels: Channel) -> None:
        self.post, self.told = post, {one.name: list[tuple[str, wording.Facts]]() for one in channels}
        self.messenger = post.open(*channels, send=self.send, base_url="https://shop.example/x/")

    def send(self, channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        self.told[channel.name].append((claimed.what, wording.decode(claimed.facts)))
        return Ended(Outcome.ACCEPTED, "taken")

    def hear(self, channel: str) -> list[tuple[str, wording.Facts]]:
        self.post.land(self.messenger)
        self.post.land(self.messenger)
        return self.told[channel]

    def whats(self, channel: str) -> list[str]:
        return sorted(what for what, _ in self.hear(channel))


@pytest.fixture
def outside(post: Post) -> Outside:
    return Outside(post, ALL, GUARDS, LOUD)


def incident(conn: sa.Connection, post: Post, classed: str, zone: str = "shoes") -> str:
    id_, mira = str(new_id(int(post.clock().timestamp() * 1000))), post.small.people["Mira"]
    with conn.begin():
        new = New(id_, classed, zone, post.clock(), mira)
        return incidents.open_by_hand(conn, STORE, mira, new, post.clock(), "desk")


def do(conn: sa.Connection, post: Post, work: Any, about: str, *how: object) -> None:
    with conn.begin():
        work(conn, STORE, about, post.small.people["Mira"], *how, post.clock(), "desk")


def test_a_security_request_is_told_with_its_place_its_code_and_a_link(
    outside: Outside, server: Server, kiosk: Kiosk
) -> None:
    press = kiosk.event(SecurityRequested("hold", False))
    server.take(press)
    ((what, facts),) = outside.hear("guards")
    assert what == SECURITY and (facts.zone, facts.zone_title) == ("shoes", "Shoes")
    assert facts.reference and facts.name == "" and facts.number == ""
    assert facts.link == f"https://shop.example/x/manage/log/{id_of(press)}"


def test_pressing_again_tells_nobody_outside_again(outside: Outside, server: Server, kiosk: Kiosk) -> None:
    for _ in range(3):
        server.take(kiosk.event(SecurityRequested("hold", False)))
        kiosk.wait(5)
    assert outside.whats("guards") == [SECURITY]


def test_the_page_in_the_store_costs_one_more_row_and_waits_for_nobody(
    conn: sa.Connection, server: Server, kiosk: Kiosk
) -> None:
    """Whoever sends is another program: without it the request is paged all the same."""
    server.take(kiosk.event(SecurityRequested("hold", True)))
    with conn.begin():
        count = lambda table: conn.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar()  # noqa: E731
        assert count("page") and count("outside_happening") == 1 and count("outside_delivery") == 0


def test_a_silent_request_goes_outside_and_the_feed_tells_only_those_who_may_know(
    outside: Outside, conn: sa.Connection, server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(SecurityRequested("hold", True)))
    assert outside.whats("guards") == [SECURITY] and outside.hear("guards")[0][1].silent
    assert outside.whats("loud") == []
    with conn.begin():
        told = conn.execute(sa.select(feed.c.audience).where(feed.c.what == "outside").distinct())
        assert set(told.scalars()) == {"silent"}


def test_a_drill_goes_only_to_who_takes_drills_and_is_marked(
    outside: Outside, server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(SecurityRequested("hold", False), drill=True))
    assert outside.whats("guards") == [] and outside.whats("all") == [SECURITY]
    assert outside.hear("all")[0][1].drill


def test_help_that_nobody_answered_is_told_where_it_is_wanted(
    outside: Outside, server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(HelpRequested()))
    for _ in range(30):
        kiosk.wait(10)
        server.timers()
    assert outside.whats("all") == [MISSED] and outside.whats("guards") == []


def test_incidents_are_told_by_class_when_they_are_opened_closed_and_opened_again(
    outside: Outside, conn: sa.Connection, post: Post
) -> None:
    theft, injury = incident(conn, post, "theft"), incident(conn, post, "injury")
    assert outside.whats("all") == [OPENED, OPENED] == outside.whats("loud")
    for one in (theft, injury):
        do(conn, post, incidents.close, one, "false-alarm", "", None)
        outside.hear("all")
        do(conn, post, incidents.reopen, one, "He came back.", None)
    assert outside.whats("all") == [CLOSED, CLOSED, OPENED, OPENED, REOPENED, REOPENED]
    assert outside.whats("loud") == [CLOSED, OPENED, OPENED, REOPENED]
    assert outside.whats("guards") == []


def test_names_are_told_only_where_they_are_wanted_and_numbers_only_with_silent_ones(
    outside: Outside, conn: sa.Connection, post: Post
) -> None:
    incident(conn, post, "theft")
    ((_, full),) = outside.hear("all")
    ((_, bare),) = outside.hear("loud")
    assert (full.name, full.number) == ("Mira", "2026-0001")
    assert (bare.name, bare.number) == ("", "")


def test_the_incident_of_a_silent_request_is_silent_too(
    outside: Outside, conn: sa.Connection, post: Post, server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(SecurityRequested("hold", True)))
    with conn.begin():
        incidents.open_due(conn, STORE, post.clock())
    assert outside.whats("all") == [OPENED, SECURITY] and outside.whats("loud") == []
    (opened,) = [facts for what, facts in outside.hear("all") if what == OPENED]
    assert opened.silent and opened.classed_as == "threat" and opened.name == ""


def test_an_old_press_is_told_with_the_time_of_the_press(
    outside: Outside, post: Post, server: Server, kiosk: Kiosk
) -> None:
    pressed_at = post.clock()
    press = kiosk.event(SecurityRequested("hold", False))
    kiosk.wait(3 * 86_400)
    kiosk.heard()
    server.take(press)
    ((_, facts),) = outside.hear("guards")
    assert abs(facts.happened_at - pressed_at) < timedelta(seconds=2)
