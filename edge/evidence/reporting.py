"""Gathers what the papers of a bundle tell; report.py and certificate.py put it on paper."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker import manifest as manifests
from broker.errors import ContractError
from broker.manifest import Manifest
from edge.evidence import certificate, custody, export, incident_file, report, stamps
from edge.evidence.bundle import Anchors, File
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy
from edge.evidence.files import VaultFiles
from edge.evidence.report import Told


def reported(
    conn: sa.Connection,
    store: str,
    title: str,
    files: VaultFiles,
    clips: Sequence[Clip],
    copies: Mapping[str, Copy],
    identity: UUID,
    made_at: datetime,
    incident: bytes | None,
    anchors: Anchors,
    listed: Mapping[str, File],
) -> dict[str, bytes]:
    """The report and the draft of a certificate as files of the bundle: what export.write() takes as `extra`,
    but for the last two arguments."""
    subjects = export.subjects_of(clips, identity, incident)
    entries = [entry for subject in subjects for entry in custody.of_subject(conn, store, subject)]
    told = Told(
        title=title,
        store=store,
        export=identity,
        made_at=made_at,
        clips=clips,
        manifests={clip.id: read for clip in clips if (read := _manifest(files, clip)) is not None},
        entries=sorted(entries, key=lambda entry: entry.index),
        anchors=anchors,
        keys=export.keys_of(anchors, clips),
        copies=copies,
        stamped=stamps.newest(conn, store, anchors.head.size),
        incident=None if incident is None else incident_file.decode(incident),
        files=dict(listed),
    )
    return {report.NAME: report.report(told), certificate.NAME: certificate.draft(told)}


def _manifest(files: VaultFiles, clip: Clip) -> Manifest | None:
    try:
        return manifests.decode(files.sealed(clip.manifest_sha256).read_bytes())
    except (OSError, ContractError):
        return None
