"""A policy as a form: rows of seconds and checkboxes, read back with every fault at its place. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge.policies import CEILING_S, GROUPS, LONGEST_S, MAX_STEPS, REPEAT_S, Policy, Step, Who, faults


@dataclass(frozen=True)
class Row:
    """One step as it stands in the form."""

    after: str = ""
    who: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.after.strip() and not self.who


@dataclass(frozen=True)
class Typed:
    """A form and, if it can be used, its policy. `wrong` is field -> sentence; '' is the form as a whole."""

    rows: tuple[Row, ...]
    ceiling: str
    repeat: str
    policy: Policy | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)


def shown(policy: Policy) -> Typed:
    """A policy as its form shows it, with one row to spare."""
    rows = tuple(Row(_number(step.after_s), tuple(step.who)) for step in policy.steps)
    spare = (Row(),) if len(rows) < MAX_STEPS else ()
    return Typed((*rows, *spare), _number(policy.ceiling_s), _number(policy.repeat_s), policy)


def read(kind: str, afters: Sequence[str], whos: Sequence[Sequence[str]], ceiling: str, repeat: str) -> Typed:
    """What was typed. Empty rows are left out; the others may come in any order of their seconds."""
    wrong: dict[str, str] = {}
    rows = [Row(after[:20], tuple(who)) for after, who in zip(afters, whos, strict=True)][:MAX_STEPS]
    steps = []
    for number, row in enumerate(rows):
        if row.empty:
            continue
        after_s = _seconds(row.after, f"Step {number + 1}", (0, LONGEST_S), wrong, f"after-{number}")
        known: list[Who] = [group for group in GROUPS if group in row.who]
        if not known:
            wrong[f"who-{number}"] = f"Step {number + 1} calls nobody; choose at least one, or empty the row."
        elif after_s is not None:
            steps.append(Step(after_s, known))
    ceiling_s = _seconds(ceiling, "The end", CEILING_S, wrong, "ceiling") if ceiling.strip() else None
    repeat_s = _seconds(repeat, "Again every", REPEAT_S, wrong, "repeat") if repeat.strip() else None
    if kind == "security" and ceiling.strip():
        wrong["ceiling"] = "A security request is called out until a person answers; it cannot end by itself."
    policy = Policy(sorted(steps, key=lambda step: step.after_s), ceiling_s, repeat_s)
    if not wrong and (found := faults(kind, policy)):
        wrong[""] = " ".join(found)
    return Typed(tuple(rows), ceiling[:20], repeat[:20], None if wrong else policy, wrong)


def _seconds(
    text: str, what: str, allowed: tuple[int, int], wrong: dict[str, str], where: str
) -> float | None:
    low, high = allowed
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        said = f"says {text.strip()[:20]!r}" if text.strip() else "is empty"
        wrong[where] = f"{what} {said}; allowed are {low} to {high} seconds."
        return None
    return value


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
