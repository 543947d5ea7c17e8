"""What holds of every choice of people, and of every way through an escalation policy."""

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from edge.policies import GROUPS, LONGEST_S, Policy, Step, faults
from edge.presence import AWAY
from edge.routing.choose import BEST, GREET, LANGUAGES, Chosen, Colleague, Presence, Wanted, choose, seniors
from edge.routing.escalation import advance, hurry

ZONES, SPOKEN = ["shoes", "tills"], ["en", "ca", "it"]
_colleague = st.builds(
    Colleague,
    id=st.just(""),
    name=st.just(""),
    role=st.sampled_from(["associate", "associate", "associate", "supervisor", "security", "manager"]),
    zones=st.frozensets(st.sampled_from(ZONES)),
    languages=st.frozensets(st.sampled_from(SPOKEN)),
    presence=st.sampled_from([Presence.AVAILABLE, *Presence]),
    open_requests=st.integers(0, 3),
)


@st.composite
def rosters(draw: st.DrawFn) -> list[Colleague]:
    """People with covers: anyone may have named anyone."""
    people = draw(st.lists(_colleague, max_size=8))
    named = [replace(c, id=f"p{n}", name=f"Name {n}") for n, c in enumerate(people)]
    covers = st.none() | st.sampled_from([*(c.id for c in named), "nobody"])
    return [replace(c, cover=draw(covers)) for c in named]


_wanted = st.builds(
    Wanted,
    request=st.text("ab", min_size=1, max_size=4),
    kind=st.sampled_from(["help", "security"]),
    zone=st.just("shoes"),
    zone_title=st.just("Shoes"),
    language=st.sampled_from([None, *SPOKEN]),
)
_groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)
_some = st.sets(st.integers(0, 7)).map(lambda numbers: {f"p{n}" for n in numbers})


def as_set(chosen: Sequence[Chosen]) -> set[Chosen]:
    return set(chosen)


def here(roster: Sequence[Colleague]) -> dict[str, Colleague]:
    return {c.id: c for c in roster if c.presence not in AWAY}


def free(c: Colleague) -> bool:
    return c.role == "associate" and c.presence is Presence.AVAILABLE and not c.open_requests


@given(_wanted, rosters(), _groups, _some, st.randoms(use_true_random=False))
def test_the_same_floor_gives_the_same_choice_in_whatever_order_it_is_read(
    wanted: Wanted, roster: list[Colleague], groups: list[str], already: set[str], order: random.Random
) -> None:
    shuffled = roster.copy()
    order.shuffle(shuffled)
    before = tuple(shuffled)
    one, other = (choose(wanted, r, groups, already) for r in (roster, shuffled))
    assert as_set(one) == as_set(other) and tuple(shuffled) == before
    assert choose(wanted, roster, groups, already) == one
    assert as_set(seniors(roster)) == as_set(seniors(shuffled))


@given(_wanted, rosters(), _groups, _some)
def test_nobody_is_chosen_twice_or_again_or_while_they_are_away(
    wanted: Wanted, roster: list[Colleague], groups: list[str], already: set[str]
) -> None:
    chosen = choose(wanted, roster, groups, already)
    ids = [c.person for c in chosen]
    assert len(ids) == len(set(ids)) and not already & set(ids)
    if here(roster) or wanted.kind != "security":
        assert set(ids) <= here(roster).keys()


@given(_wanted, rosters(), _groups, _some)
def test_while_anybody_is_here_somebody_who_is_here_has_been_called(
    wanted: Wanted, roster: list[Colleague], groups: list[str], already: set[str]
) -> None:
    chosen = choose(wanted, roster, groups, already)
    if here(roster):
        assert {*already, *(c.person for c in chosen)} & here(roster).keys()
    elif roster and wanted.kind == "security" and not already:
        assert {c.person for c in chosen} == {c.id for c in roster}


@given(_wanted, rosters())
def test_whoever_speaks_the_language_is_called_while_one_is_free(
    wanted: Wanted, roster: list[Colleague]
) -> None:
    speakers = {c.id for c in roster if free(c) and wanted.language in c.languages}
    chosen = {c.person for c in choose(wanted, roster, ["best"], ())}
    assert chosen & speakers or not speakers


@given(_wanted, rosters(), _groups, _some)
def test_only_the_free_are_sent_to_greet_and_nobody_is_the_fallback(
    wanted: Wanted, roster: list[Colleague], groups: list[str], already: set[str]
) -> None:
    by_id = {c.id: c for c in roster}
    for chosen in choose(replace(wanted, kind=GREET), roster, groups, already):
        who = by_id[chosen.person]
        assert who.presence is Presence.AVAILABLE and not who.open_requests


@given(_wanted, rosters())
def test_of_those_who_are_otherwise_alike_the_less_busy_are_called(
    wanted: Wanted, roster: list[Colleague]
) -> None:
    chosen = {c.person for c in choose(wanted, roster, ["best"], ())}
    # Whoever stands in for somebody has that one's place too.
    places = {c.id for c in roster} - {c.cover for c in roster}
    free_ = [
        c for c in roster if c.id in places and c.role == "associate" and c.presence is Presence.AVAILABLE
    ]
    for left in (c for c in free_ if c.id not in chosen):
        for taken in (c for c in free_ if c.id in chosen):
            alike = taken.zones == left.zones and taken.languages == left.languages
            assert not alike or min(taken.open_requests, 2) <= min(left.open_requests, 2)


@given(_wanted, rosters(), _groups)
def test_the_reason_names_what_decided(wanted: Wanted, roster: list[Colleague], groups: list[str]) -> None:
    by_id = {c.id: c for c in roster}
    for chosen in choose(wanted, roster, groups, ()):
        who, reason = by_id[chosen.person], chosen.reason
        assert chosen.name == who.name and reason
        if "stands in for" in reason:
            (away,) = [c for c in roster if reason.startswith(f"stands in for {c.name}")]
            assert away.presence is Presence.UNREACHABLE and away.cover == who.id
        if "works in Shoes" in reason:
            assert "shoes" in who.zones
        if "has the whole floor" in reason:
            assert not who.zones
        if "speaks" in reason:
            assert wanted.language in who.languages and LANGUAGES[wanted.language or ""] in reason
        if reason.endswith("free"):
            assert not who.open_requests
        if "answering" in reason:
            assert reason.endswith(f"answering {who.open_requests}")
        if reason in ("supervisor", "security"):
            assert who.role == reason


@given(_wanted, rosters(), _groups)
def test_whoever_cannot_be_reached_has_their_cover_called_in_their_place(
    wanted: Wanted, roster: list[Colleague], groups: list[str]
) -> None:
    by_id = {c.id: c for c in roster}
    called = {c.person for c in choose(wanted, roster, groups, ())}
    awake = {Presence.AVAILABLE, Presence.BUSY}
    for away in (c for c in roster if c.presence is Presence.UNREACHABLE):
        cover = by_id.get(away.cover or "")
        wanted_role = away.role in groups or away.role + "s" in groups
        if cover is not None and cover.presence in awake and wanted_role:
            assert cover.id in called


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that the desk would take."""
    afters = [0.0, *sorted(draw(st.sets(st.integers(1, 300), max_size=5)))]
    steps = [Step(after, draw(_groups)) for after in afters]  # type: ignore[arg-type]
    ceiling = draw(st.none() | st.integers(10, LONGEST_S))
    repeat = draw(st.none() | st.integers(2, 600))
    policy = Policy(steps, ceiling_s=ceiling, repeat_s=repeat)
    assume(not faults("help", policy))
    return policy


_ages = st.lists(st.floats(0, 400), max_size=12).map(sorted)


@given(policies(), _ages, st.floats(0, 400))
def test_many_looks_call_whom_one_late_look_calls_and_no_step_goes_back(
    policy: Policy, ages: list[float], last: float
) -> None:
    """Looks at any ages at all, not only when they are due."""
    step, groups = 0, []
    for age in [*ages, max([*ages, last])]:
        move = advance(policy, age, step, first=False)
        if move.missed:
            assert policy.ceiling_s is not None and age >= policy.ceiling_s
            return
        assert move.step >= step
        groups += move.groups
        step = move.step
        assert move.next_s is not None and move.next_s > age
    late = advance(policy, max([*ages, last]), 0, first=False)
    assert (late.step, set(late.groups)) == (step, set(groups))


@given(policies(), st.lists(st.booleans(), max_size=20), st.floats(0, 20))
def test_whoever_declines_brings_steps_forward_and_none_is_lost_or_taken_twice(
    policy: Policy, declines: list[bool], wait: float
) -> None:
    first = advance(policy, 0, 0, first=True)
    age, step, due = 0.0, first.step, first.next_s
    for declined in declines:
        if declined:
            age = min(age + wait, due if due is not None else age)
            move = hurry(policy, age, step)
            if move is None:
                assert step == len(policy.steps) or (policy.ceiling_s is not None and age >= policy.ceiling_s)
                continue
            assert move.step > step
        else:
            assert due is not None
            age = due
            move = advance(policy, age, step, first=False)
            if move.missed:
                assert age >= (policy.ceiling_s or 0)
                return
        expected = {who for s in policy.steps[step : move.step] for who in s.who}
        if move.again:
            expected |= {who for s in policy.steps[:step] for who in s.who} - {"one", "best"}
        assert set(move.groups) == expected and move.step >= step
        step, due = move.step, move.next_s
        assert due is not None and due > age


@given(policies(), st.integers(0, 12), st.floats(0, 4000))
def test_there_is_always_a_next_look_until_it_is_missed(policy: Policy, step: int, age: float) -> None:
    move = advance(policy, age, step, first=False)
    assert move.missed == (policy.ceiling_s is not None and age >= policy.ceiling_s)
    assert move.missed or (move.next_s is not None and move.next_s > age)
    if policy.repeat_s is not None and not move.missed:
        assert move.next_s is not None and move.next_s <= age + policy.repeat_s


@given(_wanted, rosters())
def test_no_more_than_the_best_two_are_called_at_first(wanted: Wanted, roster: list[Colleague]) -> None:
    chosen = choose(wanted, roster, ["best"], ())
    free_ = [c for c in roster if c.role == "associate" and c.presence is Presence.AVAILABLE]
    assert len(chosen) <= BEST or not free_
