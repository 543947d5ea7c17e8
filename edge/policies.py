"""Escalation policies and the rules that each must keep, from edge.toml, desk or API alike. Pure."""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

LONGEST_S = 3600
Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
Who = Literal["one", "best", "zone", "supervisors", "security", "all"]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """After how many seconds without an answer who is paged besides those before."""

    after_s: Seconds
    who: list[Who]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """An escalation policy. `ceiling_s` None: paged until a person answers; then `repeat_s` must be set."""

    steps: list[Step]
    ceiling_s: Annotated[float, Meta(ge=10, le=LONGEST_S)] | None = None
    repeat_s: Annotated[float, Meta(ge=2, le=600)] | None = None


# DESIGN 5: help and security.
HELP = Policy(
    steps=[Step(0, ["best"]), Step(15, ["zone"]), Step(30, ["supervisors"]), Step(45, ["all"])], ceiling_s=120
)
SECURITY = Policy(steps=[Step(0, ["security", "supervisors"]), Step(10, ["all"])], repeat_s=10)
# PRODUCT 5: one who is free, then one more; its seconds count from when nobody had greeted for long enough.
GREETER = Policy(steps=[Step(0, ["one"]), Step(30, ["one"])], ceiling_s=60)
# The kind of interaction that each policy is for.
RAISED_AS = {"help": "help", "security": "security", "greeter": "greet"}


class Policies(Struct, frozen=True, forbid_unknown_fields=True):
    help: Policy = HELP
    security: Policy = SECURITY
    greeter: Policy = GREETER


GROUPS: tuple[Who, ...] = get_args(Who)
MAX_STEPS = 12
CEILING_S, REPEAT_S = (10, LONGEST_S), (2, 600)


def faults(kind: str, policy: Policy) -> list[str]:
    """What is wrong with the policy of this kind: where, what, and what is allowed."""
    where, found = f"policy.{kind}", []
    afters = [step.after_s for step in policy.steps]
    if not afters or afters[0] != 0 or afters != sorted(set(afters)):
        found.append(f"{where}.steps: after_s is {afters}; it must begin with 0 and rise.")
    if len(afters) > MAX_STEPS:
        found.append(f"{where}.steps: there are {len(afters)} steps; allowed are {MAX_STEPS}.")
    if any(not 0 <= after <= LONGEST_S for after in afters):
        found.append(f"{where}.steps: after_s is {afters}; allowed are 0 to {LONGEST_S} seconds.")
    if not all(step.who for step in policy.steps):
        found.append(f"{where}.steps: who is empty in one step; name who is paged.")
    if unknown := [who for step in policy.steps for who in step.who if who not in GROUPS]:
        found.append(f"{where}.steps: who is {unknown[0]!r}; allowed are {', '.join(GROUPS)}.")
    if kind == "security" and policy.ceiling_s is not None:
        found.append(
            f"{where}.ceiling_s is set; a security request is paged until a person answers, without an end."
        )
    elif kind == "greeter" and policy.ceiling_s is None:
        found.append(f"{where}.ceiling_s is missing; a greeting is not called out for ever.")
    elif policy.ceiling_s is not None and afters and policy.ceiling_s <= afters[-1]:
        found.append(f"{where}.ceiling_s is {policy.ceiling_s}; it must be later than the last step.")
    for name, value, (low, high) in (
        ("ceiling_s", policy.ceiling_s, CEILING_S),
        ("repeat_s", policy.repeat_s, REPEAT_S),
    ):
        if value is not None and not low <= value <= high:
            found.append(f"{where}.{name} is {value}; allowed are {low} to {high} seconds.")
    if kind == "greeter" and policy.repeat_s is not None:
        found.append(f"{where}.repeat_s is set; nobody is called twice for one greeting.")
    elif kind != "greeter" and policy.ceiling_s is None and policy.repeat_s is None:
        found.append(f"{where}: without ceiling_s, repeat_s must say how often to page again.")
    return found
