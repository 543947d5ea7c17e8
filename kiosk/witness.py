"""Whether a head of the custody log that the store shows is kept or refused. Pure: files are elsewhere.

A device trusts the first key and the first log that it was shown, and nothing that does not continue them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from broker import tree
from broker.witness import HeadRefused, HeadShown, TreeHead, head_to_sign

# The exit status of kiosk.witnessing where the head contradicts what is held: the kiosk raises the alarm.
ALARM = 3

IsSigned = Callable[[str, bytes, str], bool]


@dataclass(frozen=True)
class Judged:
    """`keep` is the head to hold from now on; else `refusal` is what to say. `alarm`: it contradicts what is
    held here, so somebody rewrote the log, or another store is speaking."""

    keep: TreeHead | None = None
    refusal: HeadRefused | None = None
    alarm: bool = False


def judge(held: TreeHead | None, shown: HeadShown, store: str, is_signed: IsSigned) -> Judged:
    """What to do with a head that was shown; `is_signed(key, message, signature)` checks a signature."""
    head = shown.head
    signed = head_to_sign(head.store, head.log, head.size, head.root, head.at_ms)
    if head.store != store:
        return _refuse(held, head, f"This head is of the store {head.store!r}, not of {store!r}.")
    if not is_signed(head.key, signed, head.signature):
        return _refuse(held, head, "This head's signature is not that of its key.")
    if held is None:
        return Judged(keep=head)
    if head.key != held.key:
        return _refuse(held, head, "This head is signed by another key than those before.", alarm=True)
    if head.log != held.log:
        return _refuse(held, head, "This head is of another log than the one that is held here.", alarm=True)
    if head.size < held.size:
        # An old one that comes late, or a log that was cut: only the store can tell, with a proof.
        reason = f"This head has {head.size} entries; one of {held.size} is held here."
        return _refuse(held, head, reason)
    if shown.old != held.size and head.size != held.size:
        return _refuse(held, head, f"The proof begins at {shown.old} entries; {held.size} are held here.")
    proof = [bytes.fromhex(step) for step in shown.proof] if head.size != held.size else []
    old_root, root = bytes.fromhex(held.root), bytes.fromhex(head.root)
    if not tree.continues(held.size, old_root, head.size, root, proof):
        return _refuse(held, head, "This head does not continue the one that is held here.", alarm=True)
    return Judged(keep=head)


def _refuse(held: TreeHead | None, head: TreeHead, reason: str, *, alarm: bool = False) -> Judged:
    refusal = HeadRefused(
        log=head.log,
        size=head.size,
        root=head.root,
        reason=reason,
        held_size=held.size if held else 0,
        held_root=held.root if held else None,
    )
    return Judged(refusal=refusal, alarm=alarm)
