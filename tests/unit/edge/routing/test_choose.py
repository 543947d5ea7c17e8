"""Who is chosen, and why."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.config import HELP, SECURITY
from edge.presence import AWAY
from edge.routing.choose import BEST, Colleague, Presence, Wanted, choose

WANTED = Wanted("r", "help", "shoes", "Shoes", "ca")


def colleague(name: str, role: str = "associate", **more: object) -> Colleague:
    values: dict[str, object] = {"zones": frozenset({"shoes"}), "languages": frozenset({"en"})}
    return Colleague(name, name, role, **(values | more))  # type: ignore[arg-type]


def chosen(roster: list[Colleague], *groups: str, wanted: Wanted = WANTED) -> dict[str, str]:
    return {c.name: c.reason for c in choose(wanted, roster, groups, ())}


def test_the_best_placed_are_in_the_zone_free_and_speak_the_language() -> None:
    roster = [
        colleague("far", zones=frozenset({"tills"})),
        colleague("busy", open_requests=2),
        colleague("near"),
        colleague("speaks", languages=frozenset({"ca"})),
    ]
    assert chosen(roster, "best") == {
        "speaks": "works in Shoes, speaks Catalan, free",
        "near": "works in Shoes, free",
    }


def test_a_free_one_from_next_door_comes_before_one_here_who_is_answering() -> None:
    roster = [colleague("here", open_requests=1), colleague("next", zones=frozenset({"tills"}))]
    assert list(chosen(roster, "best")) == ["next", "here"]
    assert chosen(roster, "best")["here"] == "works in Shoes, answering 1"


def test_a_free_one_who_speaks_the_language_is_one_of_the_two_also_from_next_door() -> None:
    far = colleague("speaks", zones=frozenset({"tills"}), languages=frozenset({"ca"}))
    roster = [colleague("a"), colleague("b"), far]
    called = chosen(roster, "best")
    assert len(called) == BEST and called["speaks"] == "near enough, speaks Catalan, free"
    assert "speaks" not in chosen([*roster[:2], replace(far, open_requests=1)], "best")


def test_if_nobody_who_was_called_is_here_any_more_everyone_who_is_gets_called() -> None:
    roster = [colleague("gone", presence=Presence.OFF), colleague("s", "supervisor")]
    assert [c.name for c in choose(WANTED, roster, ("zone",), {"gone"})] == ["s"]
    assert choose(WANTED, [*roster, colleague("here")], ("security",), {"here"}) == []


def test_whoever_has_no_zone_has_the_whole_floor() -> None:
    assert chosen([colleague("roams", zones=frozenset())], "zone") == {"roams": "has the whole floor"}


def test_equals_take_turns_from_request_to_request() -> None:
    roster = [colleague(name) for name in "abcd"]
    pairs = {frozenset(chosen(roster, "best", wanted=replace(WANTED, request=str(n)))) for n in range(50)}
    assert len(pairs) == 6


def test_each_group_is_whom_it_says() -> None:
    roster = [
        colleague("a"),
        colleague("s", "supervisor"),
        colleague("g", "security"),
        colleague("m", "manager"),
    ]
    assert chosen(roster, "supervisors") == {"s": "supervisor"}
    assert chosen(roster, "security") == {"g": "security"}
    assert set(chosen(roster, "all")) == {"a", "s", "g", "m"}


def test_a_break_is_disturbed_for_security_and_for_all_hands_only() -> None:
    resting = colleague("s", "supervisor", presence=Presence.ON_BREAK)
    others = [resting, colleague("a")]
    assert chosen(others, "supervisors", "zone") == {"a": "works in Shoes"}
    assert "s" in chosen(others, "all")
    assert "s" in chosen(others, "supervisors", wanted=replace(WANTED, kind="security"))


def test_with_nobody_signed_in_security_still_calls_the_whole_roster_and_help_nobody() -> None:
    roster = [colleague("a", presence=Presence.OFF), colleague("g", "security", presence=Presence.OFF)]
    assert set(chosen(roster, "security", wanted=replace(WANTED, kind="security"))) == {"a", "g"}
    assert chosen(roster, "best") == {}


def test_a_greeting_is_for_one_who_is_free_then_for_the_next_and_else_for_nobody() -> None:
    greet = replace(WANTED, kind="greet", language=None)
    roster = [
        colleague("far", zones=frozenset({"tills"})),
        colleague("helping", open_requests=1),
        colleague("busy", presence=Presence.BUSY),
        colleague("near"),
        colleague("s", "supervisor"),
    ]
    assert chosen(roster, "one", wanted=greet) == {"near": "works in Shoes, free"}
    assert [c.name for c in choose(greet, roster, ["one"], ["near"])] == ["far"]
    assert choose(greet, roster, ["one"], ["near", "far"]) == []
    assert chosen(roster[1:3], "one", "all", wanted=greet) == {}, "Help and security come first."


def test_the_best_placed_one_of_a_help_request_is_whoever_was_not_called_before() -> None:
    roster = [colleague("a", open_requests=1), colleague("b")]
    assert chosen(roster, "one") == {"b": "works in Shoes, free"}
    assert [c.name for c in choose(WANTED, roster, ["one"], ["b"])] == ["a"]


GROUPS = sorted({who for policy in (HELP, SECURITY) for step in policy.steps for who in step.who})
_colleague = st.builds(
    Colleague,
    id=st.uuids().map(str),
    name=st.sampled_from(["Ana", "Bo", "Igor"]),
    role=st.sampled_from(["associate", "supervisor", "security", "manager"]),
    zones=st.frozensets(st.sampled_from(["shoes", "tills"])),
    languages=st.frozensets(st.sampled_from(["en", "ca"])),
    presence=st.sampled_from(Presence),
    open_requests=st.integers(0, 3),
)
_rosters = st.lists(_colleague, max_size=8, unique_by=lambda c: c.id)
_groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)
_wanted = st.builds(
    Wanted,
    request=st.text("ab", min_size=1, max_size=4),
    kind=st.sampled_from(["help", "security"]),
    zone=st.just("shoes"),
    zone_title=st.just("Shoes"),
    language=st.sampled_from([None, "en", "it"]),
)


@given(_wanted, _rosters, _groups, st.randoms())
def test_nobody_is_paged_twice_or_while_off_and_somebody_is_if_anybody_is_there(
    wanted: Wanted, roster: list[Colleague], groups: list[str], random: object
) -> None:
    already = {c.id for c in roster if random.random() < 0.3}  # type: ignore[attr-defined]
    chosen = choose(wanted, roster, groups, already)
    ids = [c.person for c in chosen]
    by_id = {c.id: c for c in roster}
    assert len(set(ids)) == len(ids) and not already & set(ids) and set(ids) <= by_id.keys()
    present = [c for c in roster if c.presence not in AWAY]
    if wanted.kind == "help":
        assert all(by_id[i].presence not in AWAY for i in ids)
    if present or (wanted.kind == "security" and roster):
        assert chosen or already
    assert all(c.reason and c.name == by_id[c.person].name for c in chosen)
    if groups == ["best"] and wanted.kind == "help" and not already:
        free = [c for c in present if c.role == "associate" and c.presence is Presence.AVAILABLE]
        assert len(chosen) == (min(BEST, len(free)) or len(present))


@given(_wanted, _rosters, _groups, st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_roster(
    wanted: Wanted, roster: list[Colleague], groups: list[str], random: object
) -> None:
    shuffled = roster.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (choose(wanted, r, groups, ()) for r in (roster, shuffled))
    assert {(c.person, c.reason) for c in one} == {(c.person, c.reason) for c in other}


def test_whoever_is_unreachable_is_not_called_and_their_cover_is_in_their_place() -> None:
    away = colleague("Ana", presence=Presence.UNREACHABLE, cover="Bo")
    roster = [away, colleague("Bo", zones=frozenset({"tills"})), colleague("Carla", open_requests=2)]
    assert chosen(roster, "best")["Bo"] == "stands in for Ana, free"
    assert "Ana" not in chosen(roster, "best", "zone", "all")
    assert chosen(roster, "zone") == {"Bo": "stands in for Ana", "Carla": "works in Shoes"}


def test_a_cover_stands_in_for_the_role_too_and_is_called_once() -> None:
    away = colleague("Sofia", "supervisor", presence=Presence.UNREACHABLE, cover="Bo")
    roster = [away, colleague("Bo")]
    assert chosen(roster, "supervisors") == {"Bo": "stands in for Sofia"}
    assert chosen(roster, "best", "supervisors", "all") == {"Bo": "works in Shoes, free"}
    assert [c.name for c in choose(WANTED, roster, ("supervisors", "all"), ())] == ["Bo"]


def test_a_cover_who_has_gone_stands_in_for_nobody() -> None:
    away = colleague("Ana", presence=Presence.UNREACHABLE, cover="Bo")
    for gone in (Presence.OFF, Presence.UNREACHABLE):
        roster = [away, colleague("Bo", presence=gone, cover="Ana"), colleague("Carla")]
        assert set(chosen(roster, "best", "all")) == {"Carla"}
    assert chosen([away], "best") == {}


def test_a_cover_on_a_break_is_called_for_security_only() -> None:
    away = colleague("Igor", "security", presence=Presence.UNREACHABLE, cover="Bo")
    roster = [away, colleague("Bo", presence=Presence.ON_BREAK), colleague("Carla")]
    assert "Bo" not in chosen(roster, "security", "best", "zone")
    assert chosen(roster, "security", wanted=replace(WANTED, kind="security")) == {"Bo": "stands in for Igor"}


def test_who_stands_in_for_the_caller_is_called_in_their_place_and_the_caller_is_not() -> None:
    igor = colleague("Igor", "security", presence=Presence.UNREACHABLE, cover="Ana")
    call = replace(WANTED, kind="security", callers=frozenset({"Igor"}))
    roster = [colleague("Ana"), colleague("Bo"), igor]
    assert chosen(roster, "security", wanted=call) == {"Ana": "stands in for Igor"}
    assert chosen(roster, "all", wanted=replace(call, callers=frozenset({"Bo"}))) == {"Ana": "all hands"}
