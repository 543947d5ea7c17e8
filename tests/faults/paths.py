"""When a security request could reach a phone: which parts of its way were up, from when to when. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Span = tuple[float, float]


@dataclass
class History:
    """What each part of the store was, by name, on the monotonic clock. What never spoke was never up."""

    _changes: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))

    def mark(self, part: str, up: bool, at_s: float) -> None:
        """From `at_s` on it is so. Moments of one part come in order."""
        changes = self._changes[part]
        if not changes or changes[-1][1] != up:
            changes.append((at_s, up))

    def up(self, part: str, at_s: float) -> bool:
        changes = self._changes[part]
        index = bisect_right(changes, at_s, key=lambda change: change[0])
        return index > 0 and changes[index - 1][1]

    def spans(self, parts: Iterable[str], begin_s: float, end_s: float) -> list[Span]:
        """When all of them were up at once, between these moments."""
        wanted = list(parts)
        moments = {begin_s, *(at for part in wanted for at, _ in self._changes[part] if begin_s < at < end_s)}
        found: list[Span] = []
        for at, until in zip(ordered := sorted(moments), [*ordered[1:], end_s], strict=True):
            if not all(self.up(part, at) for part in wanted):
                continue
            if found and found[-1][1] == at:
                found[-1] = (found[-1][0], until)
            else:
                found.append((at, until))
        return found

    def longest_s(self, parts: Iterable[str], begin_s: float, end_s: float) -> float:
        """How long the way was there without a break, at the most."""
        return max((until - at for at, until in self.spans(parts, begin_s, end_s)), default=0.0)
