"""The hub: the same filter live and in replay, nothing lost and nothing twice, and how streams end."""

import itertools
import queue
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from edge.paging import feed
from edge.paging.feed import News
from edge.web import stream as streams
from edge.web.stream import Hub, Stream, StreamsFull

from .conftest import Browser, Shop

STAFF = frozenset({"staff"})


def say(shop: Shop, *audiences: str, what: str = "request") -> int:
    news = [News(audience, what, "subject", {"n": n}) for n, audience in enumerate(audiences)]

    def write(conn: sa.Connection) -> int | None:
        return feed.append(conn, "trial", news, shop.clock.now)

    cursor = shop.services.writer.run(write)
    assert cursor is not None
    return cursor


def ids(written: Iterator[bytes], count: int) -> list[int]:
    """The ids of the next entries, without beats and the greeting."""
    entries = (chunk.decode() for chunk in written if chunk.startswith(b"id: "))
    return [int(entry.split()[1]) for entry in itertools.islice(entries, count)]


def read(stream: Stream, **more: object) -> Iterator[bytes]:
    return stream.written(lambda: True, lambda entry: None, **more)  # type: ignore[arg-type]


@pytest.fixture
def hub(shop: Shop) -> Hub:
    return shop.services.hub


def test_the_first_bytes_go_out_at_once(hub: Hub) -> None:
    first = next(read(hub.enter(STAFF, "a", None)))
    assert b"retry: " in first and b"event: beat" in first


def test_every_beat_says_whether_presses_come_through(hub: Hub) -> None:
    written = read(hub.enter(STAFF, "a", None), beat_s=0.0)
    assert b'"calling": true' in next(written)
    hub.calling = lambda: False
    assert b'"calling": false' in next(written)


def test_live_delivery_is_filtered_by_audience(shop: Shop, hub: Hub) -> None:
    stream = hub.enter(frozenset({"staff", "person:ana"}), "a", None)
    say(shop, "staff", "manage", "person:ana", "person:marc", "staff")
    hub.pump()
    assert ids(read(stream), 3) == [1, 3, 5]


def test_replay_passes_the_same_filter(shop: Shop, hub: Hub) -> None:
    say(shop, "staff", "manage", "person:ana", "person:marc", "staff")
    stream = hub.enter(frozenset({"staff", "person:ana"}), "a", 1)
    assert ids(read(stream), 2) == [3, 5]


def test_between_replay_and_live_nothing_is_lost_and_nothing_comes_twice(shop: Shop, hub: Hub) -> None:
    say(shop, *["staff"] * 4)
    stream = hub.enter(STAFF, "a", 1)
    say(shop, *["staff"] * 3)
    hub.pump()
    written = read(stream)
    assert ids(written, 4) == [2, 3, 4, 5]
    say(shop, "staff")
    hub.pump()
    assert ids(written, 3) == [6, 7, 8]


def test_a_page_drawn_before_the_hub_looked_gets_nothing_twice(shop: Shop, hub: Hub) -> None:
    hub.pump()
    cursor = say(shop, "staff", "staff")
    stream = hub.enter(STAFF, "a", cursor)
    say(shop, "staff")
    hub.pump()
    assert ids(read(stream), 1) == [3]


@pytest.mark.parametrize("after", [0, 99, -1])
def test_a_place_that_the_feed_no_longer_or_not_yet_holds_means_reload(
    shop: Shop, hub: Hub, after: int
) -> None:
    say(shop, *["staff"] * 5)
    shop.services.writer.run(lambda c: c.exec_driver_sql("DELETE FROM feed WHERE cursor < 3"))
    written = read(hub.enter(STAFF, "a", after))
    next(written)
    assert next(written) == b"event: reload\ndata: {}\n\n"


def test_the_last_place_of_a_feed_that_was_cleared_is_no_reason_to_reload(shop: Shop, hub: Hub) -> None:
    say(shop, *["staff"] * 5)
    shop.services.writer.run(lambda c: c.exec_driver_sql("DELETE FROM feed"))
    stream = hub.enter(STAFF, "a", 5)
    say(shop, "staff")
    hub.pump()
    assert ids(read(stream), 1) == [6]


def test_only_so_many_streams_are_open_and_a_left_one_makes_room(hub: Hub) -> None:
    first, *_ = [hub.enter(STAFF, name, None) for name in "abc"]
    with pytest.raises(StreamsFull):
        hub.enter(STAFF, "d", None)
    hub.leave(first)
    assert hub.enter(STAFF, "d", None)


def test_one_sign_in_cannot_take_every_stream(shop: Shop) -> None:
    hub = Hub(shop.services.hub.feed, cap=100)
    for _ in range(streams.PER_SESSION):
        hub.enter(STAFF, "a", None)
    with pytest.raises(StreamsFull):
        hub.enter(STAFF, "a", None)
    assert hub.enter(STAFF, "b", None)


def test_a_stream_that_is_too_far_behind_ends(shop: Shop, hub: Hub) -> None:
    slow = hub.enter(STAFF, "a", None)
    written = read(slow)
    next(written)
    say(shop, *["staff"] * (streams.BACKLOG + 1))
    hub.pump()
    assert list(written) == []


def test_a_stream_ends_at_the_next_beat_after_a_sign_out(hub: Hub) -> None:
    answers = iter([True, True, False])
    written = hub.enter(STAFF, "a", None).written(lambda: next(answers), lambda entry: None, beat_s=0)
    assert len(list(written)) == 3


def test_a_stream_that_never_pauses_is_asked_for_its_session_too(shop: Shop, hub: Hub) -> None:
    stream = hub.enter(STAFF, "a", None)
    say(shop, *["staff"] * 50)
    hub.pump()
    ticks = itertools.count()
    answers = iter([True, False])
    written = stream.written(
        lambda: next(answers), lambda entry: None, beat_s=10, monotonic=lambda: next(ticks)
    )
    assert 2 < len(list(written)) < 30


def test_what_was_written_is_reported_only_after_it_was_written(shop: Shop, hub: Hub) -> None:
    sent: list[int] = []
    stream = hub.enter(STAFF, "a", None)
    written = stream.written(lambda: True, lambda entry: sent.append(entry.cursor))
    say(shop, "staff", "staff")
    hub.pump()
    assert ids(written, 1) == [1] and sent == []
    assert ids(written, 1) == [2] and sent == [1]


def test_the_hubs_thread_hands_out_on_notify_and_ends_streams_when_it_stops(shop: Shop, hub: Hub) -> None:
    hub.start()
    stream = hub.enter(STAFF, "a", 0)
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: [heard.put(chunk) for chunk in read(stream)])
    reader.start()
    assert b"retry" in heard.get(timeout=10)
    say(shop, "staff")
    hub.notify()
    assert heard.get(timeout=10).startswith(b"id: 1\n")
    hub.stop()
    reader.join(10)
    assert not reader.is_alive()
    with pytest.raises(StreamsFull):
        hub.enter(STAFF, "b", None)


def test_a_page_that_was_written_to_its_persons_stream_becomes_sent(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    shop.services.start()
    shop.raise_request("Ana")
    ((page,),) = shop.read("SELECT id FROM page")
    news = News(feed.person_audience(shop.people["Ana"].id), "page", "subject", {"page": page})
    shop.write(lambda conn: feed.append(conn, "trial", [news], shop.clock.now))
    response = visitor.client.get("/floor/stream?after=0")
    assert response.mimetype == "text/event-stream"
    written = iter(response.response)
    next(written)
    assert page.encode() in next(written)
    shop.services.hub.end_streams()
    list(written)
    response.close()
    shop.services.errands.stop()
    assert shop.read("SELECT state FROM page") == [("sent",)]
    assert shop.services.hub.open_streams == 0


def test_beyond_the_cap_the_browser_is_told_when_to_come_again(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    for name in "abc":
        shop.services.hub.enter(STAFF, name, None)
    answer = visitor.client.get("/floor/stream")
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0


def test_asking_only_for_the_headers_of_a_stream_opens_none(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in(shop.people["Ana"])
    assert visitor.client.head("/floor/stream").status_code == 200
    assert shop.services.hub.open_streams == 0


def test_streams_that_come_back_together_do_not_all_beat_together(shop: Shop, hub: Hub) -> None:
    phases = sorted(hub.enter(STAFF, f"session {n}", None).phase for n in range(3))
    assert phases[0] == 0 and phases[1] - phases[0] > 0.1 and phases[2] - phases[1] > 0.1
    assert phases[-1] < 1, "The first beat comes early, never late."


def test_a_browser_that_hung_up_leaves_its_place_to_the_next(shop: Shop) -> None:
    hub = Hub(shop.services.hub.feed, 100)
    gone: set[int] = set()
    for number in range(streams.PER_SESSION):
        hub.enter(STAFF, "a", None, lambda number=number: number in gone)  # type: ignore[misc]
    with pytest.raises(StreamsFull):
        hub.enter(STAFF, "a", None)
    gone.add(2)
    hub.enter(STAFF, "a", None)
    assert hub.open_streams == streams.PER_SESSION
    with pytest.raises(StreamsFull):
        hub.enter(STAFF, "a", None)
