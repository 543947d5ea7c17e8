"""The messenger on a real database: each happening goes out once, to whom it concerns, and is noted truly."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from edge.outside import store
from edge.outside.channels import SECURITY, TEST, Channel
from edge.outside.rules import Outcome
from edge.outside.store import Claimed, Ended
from tests.rig import receiver as ways
from tests.rig.receiver import OK, Receiver, status
from tests.unit.edge.conftest import STORE

from .conftest import Post, secret_file, webhook

Receive = Callable[..., Receiver]


def take(_channel: Channel, _claimed: Claimed, _now: datetime) -> Ended:
    return Ended(Outcome.ACCEPTED, "taken")


def test_a_test_goes_to_its_channel_alone_and_is_accepted(post: Post, receive: Receive) -> None:
    there, other = receive(), receive()
    messenger = post.open(webhook(post.folder, "guards", there.url), webhook(post.folder, "b", other.url))
    post.tests("guards")
    post.land(messenger)
    (call,) = there.calls
    assert call.signed_with() and call.said["type"] == TEST and other.calls == []
    (row,) = post.deliveries()
    assert (row.state, row.tries, row.next_at, row.id) == ("accepted", 1, None, call.id)
    assert post.tries() == [(1, "accepted", "The receiver took it (200 OK).")]


def test_after_failures_it_is_tried_again_under_the_same_id_with_the_same_body(
    post: Post, receive: Receive
) -> None:
    there = receive(status(500), status(429, Retry_After="60"), ways.close_silently, OK)
    messenger = post.open(webhook(post.folder, "guards", there.url))
    post.tests("guards")
    post.land(messenger)
    for pause_s, calls in ((1, 1), (1, 2), (59, 2), (1, 3), (7, 3), (1, 4), (600, 4)):
        post.clock.forward(pause_s)
        post.land(messenger)
        assert len(there.calls) == calls
    assert len(set(there.ids)) == 1 and len({call.body for call in there.calls}) == 1
    assert len({call.headers["webhook-timestamp"] for call in there.calls}) == 4
    assert [outcome for _, outcome, _ in post.tries()] == ["failed", "failed", "unknown", "accepted"]


def test_what_is_refused_for_good_is_not_tried_again(post: Post, receive: Receive) -> None:
    there = receive(status(410))
    messenger = post.open(webhook(post.folder, "guards", there.url))
    post.tests("guards")
    post.land(messenger)
    post.clock.forward(3600)
    post.land(messenger)
    (row,) = post.deliveries()
    assert row.state == "refused" and len(there.calls) == 1


def test_at_its_deadline_a_delivery_is_given_up(post: Post, receive: Receive) -> None:
    there = receive(status(500))
    messenger = post.open(webhook(post.folder, "guards", there.url, give_up_after_s=10))
    post.tests("guards")
    for pause_s in (0, 2, 4, 8, 16):
        post.clock.forward(pause_s)
        post.land(messenger)
    (row,) = post.deliveries()
    assert (row.state, row.tries, len(there.calls)) == ("given_up", 3, 3)


def test_a_channel_that_hangs_keeps_no_other_waiting(post: Post) -> None:
    stuck, told = threading.Event(), threading.Event()

    def send(channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        if channel.name == "slow":
            stuck.wait(20)
        else:
            told.set()
        return take(channel, claimed, now)

    channels = [Channel(name, "webhook", f"{name}.toml") for name in ("slow", "quick")]
    messenger = post.open(*channels, send=send)
    post.tests(*["slow"] * 20, "quick")
    messenger.turn()
    assert told.wait(10), "the quick channel waited for the slow one"
    stuck.set()
    for _ in range(12):
        post.land(messenger)
    assert {row.state for row in post.deliveries()} == {"accepted"}


def test_a_security_request_finds_room_where_everything_else_hangs(post: Post) -> None:
    stuck, begun = threading.Event(), list[str]()

    def send(channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        begun.append(claimed.what)
        stuck.wait(20)
        return take(channel, claimed, now)

    messenger = post.open(Channel("guards", "webhook", "g.toml"), send=send)
    post.tests(*["guards"] * 30)
    messenger.turn()
    with post.writing() as conn:
        new = store.New("guards", 1, SECURITY, "{}", False, post.clock() + timedelta(hours=1))
        store.mark(conn, STORE, SECURITY, "r", post.clock())
        (happened,) = [one for one in store.unspread(conn, STORE) if one.what == SECURITY]
        store.spread(conn, STORE, happened, [new], post.clock())
    messenger.turn()
    assert begun.count(TEST) == 3 and begun.count(SECURITY) == 1
    stuck.set()
    post.land(messenger)


def test_a_try_that_never_ends_is_noted_as_unknown_and_its_late_end_changes_nothing(post: Post) -> None:
    stuck, mono = threading.Event(), [0.0]

    def send(channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        if claimed.number == 1:
            stuck.wait(20)
            return Ended(Outcome.REFUSED, "too late to count")
        return take(channel, claimed, now)

    channel = Channel("guards", "webhook", "g.toml")
    messenger = post.open(channel, send=send, monotonic=lambda: mono[0])
    post.tests("guards")
    messenger.turn()
    mono[0] += channel.within_s + 4
    messenger.turn()
    assert post.tries() == [(1, "unknown", "It took too long; whether it arrived is not known.")]
    stuck.set()
    post.clock.forward(2)
    post.land(messenger)
    assert [outcome for _, outcome, _ in post.tries()] == ["unknown", "accepted"]


def test_a_messenger_that_died_during_a_try_leaves_it_to_the_next_one(post: Post, receive: Receive) -> None:
    there = receive()
    channel = webhook(post.folder, "guards", there.url)
    stuck = threading.Event()

    def late(channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        stuck.wait(20)
        return take(channel, claimed, now)

    first = post.open(channel, send=late)
    post.tests("guards")
    first.turn()
    second = post.open(channel)
    post.land(second)
    assert there.calls == [], "the lease of the first had not ended"
    post.clock.forward(120)
    post.land(second)
    post.clock.forward(2)
    post.land(second)
    assert [(number, outcome) for number, outcome, _ in post.tries()] == [(1, "unknown"), (2, "accepted")]
    assert post.tries()[0][2] == store.CUT_OFF and len(there.calls) == 1
    stuck.set()
    post.land(first)
    assert [outcome for _, outcome, _ in post.tries()] == ["unknown", "accepted"]


def test_two_messengers_send_each_happening_once(post: Post, receive: Receive) -> None:
    there = receive()
    channel = webhook(post.folder, "guards", there.url)
    one, other = post.open(channel), post.open(channel)
    for number in range(12):
        post.happens(TEST, f"test-{number}", "guards")
        one.turn()
        other.turn()
    for _ in range(6):
        post.land(one)
        post.land(other)
    assert len(there.ids) == len(set(there.ids)) == 12 == len(post.deliveries())


def test_nobody_is_told_of_what_happened_before_there_was_the_channel(post: Post, receive: Receive) -> None:
    there = receive()
    post.tests("guards")
    post.clock.forward(60)
    messenger = post.open(webhook(post.folder, "guards", there.url))
    post.land(messenger)
    assert there.calls == [] and post.deliveries() == []


def test_what_happened_while_no_messenger_ran_is_told_late_or_given_up(post: Post, receive: Receive) -> None:
    there = receive()
    channel = webhook(post.folder, "guards", there.url)
    post.open(channel)
    post.tests("guards")
    post.clock.forward(5 * 3600)
    messenger = post.open(channel)
    post.land(messenger)
    assert len(there.calls) == 1
    post.tests("guards")
    post.clock.forward(7 * 3600)
    post.land(post.open(channel))
    assert len(there.calls) == 1
    assert [(row.state, row.tries) for row in post.deliveries()] == [("accepted", 1), ("given_up", 0)]


def test_what_waits_for_a_channel_that_was_taken_away_is_given_up(post: Post, receive: Receive) -> None:
    messenger = post.open(webhook(post.folder, "guards", receive(status(500)).url))
    post.tests("guards")
    post.land(messenger)
    post.clock.forward(5)
    post.land(post.open())
    (row,) = post.deliveries()
    assert row.state == "given_up"


def test_a_file_is_mended_without_a_restart(post: Post, receive: Receive) -> None:
    there = receive()
    channel = webhook(post.folder, "guards", there.url)
    (post.folder / channel.file).chmod(0o644)
    messenger = post.open(channel)
    post.tests("guards")
    post.land(messenger)
    assert "may be read by others" in post.tries()[0][2] and there.calls == []
    (post.folder / channel.file).chmod(0o600)
    post.clock.forward(2)
    post.land(messenger)
    assert len(there.calls) == 1


def test_a_jump_of_the_servers_clock_changes_no_wait(post: Post, receive: Receive) -> None:
    there = receive(status(500), OK)
    messenger = post.open(webhook(post.folder, "guards", there.url))
    post.tests("guards")
    post.land(messenger)
    jump = timedelta(days=-400)
    post.clock.now += jump
    with post.writing() as conn:
        store.shift(conn, STORE, jump)
    post.land(messenger)
    assert len(there.calls) == 1
    post.clock.forward(2)
    post.land(messenger)
    assert len(there.calls) == 2


def test_neither_database_nor_log_holds_an_address_or_a_secret(post: Post, receive: Receive, caplog) -> None:  # type: ignore[no-untyped-def]
    caplog.set_level("DEBUG")
    there = receive(status(500), status(302, Location="http://secret-word.example/"), ways.nonsense, OK)
    url = there.url + "/secret-word"
    messenger = post.open(webhook(post.folder, "guards", url))
    secret_file(post.folder, "guards.toml", f'url = "{url}"\nsecret = "{ways.SECRET}"\n')
    post.tests("guards")
    for _ in range(4):
        post.land(messenger)
        post.clock.forward(600)
    assert len(there.calls) == 4
    stored = repr([tuple(row) for row in post.deliveries()]) + repr(post.tries())
    for text in (stored, caplog.text):
        assert "secret-word" not in text and ways.SECRET not in text and str(there.port) not in text


def test_old_deliveries_are_forgotten_and_waiting_ones_kept(post: Post, receive: Receive) -> None:
    there = receive(OK, status(500))
    messenger = post.open(webhook(post.folder, "guards", there.url, give_up_after_s=7 * 86_400))
    post.tests("guards")
    post.land(messenger)
    with post.writing() as conn:
        store.forget(conn, STORE, post.clock() + store.KEPT)
    assert len(post.deliveries()) == 1
    with post.writing() as conn:
        store.forget(conn, STORE, post.clock() + store.KEPT + timedelta(seconds=1))
    assert post.deliveries() == [] and post.tries() == []
