"""Who would be paged, step by step, if nobody answered: by the very functions that page. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.policies import Policy
from edge.routing.choose import Chosen, Colleague, Wanted, choose
from edge.routing.escalation import advance


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One step. `people` are those paged anew, `before` is how many were paged until then."""

    after_s: float
    groups: tuple[str, ...]
    people: tuple[Chosen, ...]
    before: int

    @property
    def reaches_nobody(self) -> bool:
        """Whether not one person would have been paged until then."""
        return not self.people and not self.before


def foresee(policy: Policy, wanted: Wanted, roster: Sequence[Colleague]) -> list[Foreseen]:
    """Each step of a policy that keeps the rules, with the roster as it is now."""
    already: dict[str, str] = {}
    found = []
    for number, step in enumerate(policy.steps):
        move = advance(policy, step.after_s, number, first=not number)
        people = tuple(choose(wanted, roster, move.groups, already.keys()))
        found.append(Foreseen(step.after_s, move.groups, people, len(already)))
        already |= {one.person: one.reason for one in people}
    return found
