"""What became of the security requests of a run: paged in time, each step once, until an answer. Pure.

A page is in time if no unbroken way to that person's phone lasted BOUND_S without it: a way is there while
all parts between the caller and the open event stream are up. A way that breaks begins anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.faults.paths import History

BOUND_S = 5.0
# The store's repetition (DESIGN 5).
REPEAT_S = 10.0


@dataclass(frozen=True)
class Alarm:
    """A security request. `parts` are what stands between its caller and the store's pages; `over_s` is when
    somebody answered it, or it ended otherwise."""

    request: str
    by: str
    raised_s: float
    parts: frozenset[str]
    over_s: float | None = None


@dataclass(frozen=True)
class Joined:
    """A press that joined an open request, and when the store had it: everybody was paged again with it."""

    event: str
    raised_s: float
    parts: frozenset[str]
    taken_s: float


@dataclass(frozen=True)
class Heard:
    """A page as the event stream of a person's phone brought it."""

    person: str
    request: str
    round: int
    at_s: float


@dataclass
class Verdict:
    """`wrong` has a sentence for each fault. `slowest_s` counts from the moment that the way was there."""

    raised: int = 0
    paged: int = 0
    joined: int = 0
    slowest_s: float = 0.0
    steps: int = 0
    slowest_step_s: float = 0.0
    lost: int = 0
    doubled: int = 0
    phantom: int = 0
    wrong: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """By column of tests.faults.outcome, all but who called."""
        return {
            "raised": self.raised,
            "paged": self.paged,
            "joined": self.joined,
            "slowest": self.slowest_s,
            "steps": self.steps,
            "between": self.slowest_step_s,
            "lost": self.lost,
            "doubled": self.doubled,
            "phantom": self.phantom,
        }


def stream(person: str) -> str:
    """The name of the part that is this person's open event stream."""
    return f"the stream of {person}"


def judge(
    alarms: Sequence[Alarm],
    first: Iterable[str],
    heard: Sequence[Heard],
    written: Iterable[tuple[str, str, int]],
    history: History,
    end_s: float,
    repeat_s: float = REPEAT_S,
    joined: Sequence[Joined] = (),
) -> Verdict:
    """`first` are the people whom the first step calls; `written` the (person, request, round) of every page
    of those who listened. `end_s`: nothing was heard any more."""
    verdict = Verdict(raised=len(alarms), joined=len(joined))
    for press in joined:
        waited_s = history.longest_s(press.parts, press.raised_s, press.taken_s)
        verdict.slowest_s = max(verdict.slowest_s, waited_s)
        if waited_s > BOUND_S:
            verdict.wrong.append(f"{press.event} came after {waited_s:.1f} s of an unbroken way.")
    _once(alarms, heard, written, verdict)
    arrivals: dict[tuple[str, str], list[float]] = {}
    for one in sorted(heard, key=lambda one: one.at_s):
        arrivals.setdefault((one.person, one.request), []).append(one.at_s)
    for alarm in alarms:
        reached = [_in_time(alarm, person, arrivals, history, end_s, repeat_s, verdict) for person in first]
        verdict.paged += all(reached)
    verdict.steps = len({(one.request, one.round) for one in heard})
    return verdict


def _once(
    alarms: Sequence[Alarm],
    heard: Sequence[Heard],
    written: Iterable[tuple[str, str, int]],
    verdict: Verdict,
) -> None:
    """Each page that was written was heard once, and no other."""
    known, told = {alarm.request for alarm in alarms}, set(written)
    times = Counter((one.person, one.request, one.round) for one in heard)
    for (person, request, number), count in times.items():
        if count > 1:
            verdict.doubled += 1
            verdict.wrong.append(f"{person} was paged {count} times in round {number} of {request}.")
        if request not in known or (person, request, number) not in told:
            verdict.phantom += 1
            verdict.wrong.append(f"{person} was paged in round {number} of {request}, which is nowhere.")
    for person, request, number in sorted(told - times.keys()):
        verdict.lost += 1
        verdict.wrong.append(f"{person} never heard of round {number} of {request}.")


def _in_time(
    alarm: Alarm,
    person: str,
    arrivals: Mapping[tuple[str, str], Sequence[float]],
    history: History,
    end_s: float,
    repeat_s: float,
    verdict: Verdict,
) -> bool:
    """Whether they were paged at all; what came too late is named."""
    parts = {*alarm.parts, stream(person)}
    at = arrivals.get((person, alarm.request), ())
    over_s = end_s if alarm.over_s is None else alarm.over_s
    waited_s = history.longest_s(parts, alarm.raised_s, at[0] if at else over_s)
    if at:
        verdict.slowest_s = max(verdict.slowest_s, waited_s)
    if waited_s > BOUND_S:
        verdict.lost += not at
        when = f"after {waited_s:.1f} s of an unbroken way" if at else "never"
        verdict.wrong.append(f"{person} was paged {when} for {alarm.request}, raised by {alarm.by}.")
    # What is over needs no further step; nor does it need the caller's own part of the way.
    behind = {"worker", *(part for part in parts if part in ("web", "disk")), stream(person)}
    for before, after in pairwise([*at, over_s]):
        if before >= over_s:
            break
        gap_s = history.longest_s(behind, before, min(after, over_s))
        verdict.slowest_step_s = max(verdict.slowest_step_s, gap_s)
        if gap_s > repeat_s + BOUND_S:
            verdict.wrong.append(f"{person} was not paged again for {gap_s:.1f} s about {alarm.request}.")
    return bool(at)
