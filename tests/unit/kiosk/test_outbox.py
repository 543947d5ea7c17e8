import os
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker import codec, topics
from broker.events import Cancelled, Content, HelpRequested, SecurityRequested
from broker.messages import Receipt, Refusal
from kiosk import disk
from kiosk.clock import Clocks
from kiosk.errors import OutboxFull, OutboxLocked
from kiosk.outbox import KEPT_S, NewEvent, Outbox

BOOT = UUID(int=5)
_numbers = count(1)


def new(content: Content | None = None, at_s: float = 10.0, request: UUID | None = None) -> NewEvent:
    event_id = UUID(int=next(_numbers))
    stamp = Clocks(BOOT, lambda: at_s).stamp(at_s)
    return NewEvent(event_id, content or HelpRequested("till"), stamp, request or event_id)


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Outbox]:
    def opened(boot: UUID = BOOT, now_s: float = 0.0) -> Outbox:
        return Outbox(tmp_path, boot, now_s)

    return opened


def save(outbox: Outbox, *events: NewEvent) -> list[int]:
    with outbox.transaction():
        return [outbox.save(event).seq or 0 for event in events]


def open_seqs(outbox: Outbox) -> list[int]:
    return sorted(event.seq or 0 for event in outbox.open_events()[0])


def test_numbers_are_contiguous_from_one_and_survive_a_restart(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    assert save(outbox, new(), new()) == [1, 2]
    outbox.close()
    again = begin()
    assert again.id == outbox.id
    assert save(again, new()) == [3]
    assert open_seqs(again) == [1, 2, 3]


def test_what_is_stored_is_what_the_contract_reads(begin: Callable[..., Outbox]) -> None:
    outbox, event = begin(), new(HelpRequested("till", "ca", 3), 12.5)
    with outbox.transaction():
        stored = outbox.save(event)
    read = codec.decode_event("shop", topics.event("shop", "kiosk-1", "help"), stored.payload)
    assert (read.id, read.outbox, read.seq) == (event.id, outbox.id, 1)
    assert read.content == HelpRequested("till", "ca", 3)
    assert read.clock is not None and (read.clock.boot, read.clock.monotonic_ms) == (BOOT, 12500)


def test_an_event_that_is_told_again_keeps_its_number_and_its_content(begin: Callable[..., Outbox]) -> None:
    outbox, event = begin(), new()
    assert save(outbox, event, new(), event) == [1, 2, 1]
    outbox.close()
    again = begin()
    assert save(again, event, new()) == [1, 3]


def test_a_failed_transaction_leaves_nothing_behind(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    with pytest.raises(ZeroDivisionError), outbox.transaction():
        outbox.save(new())
        raise ZeroDivisionError
    assert open_seqs(outbox) == []
    assert save(outbox, new()) == [1]


def test_an_event_leaves_only_by_a_receipt_for_its_own_outbox(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    save(outbox, new(), new(), new())
    with outbox.transaction():
        outbox.receive(Receipt(outbox=uuid4(), seqs=[1, 2, 3]), 1.0)
        outbox.receive(Receipt(outbox=outbox.id, seqs=[2, 99]), 1.0)
    assert open_seqs(outbox) == [1, 3]
    counts = outbox.counts()
    assert (counts.depth, counts.oldest_open_seq) == (2, 1)


def test_the_oldest_open_number_is_the_next_one_when_nothing_is_open(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    assert outbox.counts().oldest_open_seq == 1
    save(outbox, new(), new())
    with outbox.transaction():
        outbox.receive(Receipt(outbox=outbox.id, seqs=[1, 2]), 1.0)
    assert outbox.counts().oldest_open_seq == 3


def test_a_refused_event_is_set_aside_visibly_and_is_not_replayed(begin: Callable[..., Outbox]) -> None:
    outbox, by_id = begin(), new()
    save(outbox, new(), by_id)
    refused = [Refusal("Too late.", seq=1), Refusal("Unknown.", id=str(by_id.id)), Refusal("?", id="x")]
    with outbox.transaction():
        outbox.receive(Receipt(outbox=outbox.id, refused=refused), 1.0)
        assert outbox.replay(outbox.id, 1) == 0
    counts = outbox.counts()
    assert (counts.depth, counts.refused) == (0, 2)
    assert counts.last_refusal in ("Too late.", "Unknown.")


def test_a_replay_opens_receipted_events_again_from_its_number_on(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    save(outbox, new(), new(), new())
    with outbox.transaction():
        outbox.receive(Receipt(outbox=outbox.id, seqs=[1, 2, 3]), 1.0)
    with outbox.transaction():
        assert outbox.replay(outbox.id, 2) == 2
    assert open_seqs(outbox) == [2, 3]


def test_receipted_events_stay_seven_days_of_running_time(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    save(outbox, new(), new())
    with outbox.transaction():
        outbox.receive(Receipt(outbox=outbox.id, seqs=[1]), 100.0)
        outbox.prune(KEPT_S - 1000)
    outbox.close()
    later = begin(now_s=50.0)  # another run; its clock began again
    with later.transaction():
        later.prune(1000.0)
        assert later.replay(outbox.id, 1) == 1
        later.receive(Receipt(outbox=outbox.id, seqs=[1]), 1000.0)
        later.prune(1000.0 + KEPT_S + 1)
        assert later.replay(outbox.id, 1) == 0
    assert open_seqs(later) == [2], "an open event is never pruned"


def test_counted_repeats_survive_a_restart_and_end_with_their_event(begin: Callable[..., Outbox]) -> None:
    outbox, first = begin(), new()
    save(outbox, first)
    for number in (1, 2, 3):
        with outbox.transaction():
            outbox.count_repeats(first.id, HelpRequested("till", "en", number), new(at_s=9.0 + number).stamp)
    outbox.close()
    again = begin()
    boot = first.stamp.clock.boot
    counted = (first.id, HelpRequested("till", "en", 3), boot, 10_000)
    assert again.waiting_repeats() == [counted], "with the time of the first of them"
    stamp = first.stamp
    save(again, NewEvent(uuid4(), HelpRequested("till", "en", 3), stamp, first.id, ends_repeats=True))
    assert again.waiting_repeats() == []


def test_the_interrupted_request_is_the_newest_that_was_neither_sent_nor_withdrawn(
    begin: Callable[..., Outbox],
) -> None:
    outbox = begin()
    old, withdrawn, current = new(at_s=10), new(at_s=60), new(at_s=70)
    repeat = new(at_s=75, request=current.id)
    save(outbox, old, current, repeat, withdrawn, new(Cancelled(withdrawn.id), 61, withdrawn.id))
    assert outbox.interrupted(50.0) == (current.id, 70.0, {current.id, repeat.id})
    assert outbox.interrupted(80.0) is None
    with outbox.transaction():
        outbox.receive(Receipt(outbox=outbox.id, seqs=[2]), 80.0)
    assert outbox.interrupted(50.0) == (current.id, 70.0, {repeat.id})
    outbox.close()
    assert begin(boot=uuid4()).interrupted(50.0) is None


def test_an_event_of_an_earlier_boot_has_no_age(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    save(outbox, new())
    outbox.close()
    (event,) = begin(boot=uuid4()).open_events()[0]
    assert event.made_s is None


def test_a_long_backlog_comes_in_parts_with_security_and_the_newest_in_the_first(
    begin: Callable[..., Outbox],
) -> None:
    outbox = begin()
    save(outbox, *(new() for _ in range(300)), new(SecurityRequested("hold")), *(new() for _ in range(300)))
    events, more = outbox.open_events(security=4, newest=5, oldest=6)
    assert more
    assert sorted(event.seq or 0 for event in events) == [1, 2, 3, 4, 5, 6, 301, *range(597, 602)]


def test_a_full_disk_is_an_error_that_says_so_and_changes_nothing(begin: Callable[..., Outbox]) -> None:
    outbox = begin()
    save(outbox, new())
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxFull, match="full"):
        for _ in range(200):
            save(outbox, new())
    kept = open_seqs(outbox)
    outbox._db.execute("PRAGMA max_page_count = 100000")
    assert save(outbox, new()) == [len(kept) + 1]


@pytest.mark.parametrize("damage", ["garbage", "holes", "no table"])
def test_a_damaged_outbox_is_set_aside_and_a_new_one_begins(
    begin: Callable[..., Outbox], tmp_path: Path, damage: str
) -> None:
    outbox = begin()
    save(outbox, *(new() for _ in range(100)))
    outbox.close()
    path = tmp_path / "outbox.db"
    if damage == "garbage":
        path.write_bytes(os.urandom(8192))
    elif damage == "holes":
        content = bytearray(path.read_bytes())
        content[3 * 4096 : 6 * 4096] = os.urandom(3 * 4096)
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as db:
            db.execute("DROP TABLE meta")
        db.close()
    again = begin()
    assert again.set_aside == "damaged-1.db"
    assert again.id != outbox.id
    assert save(again, new()) == [1]
    if damage == "no table":
        assert len([e for e in again.open_events()[0] if e.outbox == outbox.id]) == 100
        with again.transaction():
            again.receive(Receipt(outbox=outbox.id, seqs=list(range(1, 101))), 1.0)
        assert again.counts().depth == 1


def test_two_programs_cannot_hold_one_outbox(tmp_path: Path) -> None:
    held = disk.lock(tmp_path)
    with pytest.raises(OutboxLocked, match="Another kiosk program"):
        disk.lock(tmp_path)
    held.close()
    disk.lock(tmp_path).close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["save", "receipt", "restart", "wrong", "replay"]), max_size=25), st.randoms()
)
def test_whatever_happens_nothing_leaves_without_its_receipt(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], random: object
) -> None:
    directory = tmp_path_factory.mktemp("outbox")
    outbox, open_now, next_seq = Outbox(directory, BOOT, 0.0), set(), 1
    for step in steps:
        if step == "save":
            assert save(outbox, new()) == [next_seq]
            open_now.add(next_seq)
            next_seq += 1
        elif step == "receipt" and open_now:
            seq = random.choice(sorted(open_now))  # type: ignore[attr-defined]
            with outbox.transaction():
                outbox.receive(Receipt(outbox=outbox.id, seqs=[seq, seq]), 1.0)
            open_now.discard(seq)
        elif step == "wrong":
            with outbox.transaction():
                outbox.receive(Receipt(outbox=uuid4(), seqs=[1, 2, 3], ids=[uuid4()]), 1.0)
        elif step == "replay":
            with outbox.transaction():
                outbox.replay(outbox.id, 1)
            open_now = set(range(1, next_seq))
        elif step == "restart":
            outbox.close()
            outbox = Outbox(directory, BOOT, 0.0)
        assert set(open_seqs(outbox)) == open_now
    outbox.close()
