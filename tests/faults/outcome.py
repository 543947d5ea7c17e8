"""What one kind of fault came to, and the table of all."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SECURITY = ("raised", "paged", "joined", "slowest", "steps", "between", "lost", "doubled", "phantom", "by")
SECURITY_BELOW = """\
Security raised meanwhile, and paged to each who is called first; presses that joined an open request; the
slowest of both after the way was there without a break; steps paged, the longest time between two."""
OK, FAILED, NOT_RUN = "ok", "FAILED", "needs root: not run"


@dataclass
class Outcome:
    """`wrong` has a sentence for everything that should not be; it passes only without any."""

    name: str
    figures: dict[str, object] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    not_run: bool = False
    note: str = ""
    # What became of the security requests that were raised meanwhile, by column of SECURITY.
    security: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return NOT_RUN if self.not_run else FAILED if self.wrong else OK

    def add(self, figures: Mapping[str, object]) -> "Outcome":
        self.figures.update(figures)
        return self

    def check(self, holds: object, sentence: str) -> None:
        """Keep the sentence unless it holds."""
        if not holds:
            self.wrong.append(sentence)


def table(outcomes: list[Outcome], seed: int) -> str:
    """For people: one line per fault, its figures below it, then what is wrong."""
    width = max((len(o.name) for o in outcomes), default=0)
    lines = [f"Faults, seed {seed}", "-" * 100]
    for outcome in outcomes:
        lines.append(f"{outcome.name:<{width}}  {outcome.status}")
        row = " " * (width + 1)
        for key, value in outcome.figures.items():
            piece = f" {key} {_shown(value)};"
            if len(row) + len(piece) > 108:
                lines.append(row)
                row = " " * (width + 1)
            row += piece
        if row.strip():
            lines.append(row.rstrip(";"))
        if outcome.note:
            lines.append(" " * (width + 2) + outcome.note)
        lines += [f"{' ' * (width + 2)}! {sentence}" for sentence in outcome.wrong[:20]]
        if len(outcome.wrong) > 20:
            lines.append(f"{' ' * (width + 2)}! and {len(outcome.wrong) - 20} more")
    lines.append("-" * 100)
    if any(outcome.security for outcome in outcomes):
        lines += [SECURITY_BELOW, *_security(outcomes, width), "-" * 100]
    counts = [sum(o.status == status for o in outcomes) for status in (OK, FAILED, NOT_RUN)]
    lines.append(f"{counts[0]} ok, {counts[1]} failed, {counts[2]} not run for want of root")
    return "\n".join(lines)


def _security(outcomes: list[Outcome], width: int) -> list[str]:
    rows = [(outcome.name, [_shown(outcome.security[key]) for key in SECURITY]) for outcome in outcomes
            if outcome.security]  # fmt: skip
    return [f"{name:<{width}} " + "".join(f"{value:>8} " for value in values).rstrip()
            for name, values in [("", list(SECURITY)), *rows]]  # fmt: skip


def _shown(value: object) -> str:
    return f"{value:.1f} s" if isinstance(value, float) else str(value)
