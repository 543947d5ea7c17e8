"""The pure rules of the camera: ring, windows, time, room and how it is."""

import itertools
from dataclasses import dataclass, replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kiosk.camera.pulse import Look, Pulse
from kiosk.camera.ring import Ring
from kiosk.camera.room import make_room
from kiosk.camera.source import SENTENCES, CameraState, Packet, StreamInfo
from kiosk.camera.timeline import STRAY_US, Timeline
from kiosk.camera.window import Kind, Reach, Trigger, Window, place, window_of

STREAM = StreamInfo("h264", b"", 64, 48, 10)


def packet(came_s: float, key: bool = False, size: int = 10, time_us: int = 0) -> Packet:
    return Packet(STREAM, bytes(size), time_us, time_us, key, came_s, 0)


packets_ = st.lists(st.tuples(st.floats(0.01, 3), st.booleans(), st.integers(1, 200)), max_size=120)


@given(packets_, st.integers(0, 20), st.integers(50, 5000))
def test_the_ring_holds_what_is_wanted_and_no_group_of_pictures_in_parts(
    steps: list[tuple[float, bool, int]], seconds: int, limit: int
) -> None:
    ring, now_s, came = Ring(seconds, limit), 0.0, []
    for step_s, key, size in steps:
        now_s += step_s
        came.append(packet(now_s, key, size))
        ring.add(came[-1])
        first, held = ring.since(0)
        assert sum(len(p.data) for p in held) == ring.bytes <= limit
        assert held == (came[-len(held) :] if held else [])
        assert not held or (held[0].key and first == len(came) - len(held))
        wanted = now_s - seconds
        begin = ring.begin_at(wanted)
        assert (begin is None) == (not held)
        if begin is not None:
            _, clip = ring.since(begin)
            assert clip[0].key
            assert clip[0].came_s <= wanted or begin == first
            assert all(not p.key or p.came_s > wanted for p in clip[1:]) or begin == first
        # Without the limit nothing that is wanted has gone.
        if sum(len(p.data) for p in came) <= limit:
            keys = [p.came_s for p in came if p.key and p.came_s <= wanted]
            assert not keys or held[0].came_s <= wanted


def test_the_ring_goes_on_from_any_number() -> None:
    ring = Ring(2, 10_000)
    for n in range(100):
        ring.add(packet(n / 10, n % 10 == 0))
    first, held = ring.since(95)
    assert (first, [p.came_s for p in held]) == (95, [9.5, 9.6, 9.7, 9.8, 9.9])
    assert ring.since(100) == (100, [])
    first, held = ring.since(3)
    assert first == 70 and len(held) == 30


REACH = Reach(30, 60, 600)


def trigger(number: int, at_s: float, kind: Kind = "help") -> Trigger:
    return Trigger(UUID(int=number), kind, at_s)


@given(st.lists(st.floats(0, 4000), min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 300))
def test_every_press_has_its_whole_footage_in_one_clip_and_no_clip_is_too_long(
    times: list[float], pre_s: int, post_s: int
) -> None:
    reach = Reach(pre_s, post_s, 400)
    windows: list[Window] = []
    for number, at_s in enumerate(sorted(times)):
        given_up, window = place([w for w in windows if w.end_s > at_s], trigger(number, at_s), reach, at_s)
        if given_up is None:
            windows.append(window)
        else:
            windows[windows.index(given_up)] = window
    for number, at_s in enumerate(sorted(times)):
        (own,) = [w for w in windows if UUID(int=number) in w.causes]
        assert own.start_s <= at_s - pre_s and own.end_s >= at_s + post_s
    assert all(w.end_s - w.start_s <= 400 + 1e-6 for w in windows)


def test_a_press_after_the_end_has_a_clip_of_its_own_and_help_makes_none_spared() -> None:
    window = window_of(trigger(1, 100), REACH)
    assert (window.start_s, window.end_s, window.spared) == (70, 160, False)
    assert place([window], trigger(2, 161), REACH, 161) == (None, window_of(trigger(2, 161), REACH))
    _, longer = place([window], trigger(2, 130, "security"), REACH, 130)
    assert (longer.start_s, longer.end_s, longer.spared) == (70, 190, True)
    assert place([longer], trigger(2, 130, "security"), REACH, 200)[1] == longer


@given(
    st.lists(
        st.tuples(st.integers(-(10**7), 10**10), st.floats(0.001, 5), st.integers(-5, 10**5)), max_size=60
    )
)
def test_times_always_rise_and_stay_near_the_time_of_arrival(steps: list[tuple[int, float, int]]) -> None:
    timeline, now_s, last_us = Timeline(), 100.0, -1
    for dts_us, step_s, shown_us in steps:
        now_s += step_s
        came = packet(now_s, time_us=dts_us)
        out = timeline.put(replace(came, pts_us=dts_us + shown_us))
        assert out.dts_us > last_us and out.pts_us >= out.dts_us
        assert abs(out.dts_us - now_s * 1e6) <= STRAY_US + 1000
        last_us = out.dts_us


def test_a_steady_source_keeps_its_own_distances_though_it_comes_in_bursts() -> None:
    timeline = Timeline()
    times = [timeline.put(packet(100 + n // 5 * 0.5, time_us=n * 100_000)).dts_us for n in range(50)]
    assert [b - a for a, b in itertools.pairwise(times)] == [100_000] * 49


def test_a_file_that_begins_again_goes_on_in_time() -> None:
    timeline = Timeline()
    times = [timeline.put(packet(100 + n / 10, time_us=n % 8 * 100_000)).dts_us for n in range(40)]
    assert all(90_000 <= b - a <= 110_000 for a, b in itertools.pairwise(times))


@dataclass(frozen=True)
class About:
    spared: bool


@dataclass(frozen=True)
class Kept:
    id: UUID
    bytes: int
    about: About
    sealed: bool


kept = st.lists(st.tuples(st.integers(1, 100), st.booleans(), st.booleans()), max_size=20).map(
    lambda rows: [Kept(UUID(int=n), size, About(spared), had) for n, (size, spared, had) in enumerate(rows)]
)


@given(kept, st.integers(0, 500), st.integers(0, 1000), st.integers(0, 300), st.integers(0, 100))
def test_a_full_card_costs_first_what_the_store_has_then_the_oldest_unspared_and_no_more_than_needed(
    clips: list[Kept], free: int, limit: int, floor: int, coming: int
) -> None:
    room = make_room(clips, free, limit, floor, coming)
    may_go = [c for c in clips if c.sealed] + [c for c in clips if not c.sealed and not c.about.spared]
    gone = [clip for number in room.leave for clip in clips if clip.id == number]
    left = [clip for clip in may_go if clip.id not in room.leave]
    assert may_go == gone + left
    held, freed = sum(c.bytes for c in clips) - sum(c.bytes for c in gone), sum(c.bytes for c in gone)
    assert room.enough == (held + coming <= limit and free + freed - coming >= floor)
    assert room.enough or not left
    if gone:
        before = held + gone[-1].bytes, free + freed - gone[-1].bytes
        assert not (before[0] + coming <= limit and before[1] - coming >= floor)


def states(rate: float, gaps: list[float], looks: list[Look], after_s: float = 0.0) -> CameraState:
    pulse, now_s = Pulse(rate, 0.0), 0.0
    for gap_s in gaps:
        now_s += gap_s
        pulse.came(now_s)
    for look in looks:
        pulse.looked(look)
    return pulse.state(now_s + after_s)


def test_each_state_is_said_for_its_own_reason() -> None:
    well, bright = [0.1] * 200, [Look(90, n) for n in range(5)]
    assert states(10, [], []) is CameraState.STARTING
    assert states(10, [], [], 6) is CameraState.FROZEN
    assert states(10, well, bright) is CameraState.OK
    assert states(10, well, bright, 6) is CameraState.FROZEN
    assert states(10, [0.3] * 60, bright) is CameraState.SLOW
    assert states(0, [2.0] * 20, bright) is CameraState.OK
    assert states(10, well, [Look(16, 1)]) is CameraState.BLACK
    assert states(10, well, [Look(90, 7)] * 3) is CameraState.FROZEN
    assert states(10, well, [Look(90, 7)] * 3 + [Look(90, 8)]) is CameraState.OK
    assert set(SENTENCES) == set(CameraState) and all(s.endswith(".") for s in SENTENCES.values())
