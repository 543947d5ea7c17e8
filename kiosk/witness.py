"""Whether a head of the custody log that the store shows is kept or refused. Pure: files are elsewhere.

A device trusts the first key and the first log that it was shown, and nothing that does not continue them.
One exception: a store that was restored from a backup, and signs so, may go on from a head that was held here
at the time of the backup. What is given up for it stands in every later signature of this device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct, field

from broker import tree
from broker.events import Milliseconds, Sha256
from broker.witness import (
    MOST_BEFORE,
    Before,
    HeadRefused,
    HeadShown,
    Restoration,
    Size,
    TreeHead,
    head_to_sign,
    restored_to_sign,
)

# The exit status of kiosk.witnessing where the head contradicts what is held: the kiosk raises the alarm.
ALARM = 3

# Of the heads that were held: the newest of each hour for so many hours, then of each day for so many days.
HOURS, DAYS = 8 * 24, 400
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000

IsSigned = Callable[[str, bytes, str], bool]


class Mark(Struct, frozen=True):
    """A head that was held here once."""

    size: Size
    root: Sha256
    at_ms: Milliseconds


class Held(TreeHead, frozen=True):
    """The head that is held. `earlier` are those before it, the oldest first; `before` those that were given
    up for restores."""

    earlier: list[Mark] = field(default_factory=list)
    before: list[Before] = field(default_factory=list)


@dataclass(frozen=True)
class Judged:
    """`keep` is the head to hold from now on; else `refusal` is what to say. `alarm`: it contradicts what is
    held here, so somebody rewrote the log, or another store is speaking."""

    keep: Held | None = None
    refusal: HeadRefused | None = None
    alarm: bool = False


def judge(held: Held | None, shown: HeadShown, store: str, is_signed: IsSigned) -> Judged:
    """What to do with a head that was shown; `is_signed(key, message, signature)` checks a signature."""
    head = shown.head
    signed = head_to_sign(head.store, head.log, head.size, head.root, head.at_ms)
    if head.store != store:
        return _refuse(held, head, f"This head is of the store {head.store!r}, not of {store!r}.")
    if not is_signed(head.key, signed, head.signature):
        return _refuse(held, head, "This head's signature is not that of its key.")
    if held is None:
        return Judged(keep=_held(head))
    if head.key != held.key:
        return _refuse(held, head, "This head is signed by another key than those before.", alarm=True)
    if head.log != held.log:
        return _refuse(held, head, "This head is of another log than the one that is held here.", alarm=True)
    if shown.restored and (found := _after_restore(held, shown, is_signed)) is not None:
        return found
    if head.size < held.size:
        # An old one that comes late, or a log that was cut: only the store can tell, with a proof.
        reason = f"This head has {head.size} entries; one of {held.size} is held here."
        return _refuse(held, head, reason)
    if shown.old != held.size and head.size != held.size:
        return _refuse(held, head, f"The proof begins at {shown.old} entries; {held.size} are held here.")
    if not _continues(held.size, held.root, shown):
        return _refuse(held, head, "This head does not continue the one that is held here.", alarm=True)
    return Judged(keep=_held(head, [*held.earlier, Mark(held.size, held.root, held.at_ms)], held.before))


def thinned(earlier: Sequence[Mark], now_ms: int) -> list[Mark]:
    """The newest of each hour and, further back, of each day."""
    newest: dict[tuple[bool, int], Mark] = {}
    for one in earlier:
        if now_ms - one.at_ms < HOURS * _HOUR_MS:
            newest[True, one.at_ms // _HOUR_MS] = one
        elif now_ms - one.at_ms < DAYS * _DAY_MS:
            newest[False, one.at_ms // _DAY_MS] = one
    return sorted(newest.values(), key=lambda one: one.size)


def _after_restore(held: Held, shown: HeadShown, is_signed: IsSigned) -> Judged | None:
    """What to do with a head of a restored store, if the restore lost what is held here; else None."""
    head, known_ms = shown.head, max((one.restored_ms for one in held.before), default=-1)
    if shown.old == held.size and _continues(held.size, held.root, shown):
        return None
    new = [one for one in shown.restored if one.at_ms > known_ms and _is_of(one, head, is_signed)]
    if not new or held.size <= (least := min(one.size for one in new)) or len(held.before) >= MOST_BEFORE:
        return None
    base = max((one for one in held.earlier if one.size <= least), key=lambda one: one.size, default=None)
    size, root = (base.size, base.root) if base else (0, tree.EMPTY.hex())
    if shown.old != size and head.size != size:
        reason = f"The store was restored; the proof must begin at {size} entries."
        return _refuse(base or Mark(0, root, 0), head, reason)
    if not _continues(size, root, shown):
        reason = "This head does not continue what was held here at the time of the backup."
        return _refuse(held, head, reason, alarm=True)
    given_up = Before(held.size, held.root, max(one.at_ms for one in new))
    kept = [one for one in held.earlier if one.size <= least]
    return Judged(keep=_held(head, kept, [*held.before, given_up]))


def _is_of(restored: Restoration, head: TreeHead, is_signed: IsSigned) -> bool:
    one = restored
    message = restored_to_sign(head.store, head.log, one.size, one.root, one.backup_at_ms, one.at_ms)
    return is_signed(head.key, message, one.signature)


def _continues(size: int, root: str, shown: HeadShown) -> bool:
    head = shown.head
    proof = [bytes.fromhex(step) for step in shown.proof] if head.size != size else []
    return tree.continues(size, bytes.fromhex(root), head.size, bytes.fromhex(head.root), proof)


def _held(head: TreeHead, earlier: Sequence[Mark] = (), before: Sequence[Before] = ()) -> Held:
    marks = thinned([one for one in earlier if one.size < head.size], head.at_ms)
    return Held(
        head.store, head.log, head.size, head.root, head.at_ms, head.key, head.signature, marks, list(before)
    )


def _refuse(held: TreeHead | Mark | None, head: TreeHead, reason: str, *, alarm: bool = False) -> Judged:
    refusal = HeadRefused(
        log=head.log,
        size=head.size,
        root=head.root,
        reason=reason,
        held_size=held.size if held else 0,
        held_root=held.root if held else None,
    )
    return Judged(refusal=refusal, alarm=alarm)
