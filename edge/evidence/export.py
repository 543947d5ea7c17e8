"""Writes an export bundle (bundle.py) from the vault's files and the custody log."""

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import msgspec
import sqlalchemy as sa

from edge.errors import EdgeError, Refused
from edge.evidence import bundle, custody, heads, incident_file, restores, stamps
from edge.evidence.bundle import (
    Anchors,
    BundledClip,
    CustodyLine,
    Derived,
    File,
    Listing,
    WitnessedHead,
)
from edge.evidence.clips import SEALED, Clip
from edge.evidence.copies import Copy
from edge.evidence.files import VaultFiles

MOST_CLIPS = 50
_CHUNK = 1024 * 1024
# Videos are compressed already.
_MODE = zipfile.ZIP_STORED


def check(clips: Sequence[Clip]) -> None:
    """EdgeError or Refused, in a sentence, if one of these cannot be exported."""
    if not clips:
        raise EdgeError("Name at least one clip to export.")
    for clip in clips:
        if clip.state != SEALED:
            raise Refused(f"The clip {clip.id} is {clip.state}; only sealed ones can be exported.")
        if clip.key is None:
            raise Refused(f"The clip {clip.id} has no key that it could be checked with.")


def write(
    path: Path,
    conn: sa.Connection,
    store: str,
    files: VaultFiles,
    clips: Sequence[Clip],
    export: UUID,
    made_at: datetime,
    extra: Callable[[Anchors, Mapping[str, File]], Mapping[str, bytes]] | None = None,
    copies: Mapping[str, Copy] | None = None,
    incident: bytes | None = None,
) -> Anchors:
    """The bundle at `path`, whole or not at all; what it is anchored in. The export's own entry is in the
    log, under a signed head.

    `extra` gives files for reading, by name, of what is in it before them; `copies` has the clips' working
    copies, by id; `incident` is incident.json, with which there need not be any clip. EdgeError if a clip
    cannot be exported or no head is signed.
    """
    if clips or incident is None:
        check(clips)
    anchors, log = _anchors(conn, store), custody.log_of(conn, store)
    if anchors is None or log is None:
        raise EdgeError("The custody log has no signed head yet; the vault program signs one.")
    half = path.with_name(f"{path.name}.half")
    listed: dict[str, File] = {}
    with zipfile.ZipFile(half, "w", _MODE) as archive:
        for clip in clips:
            name = UUID(clip.id)
            _add(archive, listed, bundle.video_of(name), files.sealed(clip.sha256))
            _add(archive, listed, bundle.manifest_of(name), files.sealed(clip.manifest_sha256))
            if copies and clip.id in copies:
                _add_copy(archive, listed, name, copies[clip.id])
        if incident is not None:
            _put(archive, listed, incident_file.NAME, incident)
        subjects = subjects_of(clips, export, incident)
        _put(archive, listed, bundle.CUSTODY, _custody(conn, store, subjects))
        leaves = [entry.leaf for entry in custody.between(conn, store, 0, anchors.head.size)]
        _put(archive, listed, bundle.LEAVES, bytes.fromhex("".join(leaves)))
        _put(archive, listed, bundle.HEADS, msgspec.json.encode(anchors))
        if (stamped := stamps.newest(conn, store, anchors.head.size)) is not None:
            _put(archive, listed, bundle.STAMPED, stamped.message)
            _put(archive, listed, bundle.STAMP, stamped.reply)
        for extra_name, content in (extra(anchors, listed) if extra else {}).items():
            _put(archive, listed, extra_name, content)
        listing = Listing(
            format="floorbell-bundle-1",
            export=export,
            store=store,
            log=log.id,
            made_at_ms=int(made_at.timestamp() * 1000),
            clips=[
                BundledClip(UUID(c.id), c.device, c.key or "", c.signature, _trouble(c, copies))
                for c in clips
            ],
            files=listed,
        )
        archive.writestr(bundle.LISTED_BY, msgspec.json.encode(listing))
    with open(half, "rb") as written:
        os.fsync(written.fileno())
    half.replace(path)
    return anchors


def subjects_of(clips: Sequence[Clip], export: UUID, incident: bytes | None) -> list[str]:
    """What custody.jsonl tells of: these clips, those of the incident that are not in the bundle, and the
    export itself."""
    told = incident_file.decode(incident).clips if incident is not None else []
    return list(dict.fromkeys([*(c.id for c in clips), *(str(one.clip) for one in told), str(export)]))


def keys_of(anchors: Anchors, clips: Sequence[Clip]) -> list[str]:
    """Every public key that the bundle is to be verified with: the store's and those of devices."""
    return sorted({anchors.head.key, *(w.key for w in anchors.witnesses), *(c.key for c in clips if c.key)})


def _custody(conn: sa.Connection, store: str, subjects: Sequence[str]) -> bytes:
    found = [entry for subject in subjects for entry in custody.of_subject(conn, store, subject)]
    lines = [
        CustodyLine(e.index, e.entry.decode(), e.actor, e.actor_salt, e.reason, e.reason_salt)
        for e in sorted(found, key=lambda e: e.index)
    ]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _anchors(conn: sa.Connection, store: str) -> Anchors | None:
    head = heads.newest(conn, store)
    if head is None:
        return None
    held = [
        WitnessedHead(w.device, w.size, w.root, w.at_ms, w.key, w.signature, list(w.before))
        for w in heads.witnesses(conn, store)
        if w.root and w.at_ms is not None and w.key and w.signature
    ]
    return Anchors(head, held, restores.of_log(conn, store, head.log))


def _trouble(clip: Clip, copies: Mapping[str, Copy] | None) -> str | None:
    return copies[clip.id].trouble if copies and clip.id in copies else None


def _add_copy(archive: zipfile.ZipFile, listed: dict[str, File], clip: UUID, copy: Copy) -> None:
    master, made_at_ms = bundle.video_of(clip), int(copy.made_at.timestamp() * 1000)
    if copy.working is not None:
        _add(archive, listed, bundle.working_of(clip), copy.working, Derived(master, made_at_ms, copy.by))
    for still in copy.stills:
        shows_ms = round(still.shows_at.timestamp() * 1000)
        name = bundle.thumbnail_of(clip, still.path.name)
        derived = Derived(master, made_at_ms, copy.by, shows_ms, still.trigger)
        _add(archive, listed, name, still.path, derived)


def _add(
    archive: zipfile.ZipFile,
    listed: dict[str, File],
    name: str,
    source: Path,
    derived: Derived | None = None,
) -> None:
    digest, size = sha256(), 0
    try:
        with open(source, "rb") as file, archive.open(name, "w", force_zip64=True) as target:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
    except OSError as error:
        raise EdgeError(f"The vault's file for {name} cannot be read: {error.strerror}.") from None
    listed[name] = File(digest.hexdigest(), size, derived)


def _put(archive: zipfile.ZipFile, listed: dict[str, File], name: str, content: bytes) -> None:
    archive.writestr(name, content)
    listed[name] = File(sha256(content).hexdigest(), len(content))
