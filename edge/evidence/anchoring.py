"""Whether a bundle's log is the one that others know: its signed head, witnesses, outer heads, a stamp."""

from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime

from broker import tree
from broker.signing import is_signed
from broker.witness import Restoration, TreeHead, head_to_sign, kept_to_sign, restored_to_sign
from edge.evidence import bundle, stamp
from edge.evidence.bundle import Anchors, Listing
from edge.evidence.entries import Entry
from edge.evidence.findings import Finding, Known, Verdict
from edge.evidence.opened import Opened
from edge.evidence.stamp import BadStamp

_UNCHECKED = "The bundle has one; it was not checked, for no CA of a time-stamping authority was given."


class Anchoring:
    """`stamp` is a sentence on the time stamp: None if there is none and none was asked for. `by` says what
    holds the log, `covers` how many of its first entries are held by something that is not in the bundle or
    not the store's. `restored` has a sentence on each restore of the store, `restored_ms` the time of the
    last: of what was recorded before it entries may be lost."""

    def __init__(self, opened: Opened, listing: Listing, known: Known) -> None:
        self._opened, self._listing, self._known = opened, listing, known
        self.stamp: str | None = None
        self.by = "witnessed"
        self.covers = 0
        self.restored: list[str] = []
        self.restored_ms: int | None = None

    def findings(self, leaves: list[bytes], lines: dict[int, Entry]) -> Iterator[Finding]:
        """The leaves are those of the signed head, of every witness and of every head known from outside."""
        anchors = self._opened.record(bundle.HEADS, Anchors)
        head, node = anchors.head, tree.over(leaves)
        if head.key not in self._known.keys:
            yield Finding(Verdict.UNKNOWN_KEY, "head", "The head's key is none of those that were given.")
        signed = head_to_sign(head.store, head.log, head.size, head.root, head.at_ms)
        if not is_signed(head.key, signed, head.signature) or head.log != self._listing.log:
            yield Finding(Verdict.ALTERED, "head", "The head's signature does not hold.")
        if len(leaves) != head.size:
            sentence = f"The log has {len(leaves)} entries here; its head says {head.size}."
            yield Finding(Verdict.REMOVED if len(leaves) < head.size else Verdict.ALTERED, "log", sentence)
            return
        if tree.root(node, head.size).hex() != head.root:
            yield Finding(Verdict.ALTERED, "log", "The log's entries are not those under its head.")
        anchored, restores = False, []
        for word in anchors.restored:
            if (finding := self._restored(node, head, word)) is not None:
                yield finding
            else:
                restores.append(word)
        # (size, whose) of each head that only a restore can explain.
        lost: list[tuple[int, str]] = []
        for held in anchors.witnesses:
            said = kept_to_sign(
                head.store, held.device, head.log, held.size, held.root, held.at_ms, held.before
            )
            if held.key not in self._known.keys:
                sentence = f"The key of {held.device} is none of those that were given."
                yield Finding(Verdict.UNKNOWN_KEY, held.device, sentence)
            elif not is_signed(held.key, said, held.signature):
                sentence = f"{held.device} did not sign the head that it is said to hold."
                yield Finding(Verdict.ALTERED, held.device, sentence)
            elif (finding := self._continues(node, head.size, held.size, held.root, held.device)) is not None:
                yield finding
            else:
                anchored, self.covers = True, max(self.covers, held.size)
                for one in held.before:
                    finding = self._continues(node, head.size, one.size, one.root, held.device)
                    if finding is not None and _explained(one.size, restores):
                        lost.append((one.size, held.device))
                    elif finding is not None:
                        yield finding
        for size, root in self._known.heads:
            finding = self._continues(node, head.size, size, root, "the head that was given")
            if finding is not None and _explained(size, restores):
                lost.append((size, "the head that was given"))
            elif finding is not None:
                yield finding
            else:
                anchored, self.covers = True, max(self.covers, size)
        self._tell(restores, lost)
        stamped = yield from self._stamp(node, head, lines)
        self.by = "witnessed" if anchored else "stamped"
        if not anchored and not stamped:
            sentence = "No device witnessed this log, and no head of it was given from outside."
            yield Finding(Verdict.UNANCHORED, "log", sentence)

    def _stamp(
        self, node: tree.Node, head: TreeHead, lines: dict[int, Entry]
    ) -> Generator[Finding, None, bool]:
        """Whether an authority stamped a head of this log under which every clip was sealed already."""
        here = [name for name in (bundle.STAMPED, bundle.STAMP) if name in self._opened.names]
        if self._known.authority is None:
            self.stamp = _UNCHECKED if here else None
            return False
        if not here:
            self.stamp = "The bundle has none."
            return False
        if len(here) == 1:
            yield Finding(Verdict.REMOVED, "stamp", f"Of the stamp only {here[0]} is in the bundle.")
            return False
        message = self._opened.read(bundle.STAMPED)
        try:
            found = stamp.check(self._opened.read(bundle.STAMP), message, self._known.authority)
        except BadStamp as error:
            yield Finding(Verdict(error.flaw), "stamp", str(error))
            return False
        stamped = stamp.head_of(message)
        if stamped is None or (stamped.store, stamped.log) != (head.store, head.log):
            yield Finding(Verdict.REPLACED, "stamp", "What was stamped is no head of this log.")
            return False
        finding = self._continues(node, head.size, stamped.size, stamped.root, "the stamped head")
        if finding is not None:
            yield finding
            return False
        self.covers = max(self.covers, stamped.size)
        said = f"Stamped at {found.at:%Y-%m-%d %H:%M:%S} UTC by {found.by}"
        self.stamp = f"{said}: the log's first {stamped.size} entries of {head.size} were there then."
        sealed = {e.subject for at, e in lines.items() if e.action == "sealed" and at < stamped.size}
        if later := [str(clip.clip) for clip in self._listing.clips if str(clip.clip) not in sealed]:
            self.stamp += f" Sealed after that and not covered by it: {', '.join(later)}."
        return not later

    def _restored(self, node: tree.Node, head: TreeHead, word: Restoration) -> Finding | None:
        """What is wrong with the store's word on a restore."""
        signed = restored_to_sign(head.store, head.log, word.size, word.root, word.backup_at_ms, word.at_ms)
        if not is_signed(head.key, signed, word.signature):
            return Finding(
                Verdict.ALTERED, "log", "The store did not sign the restore that is in the bundle."
            )
        return self._continues(node, head.size, word.size, word.root, "the backup that was restored")

    def _tell(self, restores: Sequence[Restoration], lost: Sequence[tuple[int, str]]) -> None:
        for word in restores:
            backup, at = (_minute(ms) for ms in (word.backup_at_ms, word.at_ms))
            self.restored.append(
                f"The store says that it was restored at {at} from its backup of {backup}, with {word.size} "
                "entries; what the log had from there on until then is lost."
            )
            self.restored_ms = word.at_ms
        for size, whose in lost:
            self.restored.append(
                f"{whose[0].upper()}{whose[1:]} had a head of {size} entries that is not of this log, from "
                "before a restore; what the lost ones were nobody can prove."
            )

    @staticmethod
    def _continues(node: tree.Node, size: int, old: int, old_root: str, whose: str) -> Finding | None:
        if old > size:
            sentence = f"The log has {size} entries; {whose} has {old}."
            return Finding(Verdict.REMOVED, "log", sentence)
        if tree.root(node, old).hex() != old_root:
            sentence = f"The first {old} entries are not those of {whose}: the log was rewritten."
            return Finding(Verdict.ALTERED, "log", sentence)
        return None


def _explained(size: int, restores: Sequence[Restoration]) -> bool:
    """Whether a head of so many entries may have been lost by a restore."""
    return any(one.size < size for one in restores)


def _minute(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
