"""Clips on their way out: what the store asks for arrives whole, in order; whatever hinders it is said."""

import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.events import ClipRecorded, Clock, new_id
from broker.messages import Upload
from kiosk.camera.bandwidth import Bandwidth
from kiosk.camera.clips import EVENT, MANIFEST, SIGNATURE, VIDEO, Announcement, Clips
from kiosk.camera.delivery import FIRST_BYTES, PIECE_BYTES
from kiosk.camera.uploader import TRIES, Uploader
from kiosk.camera.waiting import Waiting
from kiosk.camera.window import Kind
from tests.rig.vault import FakeVault, identities

BIG = os.urandom(FIRST_BYTES + 2 * PIECE_BYTES + 5000)


@given(
    st.sampled_from([0, 1000, 50_000]),
    st.lists(st.tuples(st.integers(1, 20_000), st.floats(0, 2)), max_size=60),
)
def test_no_more_than_the_limit_and_one_burst_leaves_in_any_time(
    rate: int, sends: list[tuple[int, float]]
) -> None:
    bandwidth, now_s, sent = Bandwidth(rate, 10_000, 0.0), 0.0, []
    for size, pause_s in sends:
        wait_s = bandwidth.wait_s(size, now_s)
        assert rate or wait_s == 0
        now_s += wait_s
        sent.append((now_s, size))
        now_s += pause_s
    for begin in range(len(sent) if rate else 0):
        for end in range(begin, len(sent)):
            total = sum(size for _, size in sent[begin : end + 1])
            # The first of them may have been paid for before.
            assert total <= 10_000 + sent[begin][1] + rate * (sent[end][0] - sent[begin][0]) + 1


class Card:
    """Clips on a card, and the uploader that brings them."""

    def __init__(self, directory: Path, identity: Path, keep_sealed_h: float = 24) -> None:
        self.clips = Clips(directory)
        self.identity = identity
        self.now_s = 1000.0
        self.made = 0
        self.lost: list[tuple[str, UUID | None]] = []
        self.uploader = self.make_uploader(keep_sealed_h)

    def make_uploader(self, keep_sealed_h: float = 24) -> Uploader:
        return Uploader(
            self.clips,
            self.identity,
            0,
            keep_sealed_h,
            lambda: self.now_s,
            lambda why, clip, cause: self.lost.append((why, clip)),
        )

    def add(self, video: bytes = b"video", kind: Kind = "help") -> UUID:
        self.made += 1
        clip = new_id(1_790_000_000_000 + self.made)
        at = datetime(2026, 10, 1, tzinfo=UTC)
        content = ClipRecorded(
            clip, clip, at, at, len(video), sha256(video).hexdigest(), "0" * 64, "", "h264", 64, 48
        )
        about = Announcement(clip, content, ((clip, kind),), Clock(True, UUID(int=1), 5), 0)
        folder = self.clips.begin(clip)
        (folder / VIDEO).write_bytes(video)
        (folder / MANIFEST).write_bytes(b"manifest of " + str(clip).encode())
        (folder / SIGNATURE).write_text("00")
        (folder / EVENT).write_bytes(msgspec.json.encode(about))
        folder.rename(self.clips.directory / str(clip))
        return clip

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.uploader.turn()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return identities(tmp_path_factory.mktemp("identities"))


@pytest.fixture
def vault(known: tuple[Path, Path]) -> Iterator[FakeVault]:
    vault = FakeVault(known[0])
    yield vault
    vault.close()


@pytest.fixture
def card(tmp_path: Path, known: tuple[Path, Path]) -> Card:
    return Card(tmp_path / "clips", known[1])


def ask(card: Card, vault: FakeVault, *clips: UUID, secret: str = "a") -> None:
    for clip in clips:
        found = card.clips.find(clip)
        vault.told[clip] = found.about.content.bytes if found else 1
    card.uploader.put([vault.ticket(clip, secret) for clip in clips])


def test_a_clip_arrives_whole_in_pieces_and_stays_marked_for_a_day(card: Card, vault: FakeVault) -> None:
    clip = card.add(BIG)
    ask(card, vault, clip)
    card.uploader.turn()
    assert vault.sealed == [clip] and bytes(vault.video[clip]) == BIG
    assert vault.manifest[clip] == b"manifest of " + str(clip).encode()
    offsets = [at for what, _, at in vault.asked if what == "PATCH"]
    assert offsets == [0, FIRST_BYTES, FIRST_BYTES + PIECE_BYTES, FIRST_BYTES + 2 * PIECE_BYTES]
    found = card.clips.find(clip)
    assert found is not None and found.sealed and card.uploader.faults() == []
    assert card.clips.forget_sealed(3600) == 0
    assert card.clips.forget_sealed(3600, lambda: time.time() + 3601) == 1
    assert card.clips.all() == []


def test_the_same_ticket_again_is_not_used_again_and_another_finds_it_sealed(
    card: Card, vault: FakeVault
) -> None:
    clip = card.add()
    ask(card, vault, clip)
    card.uploader.turn()
    ask(card, vault, clip, secret="b")
    card.uploader.put([vault.ticket(clip)])
    card.uploader.turn()
    assert [what for what, _, _ in vault.asked] == ["PUT", "PATCH", "PUT"] and vault.sealed == [clip]


def test_it_goes_on_where_the_line_broke(card: Card, vault: FakeVault) -> None:
    clip = card.add(BIG)
    vault.breaks_at = FIRST_BYTES + 300_000
    ask(card, vault, clip)
    card.uploader.turn()
    assert not vault.sealed
    begin = len(vault.asked)
    card.later(1.0)
    assert vault.sealed == [clip] and bytes(vault.video[clip]) == BIG
    resumed = next(at for what, _, at in vault.asked[begin:] if what == "PATCH")
    assert resumed >= FIRST_BYTES + 300_000


def test_security_comes_first_then_the_newest(card: Card, vault: FakeVault) -> None:
    clips = [card.add(kind=kind) for kind in ("help", "security", "help", "security", "help")]
    ask(card, vault, *clips)
    for _ in clips:
        card.uploader.turn()
    assert vault.sealed == [clips[3], clips[1], clips[4], clips[2], clips[0]]


def test_a_security_clip_is_brought_between_the_pieces_of_another(card: Card, vault: FakeVault) -> None:
    long, urgent = card.add(BIG), card.add(kind="security")
    ask(card, vault, long)
    vault.after_piece = lambda clip: ask(card, vault, urgent)
    for _ in range(3):
        card.uploader.turn()
    assert vault.sealed == [urgent, long] and bytes(vault.video[long]) == BIG


def test_a_ticket_that_is_over_is_not_tried_again_and_the_next_one_is(card: Card, vault: FakeVault) -> None:
    clip = card.add()
    vault.refuses[clip] = 404, "There is no such clip, or the ticket is not for it."
    ask(card, vault, clip)
    card.uploader.turn()
    del vault.refuses[clip]
    ask(card, vault, clip)
    ask(card, vault, clip, secret="b")
    card.uploader.turn()
    assert vault.sealed == [clip] and card.uploader.faults() == []


def test_tickets_may_come_in_any_order(card: Card, vault: FakeVault) -> None:
    """What a broken line held back is sent after what took its place."""
    clip = card.add()
    for secret in ("good", "earlier"):
        ask(card, vault, clip, secret=secret)
    vault.only = "good"
    for _ in range(2):
        card.uploader.turn()
    assert vault.sealed == [clip]


def test_what_the_store_refuses_is_sent_three_times_and_then_said_also_after_a_restart(
    card: Card, vault: FakeVault
) -> None:
    clip = card.add()
    vault.refuses[clip] = 422, "The video is not the one that was signed."
    for secret in "abc":
        assert card.uploader.faults() == []
        ask(card, vault, clip, secret=secret)
        card.later(1000)
    assert "not what was signed" in card.uploader.faults()[0]
    card.uploader = card.make_uploader()
    other = card.add()
    ask(card, vault, clip, other, secret="d")
    card.uploader.turn()
    assert len([one for one in vault.asked if one[1] == clip]) == TRIES
    assert "not what was signed" in card.uploader.faults()[0] and card.clips.find(clip) is not None
    assert vault.sealed == [other]


def test_a_clip_whose_end_is_missing_is_never_sent_and_said(card: Card, vault: FakeVault) -> None:
    clip = card.add(BIG)
    found = card.clips.find(clip)
    assert found is not None
    ask(card, vault, clip)
    os.truncate(found.video, 1000)
    for _ in range(TRIES):
        card.later(1000)
    assert vault.asked == [] and "not what was signed" in card.uploader.faults()[0]
    assert card.lost == [("damaged", clip)]


def test_a_full_vault_is_said_and_tried_later_while_others_go_on(card: Card, vault: FakeVault) -> None:
    full, other = card.add(kind="security"), card.add()
    vault.refuses[full] = 507, "The vault's disk is nearly full."
    ask(card, vault, full)
    card.uploader.turn()
    assert card.uploader.faults() == ["Clips wait on this kiosk. The vault's disk is nearly full."]
    ask(card, vault, other)
    card.uploader.turn()
    del vault.refuses[full]
    assert vault.sealed == [other]
    card.later(30)
    assert vault.sealed == [other, full] and card.uploader.faults() == []


def test_a_vault_that_was_full_for_hours_is_asked_again_within_a_minute_of_having_room() -> None:
    waiting, now_s = Waiting(), 0.0
    upload = Upload(UUID(int=1), "https://vault/1", "ticket")
    waiting.told(upload, urgent=False)
    for _ in range(50):
        due_s = waiting.due_at()
        assert due_s is not None and due_s - now_s <= 60
        now_s = due_s
        assert waiting.next(now_s) == upload
        waiting.full(upload, now_s)
    assert now_s > 2400
    due_s = waiting.due_at()
    assert due_s is not None and due_s - now_s == 60


def test_what_is_asked_for_and_not_on_the_card_is_said_unless_the_store_has_it(
    card: Card, vault: FakeVault
) -> None:
    had = card.add()
    ask(card, vault, had)
    card.uploader.turn()
    card.clips.delete(had)
    ask(card, vault, had, secret="b")
    card.uploader.turn()
    assert card.uploader.faults() == []
    ask(card, vault, UUID(int=5))
    card.uploader.turn()
    assert card.uploader.faults() == ["The store waits for clips that are no longer on this kiosk's card."]
    unreadable = UUID(int=6)
    (card.clips.directory / str(unreadable)).mkdir()
    (card.clips.directory / str(unreadable) / EVENT).write_bytes(b"{")
    ask(card, vault, unreadable)
    card.uploader.turn()
    assert card.lost == [("missing", UUID(int=5)), ("damaged", unreadable)]


def test_only_this_stores_vault_under_its_own_name_is_sent_anything(
    card: Card, vault: FakeVault, tmp_path: Path
) -> None:
    stranger = FakeVault(identities(tmp_path / "other")[0])
    clip = card.add()
    uploads = [
        stranger.ticket(clip),
        stranger.ticket(clip, "b"),
        vault.ticket(clip, "c", host="localhost"),
    ]
    for upload in uploads:
        card.uploader.put([upload])
        card.later(1000)
    stranger.close()
    assert vault.asked == stranger.asked == []
    assert "is not this store's vault" in card.uploader.faults()[0]
    card.uploader.put([msgspec.structs.replace(vault.ticket(clip, "d"), url="http://127.0.0.1/clip")])
    card.later(1000)
    ask(card, vault, clip, secret="e")
    card.later(1000)
    assert vault.sealed == [clip] and card.uploader.faults() == []


def test_of_five_thousand_clips_only_those_are_looked_at_that_are_asked_for(
    card: Card, vault: FakeVault, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5000):
        folder = card.clips.directory / str(UUID(int=number))
        folder.mkdir()
        # Whoever opened it would say that it cannot be read.
        (folder / EVENT).write_bytes(b"{")
    clips = [card.add(b"video %d" % n) for n in range(20)]
    with caplog.at_level(logging.WARNING):
        ask(card, vault, *clips)
        for _ in clips:
            card.uploader.turn()
        assert card.clips.forget_sealed(0) == 20
    assert vault.sealed == clips[::-1] and caplog.records == []


def test_with_nothing_to_keep_a_clip_goes_with_its_seal(
    tmp_path: Path, known: tuple[Path, Path], vault: FakeVault
) -> None:
    card = Card(tmp_path / "clips", known[1], keep_sealed_h=0)
    ask(card, vault, card.add())
    card.uploader.turn()
    assert len(vault.sealed) == 1 and card.clips.all() == []
