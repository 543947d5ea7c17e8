"""Which pictures stand as stills, and what time stands below each picture of a working copy."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from broker.events import Clock, new_id
from broker.manifest import Footage, Manifest
from edge.evidence.moments import MOST_STILLS, Moments, still_times, trigger_ms

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


def manifest(
    length_ms: int, cause: UUID | None = None, frames: list[tuple[int, int]] | None = None
) -> Manifest:
    ended = START + timedelta(milliseconds=length_ms)
    footage = Footage(sha256(b"").hexdigest(), 1, "h264", 640, 360, frames or [(0, 0)], [0])
    return Manifest(
        format="floorbell-clip-1", clip=uuid4(), store="shop", device="kiosk-1", zone="shoes", camera="front",
        causes=[cause or uuid4()], wanted=(START, ended), started_at=START, ended_at=ended,
        clock=Clock(True, UUID(int=1), 5), footage=footage, recorder="test",
    )  # fmt: skip


def test_a_still_stands_at_the_trigger_and_every_ten_seconds() -> None:
    assert still_times(manifest(35_000, new_id(START_MS + 30_250))) == [0, 10_000, 20_000, 30_000, 30_250]
    assert still_times(manifest(0)) == [0]


@pytest.mark.parametrize("version", ["4", "7"])
def test_an_id_that_holds_no_time_of_the_calendar_is_no_trigger(version: str) -> None:
    assert still_times(manifest(0, UUID(f"f32dc288-26bf-{version}89a-bcc7-4e7eebd9ac9a"))) == [0]


@pytest.mark.parametrize("length_ms", [1, 99_999, 100_000, 110_000, 600_000, 900_000])
def test_there_are_twelve_at_most_however_long_the_clip(length_ms: int) -> None:
    found = still_times(manifest(length_ms, new_id(START_MS + min(length_ms, 7_777))))
    assert 1 < len(found) <= MOST_STILLS
    assert found[-1] <= length_ms and found == sorted(found)
    assert length_ms < 40_000 or len(found) > 4


def test_a_trigger_outside_the_clip_or_without_a_time_is_none() -> None:
    for cause in (new_id(START_MS - 1), new_id(START_MS + 5_001), uuid4()):
        assert trigger_ms(manifest(5_000, cause)) is None
    assert trigger_ms(manifest(5_000, new_id(START_MS + 5_000))) == 5_000


def test_a_picture_has_the_wall_clock_of_its_frame_and_one_that_is_not_named_goes_on_from_the_last() -> None:
    # The kiosk's clock was set forward by 2 s after the second picture.
    moments = Moments(manifest(2_200, frames=[(100, 0), (200, 100), (300, 2_200)]))
    assert [moments.after_ms(time) for time in (0, 99.4, 100.4, 200, 250)] == [0, 100, 100, 2_200, 2_250]
    assert moments.at(2_200) == START + timedelta(seconds=2.2)


def test_the_copy_has_as_many_pictures_a_second_as_the_clip_and_thirty_at_most() -> None:
    def rate(every_ms: int, told: float | None = None) -> int:
        return Moments(manifest(0, frames=[(n * every_ms, 0) for n in range(100)])).rate(told)

    assert [rate(100), rate(40), rate(16), rate(5_000)] == [10, 25, 30, 1]
    assert [rate(0, 15.0), rate(0)] == [15, 25]
