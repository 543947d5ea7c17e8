"""Who would be paged: the same as who is paged."""

from edge.config import HELP, SECURITY
from edge.policies import Policy, Step
from edge.routing.choose import Colleague, Presence, Wanted
from edge.routing.preview import foresee

WANTED = Wanted("r", "help", "shoes", "Shoes", "ca")
ROSTER = (
    Colleague("1", "Ana", "associate", frozenset({"shoes"}), frozenset({"ca"})),
    Colleague("2", "Bo", "associate", frozenset({"tills"}), frozenset({"en"})),
    Colleague("3", "Sofia", "supervisor"),
)


def names(policy: Policy, wanted: Wanted, roster: tuple[Colleague, ...]) -> list[list[str]]:
    return [[one.name for one in step.people] for step in foresee(policy, wanted, roster)]


def test_each_step_names_those_who_were_not_paged_before() -> None:
    assert names(HELP, WANTED, ROSTER) == [["Ana", "Bo"], [], ["Sofia"], []]
    assert foresee(HELP, WANTED, ROSTER)[0].people[0].reason == "works in Shoes, speaks Catalan, free"


def test_a_step_that_reaches_nobody_new_is_told_from_one_with_nobody_at_all() -> None:
    steps = foresee(HELP, WANTED, ROSTER)
    assert not steps[1].people and not steps[1].reaches_nobody
    home = tuple(Colleague("1", "Ana", "associate", presence=Presence.OFF) for _ in range(1))
    assert all(step.reaches_nobody for step in foresee(HELP, WANTED, home))


def test_the_fallback_is_foreseen_too() -> None:
    assert names(Policy([Step(0, ["security"])], ceiling_s=60), WANTED, ROSTER) == [["Ana", "Bo", "Sofia"]]
    home = (Colleague("1", "Ana", "associate", presence=Presence.OFF),)
    assert names(SECURITY, Wanted("r", "security", "shoes", "Shoes", None), home)[0] == ["Ana"]
