"""What is covered at a moment: carried in straight lines, with a margin, and nothing beyond its time."""

from hypothesis import given
from hypothesis import strategies as some

from edge.evidence.masks import (
    EARLIER_MS,
    LONGEST_MS,
    SIDE,
    Box,
    Key,
    Masks,
    Mode,
    Track,
    boxes,
    place,
    why_not,
)

A, B = Key(1000, 100, 200, 100, 300), Key(3000, 500, 200, 200, 100)


@some.composite
def keys(draw: some.DrawFn) -> tuple[Key, ...]:
    times = sorted(draw(some.sets(some.integers(0, 60_000), min_size=1, max_size=6)))

    def side() -> tuple[int, int]:
        begin = draw(some.integers(0, SIDE - 1))
        return begin, draw(some.integers(1, SIDE - begin))

    made = []
    for at_ms in times:
        (left, width), (top, height) = side(), side()
        made.append(Key(at_ms, left, top, width, height))
    return tuple(made)


def of(*tracks: Track, mode: Mode = Mode.OTHERS) -> Masks:
    return Masks(mode, tracks)


def test_between_two_places_a_box_goes_in_a_straight_line() -> None:
    assert place([A, B], 2000) == (300, 200, 150, 200)
    assert place([A, B], 1000) == (100, 200, 100, 300)
    assert place([A, B], 0) == (100, 200, 100, 300)
    assert place([A, B], 9000) == (500, 200, 200, 100)


def test_a_box_lasts_for_the_whole_clip_unless_a_person_says_when_it_begins_and_ends() -> None:
    assert all(len(boxes(of(Track((A, B))), time)) == 1 for time in (0, 2000, LONGEST_MS))
    short = of(Track((A, B), 1500, 2500))
    seen = [len(boxes(short, time)) for time in (1500 - EARLIER_MS - 1, 1500 - EARLIER_MS, 2500, 2701)]
    assert seen == [0, 1, 1, 0]


def test_where_all_but_a_box_is_covered_it_has_no_margin_in_place_or_time() -> None:
    seen = of(Track((A,), 1500, 2500), mode=Mode.ALL_BUT)
    assert [len(boxes(seen, time)) for time in (1499, 1500, 2500, 2501)] == [0, 1, 1, 0]
    assert boxes(seen, 2000) == [Box(0.1, 0.2, 0.2, 0.5)]


@given(keys(), some.floats(0, 70_000))
def test_what_is_covered_holds_the_place_with_a_margin_and_stays_in_the_picture(
    track: tuple[Key, ...], time_ms: float
) -> None:
    left, top, width, height = place(track, time_ms)
    (box,) = boxes(of(Track(track)), time_ms)
    assert 0 <= box.left <= max(0, left - 10) / SIDE + 1e-9 and 0 <= box.top <= max(0, top - 10) / SIDE + 1e-9
    assert min(SIDE, left + width + 10) / SIDE - 1e-9 <= box.right <= 1
    assert min(SIDE, top + height + 10) / SIDE - 1e-9 <= box.bottom <= 1
    assert why_not(of(Track(track))) is None


@given(keys(), some.data())
def test_each_place_is_met_and_no_step_is_longer_than_its_share(
    track: tuple[Key, ...], data: some.DataObject
) -> None:
    for key in track:
        assert place(track, key.at_ms) == (key.left, key.top, key.width, key.height)
    if len(track) > 1:
        at = data.draw(some.integers(0, len(track) - 2))
        first, last = track[at], track[at + 1]
        by = data.draw(some.floats(0, 1))
        found = place(track, first.at_ms + by * (last.at_ms - first.at_ms))
        for value, name in zip(found, ("left", "top", "width", "height"), strict=True):
            ends = sorted((getattr(first, name), getattr(last, name)))
            assert ends[0] - 1e-6 <= value <= ends[1] + 1e-6


def test_what_cannot_be_drawn_is_refused_in_a_sentence() -> None:
    def said(*tracks: Track) -> str:
        return why_not(of(*tracks)) or ""

    assert said(Track((A, A))) == "Box 1 has two places at the same time; keep one of them."
    assert said(Track((A,)), Track((A,), 5, 4)) == "Box 2 ends before it begins."
    assert said(Track((Key(0, 900, 0, 200, 10),))) == (
        "Box 1 at 0 s is empty or lies outside of the picture."
    )
    assert "more than 1000 places" in said(
        *[Track(tuple(Key(n, 0, 0, 1, 1) for n in range(200))) for _ in range(6)]
    )
