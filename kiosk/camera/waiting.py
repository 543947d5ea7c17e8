"""Which clip is brought to the store next, and when one that failed is tried again. Pure.

Those of security requests first, then the newest: a clip's id begins with its time. A ticket that is used
up, or worth nothing, is remembered, because the panel tells of it again. Tickets come in any order, for what
a broken line held back is sent late: the others of the same clip are kept until the store has refused them.
"""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from broker.messages import Upload

MOST = 1024
TICKETS = 4
_FIRST_S, _LONGEST_S = 1.0, 60.0
# Nobody tells a kiosk that there is room again: it asks, and soon enough that nothing waits for long.
_FULL_S, _FULL_LONGEST_S = 30.0, 60.0
_REFUSED_S, _REFUSED_LONGEST_S = 30.0, 600.0


@dataclass
class _Wanted:
    uploads: list[Upload]
    urgent: bool
    due_s: float = 0.0
    tries: int = 0

    @property
    def rank(self) -> tuple[bool, int]:
        return self.urgent, self.uploads[-1].clip.int


class Waiting:
    """The tickets that are good, as far as is known."""

    def __init__(self) -> None:
        self._wanted: dict[UUID, _Wanted] = {}
        self._used: OrderedDict[tuple[UUID, str], None] = OrderedDict()
        self._away_until_s = 0.0
        self._away = 0

    def __len__(self) -> int:
        return len(self._wanted)

    def knows(self, upload: Upload) -> bool:
        """Whether this ticket was told before."""
        known = self._wanted.get(upload.clip)
        return (known is not None and upload in known.uploads) or (upload.clip, upload.ticket) in self._used

    def told(self, upload: Upload, *, urgent: bool) -> None:
        """A new ticket is tried before the clip's earlier ones. Beyond MOST the last in order is forgotten:
        the store will ask again."""
        one = self._wanted.setdefault(upload.clip, _Wanted([], urgent))
        one.uploads = [*one.uploads, upload][-TICKETS:]
        one.urgent = urgent
        if len(self._wanted) > MOST:
            del self._wanted[min(self._wanted, key=lambda clip: self._wanted[clip].rank)]

    def next(self, now_s: float) -> Upload | None:
        """What to bring now."""
        if now_s < self._away_until_s:
            return None
        due = [one for one in self._wanted.values() if one.due_s <= now_s]
        return max(due, key=lambda one: one.rank).uploads[-1] if due else None

    def due_at(self) -> float | None:
        """When next() has something; None while nothing waits."""
        if not self._wanted:
            return None
        return max(self._away_until_s, min(one.due_s for one in self._wanted.values()))

    def more_urgent(self, upload: Upload, now_s: float) -> bool:
        """Whether a clip of a security request waits while this one, of none, is brought."""
        mine = self._wanted.get(upload.clip)
        return any(
            one.urgent and one.due_s <= now_s for one in self._wanted.values() if mine and not mine.urgent
        )

    def over(self, upload: Upload) -> None:
        """The ticket is worth nothing."""
        one = self._wanted.get(upload.clip)
        if one is not None and upload in one.uploads:
            one.uploads.remove(upload)
            if not one.uploads:
                del self._wanted[upload.clip]
        self._used[(upload.clip, upload.ticket)] = None
        while len(self._used) > MOST:
            self._used.popitem(last=False)

    def done(self, upload: Upload) -> None:
        """There is nothing more to bring of this clip with any of its tickets."""
        one = self._wanted.get(upload.clip)
        for each in [upload, *(one.uploads if one else ())]:
            self.over(each)

    def answered(self) -> None:
        """The vault is there."""
        self._away, self._away_until_s = 0, 0.0

    def away(self, now_s: float) -> int:
        """The vault is not: nothing is tried for a while. How often so in a row."""
        self._away += 1
        self._away_until_s = now_s + _later(self._away, _FIRST_S, _LONGEST_S)
        return self._away

    def broke(self, upload: Upload, now_s: float, *, moved: bool) -> None:
        """`moved`: some of it got through, so that it is worth trying again soon."""
        self._again(upload, now_s, _FIRST_S, _LONGEST_S, anew=moved)

    def full(self, upload: Upload, now_s: float) -> None:
        """The vault has no room for this one."""
        self._again(upload, now_s, _FULL_S, _FULL_LONGEST_S)

    def refused(self, upload: Upload, now_s: float) -> None:
        """What came was not what was told of; perhaps it is the next time."""
        self._again(upload, now_s, _REFUSED_S, _REFUSED_LONGEST_S)

    def _again(self, upload: Upload, now_s: float, first_s: float, most_s: float, anew: bool = False) -> None:
        one = self._wanted.get(upload.clip)
        if one is not None:
            one.tries = 1 if anew else one.tries + 1
            one.due_s = now_s + _later(one.tries, first_s, most_s)


def _later(tries: int, first_s: float, most_s: float) -> float:
    return min(most_s, first_s * float(2 ** min(tries - 1, 16)))
