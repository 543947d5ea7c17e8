"""What an escalation policy asks for at an age of a request. Pure: seconds in, a decision out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.policies import Policy

# Of these a repetition would call others each time.
BY_RANK = ("one", "best")


@dataclass(frozen=True, slots=True)
class Move:
    """What is due now. `groups` are to be paged; `again` pages those of earlier rounds once more, and then
    `groups` are also those of the steps before but the best placed: whoever has come since is called.

    `step` is how many steps are then done; `next_s` the age at which to look again (None: never).
    """

    groups: tuple[str, ...]
    again: bool
    missed: bool
    step: int
    next_s: float | None


def advance(policy: Policy, age_s: float, step: int, *, first: bool) -> Move:
    """The move at `age_s` with `step` steps done; `first` at the moment the request arrives.

    A late call (the server was down) takes all overdue steps at once. A request that arrives older than
    the ceiling is missed and pages nobody.
    """
    if policy.ceiling_s is not None and age_s >= policy.ceiling_s:
        return Move((), False, True, step, None)
    due = [s for s in policy.steps[step:] if s.after_s <= age_s]
    # A policy that got shorter meanwhile has no steps left; its ceiling or its repeat goes on.
    done = min(step, len(policy.steps)) + len(due)
    again = policy.repeat_s is not None and not first
    before = policy.steps[:done] if again else []
    late = [who for s in before for who in s.who if who not in BY_RANK]
    groups = tuple(dict.fromkeys([who for s in due for who in s.who] + late))
    waits = [policy.steps[done].after_s] if done < len(policy.steps) else []
    if policy.ceiling_s is not None:
        waits.append(policy.ceiling_s)
    if policy.repeat_s is not None:
        waits.append(age_s + policy.repeat_s)
    return Move(groups, again, False, done, min(waits))


def hurry(policy: Policy, age_s: float, step: int) -> Move | None:
    """The next step before its time, because everyone called so far has declined; None after the last.

    The ceiling and the repetition stay where they are: declining ends no request.
    """
    if step >= len(policy.steps) or (policy.ceiling_s is not None and age_s >= policy.ceiling_s):
        return None
    after = advance(policy, age_s, step + 1, first=True)
    groups = tuple(dict.fromkeys((*policy.steps[step].who, *after.groups)))
    return Move(groups, False, False, after.step, after.next_s)


def due_at(raised_at: datetime, move: Move) -> datetime | None:
    """The instant of the next look."""
    return None if move.next_s is None else raised_at + timedelta(seconds=move.next_s)
