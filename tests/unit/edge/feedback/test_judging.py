"""Which scores count, and why the others do not."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.feedback.judging import Judged, Score, judge

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def score(after_s: float, face: int = 4, about: str | None = None, source: str = "kiosk") -> Score:
    at = AT + timedelta(seconds=after_s)
    return Score(f"{after_s:09.3f}-{face}-{about}-{source}", at, face, about, source)


def judged(*scores: Score, staff_s: tuple[float, ...] = ()) -> list[str]:
    verdicts = judge(scores, [AT + timedelta(seconds=s) for s in staff_s])
    return [verdicts[one.id].judged.value for one in scores]


def test_a_score_that_stands_alone_counts() -> None:
    assert judged(score(0), score(6), score(60)) == ["counted"] * 3


def test_the_same_hand_that_presses_again_counts_once() -> None:
    assert judged(score(0, 4), score(2, 4), score(4, 4)) == ["counted", "burst", "burst"]


def test_three_faces_in_a_few_seconds_are_play_from_the_first_on() -> None:
    assert judged(score(0, 1), score(1, 2), score(2, 3)) == ["burst"] * 3
    assert judged(score(0, 1), score(1, 4), score(2, 1)) == ["counted", "burst", "burst"]


def test_a_request_is_rated_once_whichever_way_it_comes() -> None:
    scores = [score(0, 2, "r"), score(1, 2, "r"), score(300, 4, "r", "code"), score(900, 1, "r", "phone")]
    assert judged(*scores) == ["counted", "burst", "burst", "burst"]


def test_a_score_of_a_request_is_no_burst_of_the_visit_score_before_it() -> None:
    assert judged(score(0), score(2, 3, "r"), score(4)) == ["counted", "counted", "burst"]


def test_a_visit_score_beside_an_associates_arrival_is_theirs_and_a_requests_score_is_the_shoppers() -> None:
    assert judged(score(0), staff_s=(7,)) == ["staff"]
    assert judged(score(0), staff_s=(11,)) == ["counted"]
    assert judged(score(0, 4, "r"), staff_s=(1,)) == ["counted"]


def test_what_was_written_by_a_person_is_never_a_burst_for_its_time() -> None:
    assert judged(score(0, 1, None, "letter"), score(0.5, 2, None, "phone"), score(1, 4)) == ["counted"] * 3


def test_each_verdict_has_its_reason_in_words() -> None:
    verdicts = judge([score(0), score(3)], [])
    assert [v.why for v in verdicts.values()] == ["stands alone", "3 s after another one"]


_scores = st.builds(
    score,
    st.integers(0, 60),
    st.integers(1, 4),
    st.sampled_from([None, None, None, "r", "s"]),
    st.sampled_from(["kiosk", "kiosk", "code", "phone"]),
)


@given(st.lists(_scores, unique_by=lambda s: s.id, max_size=25), st.lists(st.integers(0, 60)), st.randoms())
def test_every_score_is_judged_once_and_the_order_of_arrival_changes_nothing(
    scores: list[Score], staff_s: list[int], random: object
) -> None:
    staff = [AT + timedelta(seconds=s) for s in staff_s]
    verdicts = judge(scores, staff)
    shuffled = list(scores)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(shuffled, staff) == verdicts
    assert verdicts.keys() == {s.id for s in scores}
    counts = [sum(v.judged is kind for v in verdicts.values()) for kind in Judged]
    assert sum(counts) == len(scores)
