"""Verifies an export bundle offline: `floorbell evidence verify`. It needs no database and no network.

Every finding has one of nine names; 'ok' only where nothing else was found. Keys and the last head come
from outside the bundle: whoever can make a bundle can also make keys.
"""

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from broker import manifest as manifests
from broker.errors import ContractError
from broker.manifest import Manifest
from broker.signing import is_signed
from edge.evidence import bundle, entries, incident_file
from edge.evidence.anchoring import Anchoring
from edge.evidence.bundle import BundledClip, CustodyLine, Listing
from edge.evidence.entries import Entry
from edge.evidence.findings import Finding, Known, NoBundle, Verdict
from edge.evidence.incident_file import IncidentFile
from edge.evidence.opened import Opened


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, a sentence on the time stamp (None if there is none and none was asked for), and
    sentences on the restores of the store that the bundle is from."""

    findings: list[Finding]
    stamp: str | None
    restored: list[str] = field(default_factory=list)


def verify(path: Path, known: Known) -> list[Finding]:
    """Everything that is wrong with the bundle, or the one finding 'ok'. NoBundle if it is none."""
    return examine(path, known).findings


def examine(path: Path, known: Known) -> Examined:
    """As verify(), and what the time stamp says."""
    try:
        with zipfile.ZipFile(path) as archive:
            verifier = _Verifier(archive, known)
            found = list(verifier.findings())
            found = found or [Finding(Verdict.OK, path.name, verifier.praise())]
            return Examined(found, verifier.stamp, verifier.restored)
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise NoBundle(f"{path} cannot be read as a bundle: {error}.") from None


class _Verifier:
    def __init__(self, archive: zipfile.ZipFile, known: Known) -> None:
        self._opened, self._known = Opened(archive), known
        self._listing = self._opened.record(bundle.LISTED_BY, Listing)
        self._anchoring = Anchoring(self._opened, self._listing, known)

    def findings(self) -> Iterator[Finding]:
        yield from self._files()
        if missing := {bundle.CUSTODY, bundle.LEAVES, bundle.HEADS} - set(self._opened.names):
            for name in sorted(missing):
                yield Finding(Verdict.REMOVED, name, f"{name} is not in the bundle.")
            return
        leaves = self._leaves()
        lines, wrong = self._lines(leaves)
        yield from self._anchoring.findings(leaves, lines)
        yield from wrong
        for clip in self._listing.clips:
            yield from self._clip(clip, lines)
        own = str(self._listing.export)
        exported = [e for e in lines.values() if e.subject == own and e.action == "exported"]
        if exported:
            yield from self._incident(exported)
        else:
            yield Finding(Verdict.REMOVED, own, "The custody log has no entry of this export.")

    @property
    def stamp(self) -> str | None:
        """What the time stamp says."""
        return self._anchoring.stamp

    @property
    def restored(self) -> list[str]:
        """What is known of restores."""
        return self._anchoring.restored

    def praise(self) -> str:
        """What 'ok' means of this bundle: nobody signed what is in it for reading."""
        proving = {bundle.CUSTODY, bundle.LEAVES, bundle.HEADS}
        for clip in self._listing.clips:
            proving |= {bundle.video_of(clip.clip), bundle.manifest_of(clip.clip)}
        proving.add(incident_file.NAME)
        words = f"Every byte is as it was signed, sealed and {self._anchoring.by}"
        # Of the stamp its own sentence says whether it was checked.
        reading = len(set(self._listing.files) - proving - {bundle.STAMPED, bundle.STAMP})
        return (
            f"{words}, but for {reading} files for reading, which prove nothing." if reading else f"{words}."
        )

    def _files(self) -> Iterator[Finding]:
        """Each listed file is here as it was listed, and no other."""
        listed = self._listing.files
        for name in sorted(set(self._opened.names) - set(listed) - {bundle.LISTED_BY}):
            yield Finding(Verdict.ALTERED, name, f"{name} is in the bundle and not in its list.")
        for name in sorted({name for name in self._opened.names if self._opened.names.count(name) > 1}):
            yield Finding(Verdict.ALTERED, name, f"{name} is in the bundle more than once.")
        for name, file in sorted(listed.items()):
            if name not in self._opened.names:
                yield Finding(Verdict.REMOVED, name, f"{name} is listed and not in the bundle.")
                continue
            found, size = self._opened.hashed[name]
            if size < file.bytes:
                sentence = f"{name} has {size} bytes; {file.bytes} are listed."
                yield Finding(Verdict.TRUNCATED, name, sentence)
            elif found != file.sha256:
                yield Finding(Verdict.ALTERED, name, f"{name} is not as it was listed.")

    def _leaves(self) -> list[bytes]:
        raw = self._opened.read(bundle.LEAVES)
        return [raw[at : at + 32] for at in range(0, len(raw) - 31, 32)]

    def _lines(self, leaves: list[bytes]) -> tuple[dict[int, Entry], list[Finding]]:
        """The entries that stand in the log at the place that they claim, and what is wrong with others."""
        places = {leaf: index for index, leaf in enumerate(leaves)}
        found: dict[int, Entry] = {}
        wrong: list[Finding] = []
        before = -1
        for raw in self._opened.read(bundle.CUSTODY).splitlines():
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
        if video not in self._opened.names or written not in self._opened.names:
            yield Finding(Verdict.REMOVED, subject, "The video or its manifest is not in the bundle.")
            return
        raw = self._opened.read(written)
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
        restored_ms = self._anchoring.restored_ms
        if restored_ms is not None and manifest.started_at.timestamp() * 1000 < restored_ms:
            sentence = (
                "It was recorded before the store was restored from a backup: that it is here is proven, not "
                "that the log has all that was done to it until then."
            )
            yield Finding(Verdict.RESTORED, subject, sentence)

    def _incident(self, exported: Sequence[Entry]) -> Iterator[Finding]:
        """The incident file is the one whose hash the log has, where it has one, and its clips are here."""
        name = incident_file.NAME
        hashes, here = {e.digest for e in exported if e.digest}, name in self._opened.names
        if not hashes and not here:
            return
        if not here:
            sentence = "By the custody log this export has an incident file; it is not in the bundle."
            yield Finding(Verdict.REMOVED, name, sentence)
        elif not hashes:
            yield Finding(Verdict.ALTERED, name, "By the custody log this export has no incident file.")
        elif self._opened.hashed[name][0] not in hashes:
            yield self._other_incident()
        else:
            file = self._opened.record(name, IncidentFile)
            here_too = {clip.clip for clip in self._listing.clips}
            for clip in file.clips:
                if clip.included and clip.clip not in here_too:
                    sentence = "By the incident file it is in this bundle; it is not."
                    yield Finding(Verdict.REMOVED, f"clip {clip.clip}", sentence)
        if hashes and all(e.index >= self._anchoring.covers for e in exported):
            sentence = "No head from outside, of a device or stamped has the log's entry of this export."
            yield Finding(Verdict.UNANCHORED, name, sentence)

    def _other_incident(self) -> Finding:
        try:
            other = incident_file.export_of(self._opened.read(incident_file.NAME))
        except (msgspec.MsgspecError, UnicodeError):
            other = self._listing.export
        if other != self._listing.export:
            sentence = f"By its own words it is that of the export {other}."
            return Finding(Verdict.REPLACED, incident_file.NAME, sentence)
        sentence = "It is not the one that was taken out: the log's entry of this export has another hash."
        return Finding(Verdict.ALTERED, incident_file.NAME, sentence)

    def _video(self, clip: BundledClip, manifest: Manifest, video: str) -> Iterator[Finding]:
        subject = f"clip {clip.clip}"
        if (manifest.clip, manifest.device) != (clip.clip, clip.device):
            yield Finding(Verdict.REPLACED, subject, f"Its manifest is that of the clip {manifest.clip}.")
            return
        found, size = self._opened.hashed[video]
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
            if name in self._opened.names:
                try:
                    found.add(manifests.decode(self._opened.read(name)).footage.sha256)
                except ContractError:
                    continue
        return found


def _words(subject: str, line: CustodyLine, entry: Entry) -> Iterator[Finding]:
    """The words beside an entry are those that it commits to; erased ones are told from changed ones."""
    for part, text, salt, committed in (
        ("actor", line.actor, line.actor_salt, entry.actor),
        ("reason", line.reason, line.reason_salt, entry.reason),
    ):
        if text is None and salt is None:
            continue
        try:
            same = entries.commit(part, bytes.fromhex(salt or ""), text or "") == committed
        except ValueError:
            same = False
        if not same:
            yield Finding(Verdict.ALTERED, subject, f"The {part} of the {subject} is not the one of the log.")


def describe(findings: Sequence[Finding]) -> list[str]:
    """One line for each."""
    return [f"{finding.verdict}: {finding.subject}: {finding.sentence}" for finding in findings]
