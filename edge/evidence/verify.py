"""Verifies an export bundle offline: `floorbell evidence verify`. It needs no database and no network.

Every finding has one of eight names; 'ok' only where nothing else was found. Keys and the last head come
from outside the bundle: whoever can make a bundle can also make keys.
"""

import os
import zipfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from broker import manifest as manifests
from broker import tree
from broker.errors import ContractError
from broker.manifest import Manifest
from broker.signing import is_signed
from broker.witness import TreeHead, head_to_sign, kept_to_sign
from edge.errors import EdgeError
from edge.evidence import bundle, entries, stamp
from edge.evidence.bundle import Anchors, BundledClip, CustodyLine, Listing
from edge.evidence.entries import Entry
from edge.evidence.stamp import BadStamp

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

T = TypeVar("T")
_CHUNK = 1024 * 1024
# What is read into memory at once: listings and manifests, never a video.
_LARGEST = 256 * 1024 * 1024
_UNCHECKED = "The bundle has one; it was not checked, for no CA of a time-stamping authority was given."


class Verdict(StrEnum):
    OK = "ok"
    ALTERED = "altered"
    TRUNCATED = "truncated"
    REORDERED = "reordered"
    REPLACED = "replaced"
    REMOVED = "removed"
    UNANCHORED = "unanchored"
    UNKNOWN_KEY = "unknown key"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, of which clip or file, in one sentence."""

    verdict: Verdict
    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Known:
    """What comes from outside the bundle: public keys in hexadecimal, heads as (size, root), and the CA of
    the time-stamping authority, without which a stamp is not checked."""

    keys: frozenset[str]
    heads: Sequence[tuple[int, str]] = ()
    authority: "Sequence[Certificate] | None" = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and a sentence on the time stamp: None if there is none and none was asked for."""

    findings: list[Finding]
    stamp: str | None


class NoBundle(EdgeError):
    """The file cannot be read as a bundle at all."""


def verify(path: Path, known: Known) -> list[Finding]:
    """Everything that is wrong with the bundle, or the one finding 'ok'. NoBundle if it is none."""
    return examine(path, known).findings


def examine(path: Path, known: Known) -> Examined:
    """As verify(), and what the time stamp says."""
    try:
        with zipfile.ZipFile(path) as archive:
            verifier = _Verifier(archive, known)
            found = list(verifier.findings())
            return Examined(found or [Finding(Verdict.OK, path.name, verifier.praise())], verifier.stamp)
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise NoBundle(f"{path} cannot be read as a bundle: {error}.") from None


class _Verifier:
    def __init__(self, archive: zipfile.ZipFile, known: Known) -> None:
        self._archive, self._known = archive, known
        self.stamp: str | None = None
        self.anchored_by = "witnessed"
        self._names = archive.namelist()
        self._listing = self._read_record(bundle.LISTED_BY, Listing)
        self._hashed = self._hash_all()

    def findings(self) -> Iterator[Finding]:
        yield from self._files()
        if missing := {bundle.CUSTODY, bundle.LEAVES, bundle.HEADS} - set(self._names):
            for name in sorted(missing):
                yield Finding(Verdict.REMOVED, name, f"{name} is not in the bundle.")
            return
        leaves = self._leaves()
        lines, wrong = self._lines(leaves)
        yield from self._anchors(leaves, lines)
        yield from wrong
        for clip in self._listing.clips:
            yield from self._clip(clip, lines)
        exported = [e for e in lines.values() if e.subject == str(self._listing.export)]
        if not any(e.action == "exported" for e in exported):
            sentence = "The custody log has no entry of this export."
            yield Finding(Verdict.REMOVED, str(self._listing.export), sentence)

    def praise(self) -> str:
        """What 'ok' means of this bundle: nobody signed what is in it for reading."""
        proving = {bundle.CUSTODY, bundle.LEAVES, bundle.HEADS}
        for clip in self._listing.clips:
            proving |= {bundle.video_of(clip.clip), bundle.manifest_of(clip.clip)}
        words = f"Every byte is as it was signed, sealed and {self.anchored_by}"
        # Of the stamp its own sentence says whether it was checked.
        reading = len(set(self._listing.files) - proving - {bundle.STAMPED, bundle.STAMP})
        return (
            f"{words}, but for {reading} files for reading, which prove nothing." if reading else f"{words}."
        )

    def _files(self) -> Iterator[Finding]:
        """Each listed file is here as it was listed, and no other."""
        listed = self._listing.files
        for name in sorted(set(self._names) - set(listed) - {bundle.LISTED_BY}):
            yield Finding(Verdict.ALTERED, name, f"{name} is in the bundle and not in its list.")
        for name in sorted({name for name in self._names if self._names.count(name) > 1}):
            yield Finding(Verdict.ALTERED, name, f"{name} is in the bundle more than once.")
        for name, file in sorted(listed.items()):
            if name not in self._names:
                yield Finding(Verdict.REMOVED, name, f"{name} is listed and not in the bundle.")
                continue
            found, size = self._hashed[name]
            if size < file.bytes:
                sentence = f"{name} has {size} bytes; {file.bytes} are listed."
                yield Finding(Verdict.TRUNCATED, name, sentence)
            elif found != file.sha256:
                yield Finding(Verdict.ALTERED, name, f"{name} is not as it was listed.")

    def _leaves(self) -> list[bytes]:
        raw = self._read(bundle.LEAVES)
        return [raw[at : at + 32] for at in range(0, len(raw) - 31, 32)]

    def _anchors(self, leaves: list[bytes], lines: dict[int, Entry]) -> Iterator[Finding]:
        """The leaves are those of the signed head, of every witness and of every head known from outside."""
        anchors = self._read_record(bundle.HEADS, Anchors)
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
        anchored = False
        for held in anchors.witnesses:
            said = kept_to_sign(head.store, held.device, head.log, held.size, held.root, held.at_ms)
            if held.key not in self._known.keys:
                sentence = f"The key of {held.device} is none of those that were given."
                yield Finding(Verdict.UNKNOWN_KEY, held.device, sentence)
            elif not is_signed(held.key, said, held.signature):
                sentence = f"{held.device} did not sign the head that it is said to hold."
                yield Finding(Verdict.ALTERED, held.device, sentence)
            elif (finding := self._continues(node, head.size, held.size, held.root, held.device)) is not None:
                yield finding
            else:
                anchored = True
        for size, root in self._known.heads:
            finding = self._continues(node, head.size, size, root, "the head that was given")
            if finding is not None:
                yield finding
            else:
                anchored = True
        stamped = yield from self._stamp(node, head, lines)
        self.anchored_by = "witnessed" if anchored else "stamped"
        if not anchored and not stamped:
            sentence = "No device witnessed this log, and no head of it was given from outside."
            yield Finding(Verdict.UNANCHORED, "log", sentence)

    def _stamp(
        self, node: tree.Node, head: TreeHead, lines: dict[int, Entry]
    ) -> Generator[Finding, None, bool]:
        """Whether an authority stamped a head of this log under which every clip was sealed already."""
        here = [name for name in (bundle.STAMPED, bundle.STAMP) if name in self._names]
        if self._known.authority is None:
            self.stamp = _UNCHECKED if here else None
            return False
        if not here:
            self.stamp = "The bundle has none."
            return False
        if len(here) == 1:
            yield Finding(Verdict.REMOVED, "stamp", f"Of the stamp only {here[0]} is in the bundle.")
            return False
        message = self._read(bundle.STAMPED)
        try:
            found = stamp.check(self._read(bundle.STAMP), message, self._known.authority)
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
        said = f"Stamped at {found.at:%Y-%m-%d %H:%M:%S} UTC by {found.by}"
        self.stamp = f"{said}: the log's first {stamped.size} entries of {head.size} were there then."
        sealed = {e.subject for at, e in lines.items() if e.action == "sealed" and at < stamped.size}
        if later := [str(clip.clip) for clip in self._listing.clips if str(clip.clip) not in sealed]:
            self.stamp += f" Sealed after that and not covered by it: {', '.join(later)}."
        return not later

    @staticmethod
    def _continues(node: tree.Node, size: int, old: int, old_root: str, whose: str) -> Finding | None:
        if old > size:
            sentence = f"The log has {size} entries; {whose} has {old}."
            return Finding(Verdict.REMOVED, "log", sentence)
        if tree.root(node, old).hex() != old_root:
            sentence = f"The first {old} entries are not those of {whose}: the log was rewritten."
            return Finding(Verdict.ALTERED, "log", sentence)
        return None

    def _lines(self, leaves: list[bytes]) -> tuple[dict[int, Entry], list[Finding]]:
        """The entries that stand in the log at the place that they claim, and what is wrong with others."""
        places = {leaf: index for index, leaf in enumerate(leaves)}
        found: dict[int, Entry] = {}
        wrong: list[Finding] = []
        before = -1
        for raw in self._read(bundle.CUSTODY).splitlines():
            try:
                line = msgspec.json.decode(raw, type=CustodyLine)
                entry = entries.decode(line.entry.encode())
            except (msgspec.MsgspecError, UnicodeError) as error:
                wrong.append(Finding(Verdict.ALTERED, bundle.CUSTODY, f"A line cannot be read: {error}."))
                continue
            subject, place = f"entry {line.index}", places.get(entries.leaf(line.entry.encode()))
            if place is None:
                wrong.append(Finding(Verdict.ALTERED, subject, f"The {subject} is not in the log."))
            elif place != line.index or entry.index != line.index or line.index <= before:
                sentence = f"The {subject} stands at {place} in the log, or out of order here."
                wrong.append(Finding(Verdict.REORDERED, subject, sentence))
            else:
                found[place] = entry
                wrong += _words(subject, line, entry)
            before = max(before, line.index)
        return found, wrong

    def _clip(self, clip: BundledClip, lines: dict[int, Entry]) -> Iterator[Finding]:
        subject = f"clip {clip.clip}"
        video, written = bundle.video_of(clip.clip), bundle.manifest_of(clip.clip)
        if clip.key not in self._known.keys:
            sentence = f"The key of {clip.device} is none of those that were given."
            yield Finding(Verdict.UNKNOWN_KEY, subject, sentence)
        if video not in self._names or written not in self._names:
            yield Finding(Verdict.REMOVED, subject, "The video or its manifest is not in the bundle.")
            return
        raw = self._read(written)
        sealed = [e for e in lines.values() if e.subject == str(clip.clip) and e.action == "sealed"]
        if not sealed:
            yield Finding(Verdict.REMOVED, subject, "The custody log has no entry of its sealing.")
        elif all(e.digest != sha256(raw).hexdigest() for e in sealed):
            signed = is_signed(clip.key, manifests.to_sign(raw), clip.signature)
            verdict = Verdict.REPLACED if signed else Verdict.ALTERED
            yield Finding(verdict, subject, "This manifest is not the one that was sealed.")
            return
        if not is_signed(clip.key, manifests.to_sign(raw), clip.signature):
            yield Finding(Verdict.ALTERED, subject, f"The manifest is not as {clip.device} signed it.")
            return
        try:
            manifest = manifests.decode(raw)
        except ContractError as error:
            yield Finding(Verdict.ALTERED, subject, error.reason)
            return
        yield from self._video(clip, manifest, video)

    def _video(self, clip: BundledClip, manifest: Manifest, video: str) -> Iterator[Finding]:
        subject = f"clip {clip.clip}"
        if (manifest.clip, manifest.device) != (clip.clip, clip.device):
            yield Finding(Verdict.REPLACED, subject, f"Its manifest is that of the clip {manifest.clip}.")
            return
        found, size = self._hashed[video]
        if found == manifest.footage.sha256:
            return
        if size < manifest.footage.bytes:
            sentence = f"The video has {size} bytes; {manifest.footage.bytes} were signed."
            yield Finding(Verdict.TRUNCATED, subject, sentence)
        elif found in self._signed_videos():
            yield Finding(Verdict.REPLACED, subject, "The video is that of another clip of this bundle.")
        else:
            yield Finding(Verdict.ALTERED, subject, "The video is not the one that was signed.")

    def _signed_videos(self) -> set[str]:
        """What the bundle's manifests call their videos."""
        found = set()
        for clip in self._listing.clips:
            name = bundle.manifest_of(clip.clip)
            if name in self._names:
                try:
                    found.add(manifests.decode(self._read(name)).footage.sha256)
                except ContractError:
                    continue
        return found

    def _hash_all(self) -> dict[str, tuple[str, int]]:
        """SHA-256 and size of every file. Each is read once, as many at a time as there are processors:
        hashing and the archive's own check let go of the interpreter."""
        names = sorted(set(self._names))
        with ThreadPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
            return dict(zip(names, pool.map(self._hash, names), strict=True))

    def _hash(self, name: str) -> tuple[str, int]:
        digest, size = sha256(), 0
        try:
            with self._archive.open(name) as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
        except zipfile.BadZipFile:
            # The archive's own check of the file fails: it is neither what was listed nor what was signed.
            return "", size
        return digest.hexdigest(), size

    def _read(self, name: str) -> bytes:
        if self._archive.getinfo(name).file_size > _LARGEST:
            raise NoBundle(f"{name} is larger than any of its kind.")
        try:
            return self._archive.read(name)
        except zipfile.BadZipFile:
            return b""

    def _read_record(self, name: str, kind: type[T]) -> T:
        if name not in self._names:
            raise NoBundle(f"{name} is not in it.")
        try:
            return msgspec.json.decode(self._read(name), type=kind)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise NoBundle(f"{name} cannot be read: {error}.") from None


def _words(subject: str, line: CustodyLine, entry: Entry) -> Iterator[Finding]:
    """The words beside an entry are those that it commits to; erased ones are told from changed ones."""
    for field, text, salt, committed in (
        ("actor", line.actor, line.actor_salt, entry.actor),
        ("reason", line.reason, line.reason_salt, entry.reason),
    ):
        if text is None and salt is None:
            continue
        try:
            same = entries.commit(field, bytes.fromhex(salt or ""), text or "") == committed
        except ValueError:
            same = False
        if not same:
            yield Finding(
                Verdict.ALTERED, subject, f"The {field} of the {subject} is not the one of the log."
            )


def describe(findings: Sequence[Finding]) -> list[str]:
    """One line for each."""
    return [f"{finding.verdict}: {finding.subject}: {finding.sentence}" for finding in findings]
