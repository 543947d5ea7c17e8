"""Pushes in the database: for whom they are written, which are tried, and what ends them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from edge.db.push_tables import push, push_subscription, push_try
from edge.db.store_tables import person as person_table
from edge.db.tables import interaction, page
from edge.handling import acting
from edge.paging import store as pages
from edge.people import sessions
from edge.pushing import queue, store
from edge.pushing.rules import TRIAL, Ended, Outcome
from tests.rig.push_phone import PushPhone
from tests.unit.edge.conftest import STORE, Clock, SmallStore
from tests.unit.edge.pushed import ROOM, Desk


@pytest.fixture
def desk(small_store: SmallStore, engine: sa.Engine, clock: Clock) -> Desk:
    return Desk(small_store, engine, clock)


def test_each_phone_of_whoever_is_paged_is_called_and_nobody_elses(desk: Desk) -> None:
    mine = {desk.phone("Ana"), desk.phone("Ana")}
    desk.phone("Bo")
    desk.page("Ana", "Carla")
    found = desk.claim()
    assert {one.session for one in found} == mine and {one.matter.place for one in found} == {"Shoes"}


def test_whoever_called_is_not_called_on_any_phone_of_theirs(desk: Desk) -> None:
    desk.phone("Ana"), desk.phone("Igor")
    desk.page("Ana", "Igor", kind="security", by="Ana")
    assert [one.session for one in desk.claim()] == [desk.keys["Igor"]]


@pytest.mark.parametrize("how", ["signs out", "expires", "disabled", "switched off", "answered", "closed"])
def test_nothing_goes_to_a_phone_whose_session_or_page_is_over(desk: Desk, how: str) -> None:
    key, now = desk.phone("Ana"), desk.clock
    request = desk.page("Ana")
    ana = desk.small.people["Ana"]
    with desk.writing() as conn:
        match how:
            case "signs out":
                sessions.end(conn, STORE, key, now())
            case "expires":
                table = sa.table("session", sa.column("expires_at"))
                conn.execute(sa.update(table).values(expires_at=0))
            case "disabled":
                conn.execute(sa.update(person_table).where(person_table.c.id == ana).values(active=False))
            case "switched off":
                store.unsubscribe(conn, STORE, key)
            case "answered":
                pages.close(conn, request, ana, now())
            case "closed":
                conn.execute(sa.update(interaction).values(state="cancelled"))
    assert desk.claim() == [] and desk.pushes() == [("over", 0)]


def test_a_page_that_was_seen_needs_no_push_any_more_and_one_that_only_arrived_does(desk: Desk) -> None:
    desk.phone("Ana"), desk.phone("Bo")
    desk.page("Ana", "Bo")
    ana, bo = desk.small.people["Ana"], desk.small.people["Bo"]
    with desk.writing() as conn:
        mine = {who: id_ for id_, who in conn.execute(sa.select(page.c.id, page.c.person))}
        acting.mark_streamed(conn, STORE, list(mine.values()), desk.clock())
        acting.mark_delivered(conn, STORE, bo, [mine[bo]], desk.clock())
        acting.mark_seen(conn, STORE, ana, [mine[ana]], desk.clock())
    assert [one.session for one in desk.claim()] == [desk.keys["Bo"]]


def test_a_later_round_takes_the_place_of_what_still_waits(desk: Desk) -> None:
    desk.phone("Igor")
    request = desk.page("Igor", kind="security")
    desk.clock.forward(10)
    desk.page("Igor", kind="security", round_=1, request=request)
    (one,) = desk.claim()
    assert one.at == desk.clock() and desk.pushes() == [("over", 0), ("waiting", 1)]


def test_security_goes_first_and_finds_room_where_others_find_none(desk: Desk) -> None:
    for name in ("Ana", "Bo", "Carla", "Sofia", "Igor"):
        desk.phone(name)
    desk.page("Ana", "Bo", "Carla", "Sofia")
    begun = desk.claim()
    assert len(begun) == ROOM.others_service
    desk.page("Igor", kind="security")
    assert [one.urgent for one in desk.claim(*begun)] == [True]
    assert desk.claim(*begun) == []


def test_a_service_that_hangs_leaves_room_for_the_others(desk: Desk) -> None:
    for name in ("Ana", "Bo", "Carla"):
        desk.phone(name, "hangs.example")
    desk.phone("Sofia", "well.example")
    desk.page("Ana", "Bo", "Carla", "Sofia")
    assert sorted(one.service for one in desk.claim()) == ["hangs.example", "hangs.example", "well.example"]


def test_a_failure_is_tried_again_and_given_up_after_the_page_is_worth_nothing(desk: Desk) -> None:
    desk.phone("Ana")
    desk.page("Ana")
    (one,) = desk.claim()
    desk.end(one, Ended(Outcome.FAILED, "503", 20.0))
    desk.clock.forward(19)
    assert desk.claim() == []
    desk.clock.forward(1)
    (one,) = desk.claim()
    desk.end(one, Ended(Outcome.UNKNOWN, "no answer", None))
    desk.clock.forward(40)
    assert desk.claim() == [] and desk.pushes() == [("given_up", 2)]


def test_a_phone_that_is_gone_is_forgotten_and_one_that_was_renewed_meanwhile_is_not(desk: Desk) -> None:
    key = desk.phone("Ana")
    desk.page("Ana")
    (one,) = desk.claim()
    with desk.writing() as conn:
        new = PushPhone("https://push.example/new").keys
        store.subscribe(conn, STORE, desk.small.people["Ana"], key, new, desk.clock())
    gone = Ended(Outcome.GONE, "410 Gone")
    desk.end(one, gone)
    assert desk.count(push_subscription) == 1
    desk.page("Ana")
    desk.end(desk.claim()[0], gone)
    assert desk.count(push_subscription) == 0 and {state for state, _ in desk.pushes()} == {"gone"}


def test_a_try_that_was_cut_off_is_unknown_and_made_again_and_its_late_end_changes_nothing(
    desk: Desk,
) -> None:
    desk.phone("Ana")
    desk.page("Ana")
    (one,) = desk.claim(worker="first")
    assert desk.claim(worker="second") == []
    desk.clock.forward(16)
    assert desk.claim(worker="second") == []
    desk.clock.forward(1)
    (again,) = desk.claim(worker="second")
    assert again.id == one.id and again.number == 2
    assert not desk.end(one, worker="first") and desk.end(again, worker="second")
    with desk.engine.connect() as conn:
        tried = conn.execute(sa.select(push_try.c.outcome).order_by(push_try.c.number)).scalars()
        assert list(tried) == ["unknown", "sent"]


def test_one_browser_is_called_for_its_latest_session_only(desk: Desk) -> None:
    same = PushPhone("https://push.example/shared").keys
    first, second = desk.phone("Ana"), desk.phone("Bo")
    with desk.writing() as conn:
        store.subscribe(conn, STORE, desk.small.people["Ana"], first, same, desk.clock())
        store.subscribe(conn, STORE, desk.small.people["Bo"], second, same, desk.clock())
        assert store.of_session(conn, STORE, first) is None
        assert store.of_session(conn, STORE, second) is not None


def test_a_phones_word_counts_for_its_own_pushes_alone(desk: Desk) -> None:
    ana, bo = desk.phone("Ana"), desk.phone("Bo")
    desk.page("Ana")
    (one,) = desk.claim()
    with desk.writing() as conn:
        assert store.report(conn, STORE, one.id, bo, "shown", desk.clock()) is None
        assert store.report(conn, STORE, one.id, ana, "shown", desk.clock()) == one.page
        found = store.of_session(conn, STORE, ana)
        assert found is not None and found.shown_at == desk.clock()


def test_a_trial_goes_to_the_phone_that_asks_and_is_about_nothing(desk: Desk) -> None:
    desk.phone("Ana")
    key = desk.phone("Ana")
    with desk.writing() as conn:
        queue.put_trial(conn, STORE, desk.small.people["Ana"], key, desk.clock())
        queue.put_trial(conn, STORE, desk.small.people["Ana"], key, desk.clock.forward(1))
    (one,) = desk.claim()
    assert (one.session, one.page, one.matter.kind, one.urgent) == (key, None, TRIAL, False)


def test_dead_subscriptions_are_forgotten_and_old_pushes_dropped(desk: Desk) -> None:
    key = desk.phone("Ana")
    desk.page("Ana")
    desk.end(desk.claim()[0])
    with desk.writing() as conn:
        assert not store.sends(conn, STORE, desk.clock())
        sessions.end(conn, STORE, key, desk.clock())
        store.see(conn, STORE, desk.clock())
        assert store.sends(conn, STORE, desk.clock())
        queue.forget(conn, STORE, desk.clock() + timedelta(days=91))
    assert [desk.count(one) for one in (push_subscription, push, push_try)] == [0, 0, 0]
