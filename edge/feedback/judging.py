"""Which scores count: a pure function of a device's scores and of when staff were there (PRODUCT 43).

Nothing is left out for it: a burst and a score by staff stay in the log and in the total, with the reason in
words. Why these thresholds: decisions/001-which-scores-count.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Scores of one run follow each other within so long.
REPEAT = timedelta(seconds=5)
# Three faces of one run within so long are play.
FACES = timedelta(seconds=10)
PLAY = 3
# A visit score so near to an associate's arrival or closing at the same device is taken for theirs.
STAFF = timedelta(seconds=10)
# The shopper's phone and what staff type in come one by one from a person who wrote: no button to hammer.
BUTTON = "kiosk"


class Judged(StrEnum):
    COUNTED = "counted"
    BURST = "burst"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Score:
    """One score of a device, or about a request that the device raised. `about` None: of the visit."""

    id: str
    at: datetime
    score: int
    about: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    judged: Judged
    why: str


def judge(scores: Sequence[Score], staff_at: Sequence[datetime]) -> dict[str, Verdict]:
    """A verdict for each score, by its id. The order in which they are given makes no difference."""
    ordered = sorted(scores, key=lambda s: (s.at, s.id))
    verdicts = _of_requests(ordered)
    for run in runs(ordered):
        playing = _plays(run)
        former: Score | None = None
        for score in run:
            if score.id not in verdicts:
                verdicts[score.id] = _of_a_visit(score, former, playing, staff_at)
            former = score
    return verdicts


def runs(ordered: Sequence[Score]) -> list[list[Score]]:
    """The buttons' scores, parted wherever nobody pressed for longer than REPEAT."""
    found: list[list[Score]] = []
    for score in ordered:
        if score.source != BUTTON:
            continue
        if found and score.at - found[-1][-1].at <= REPEAT:
            found[-1].append(score)
        else:
            found.append([score])
    return found


def _of_requests(ordered: Sequence[Score]) -> dict[str, Verdict]:
    """Verdicts on what needs no neighbours: one score for each request, and everything that was written."""
    verdicts: dict[str, Verdict] = {}
    rated: set[str] = set()
    for score in ordered:
        if score.about is not None and score.about in rated:
            verdicts[score.id] = Verdict(Judged.BURST, "this request was rated before")
        elif score.about is not None:
            rated.add(score.about)
            verdicts[score.id] = Verdict(Judged.COUNTED, "the first score of its request")
        elif score.source != BUTTON:
            verdicts[score.id] = Verdict(Judged.COUNTED, "written by one person")
    return verdicts


def _of_a_visit(score: Score, former: Score | None, playing: bool, staff_at: Sequence[datetime]) -> Verdict:
    near = min((abs(score.at - at) for at in staff_at), default=None)
    if near is not None and near <= STAFF:
        return Verdict(Judged.STAFF, f"an associate was at this device {_seconds(near)} s apart from it")
    if playing:
        return Verdict(Judged.BURST, f"one of {PLAY} or more faces within {_seconds(FACES)} s")
    if former is not None:
        return Verdict(Judged.BURST, f"{_seconds(score.at - former.at)} s after another one")
    return Verdict(Judged.COUNTED, "stands alone")


def _plays(run: Sequence[Score]) -> bool:
    """Whether PLAY faces stand within FACES anywhere in it. One pass: a run may be long."""
    faces: Counter[int] = Counter()
    begin = 0
    for score in run:
        faces[score.score] += 1
        while score.at - run[begin].at > FACES:
            faces[run[begin].score] -= 1
            begin += 1
        if sum(count > 0 for count in faces.values()) >= PLAY:
            return True
    return False


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f}"
