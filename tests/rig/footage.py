"""Clips in a store's register and its vault without a kiosk or a vault program: sealed as those would."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import manifest as manifests
from broker.events import ClipRecorded, Clock, Event, new_id
from broker.manifest import Footage, Manifest
from broker.signing import Signer
from edge.db.store_tables import device
from edge.evidence import clips
from edge.evidence.files import VaultFiles
from edge.handling import evidence
from edge.handling.telling import Telling
from edge.retention import Retention
from edge.vault.bundles import Bundles
from edge.web.services import Services

CAMERA, STORE_KEY = Signer(Ed25519PrivateKey.generate()), Signer(Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Shot:
    """What a kiosk's camera has recorded."""

    store: str
    device: str
    zone: str
    cause: str
    started_at: datetime
    video: bytes
    seconds: float = 10
    width: int = 640
    height: int = 360


def make_bundles(room: Services) -> None:
    """What the vault's thread does with the exports that wait."""
    files = VaultFiles(room.config.vault_path)
    Bundles(
        room.store, room.config.title, STORE_KEY, room.writer, room.read, files, room.clock, lambda: None
    ).make()


def announce(conn: sa.Connection, shot: Shot, now: datetime, signer: Signer = CAMERA) -> tuple[str, bytes]:
    """The kiosk tells of it; the clip's id and its manifest."""
    d, clip = device.c, new_id(int(shot.started_at.timestamp() * 1000))
    known = d.store == shot.store, d.name == shot.device
    conn.execute(sa.update(device).where(*known).values(signing_key=signer.key))
    ended = shot.started_at + timedelta(seconds=shot.seconds)
    digest, size = sha256(shot.video).hexdigest(), len(shot.video)
    written = manifests.encode(
        Manifest(
            format="floorbell-clip-1", clip=clip, store=shot.store, device=shot.device, zone=shot.zone,
            camera="front", causes=[UUID(shot.cause)], wanted=(shot.started_at, ended),
            started_at=shot.started_at, ended_at=ended, clock=Clock(True, UUID(int=1), 5),
            footage=Footage(digest, size, "h264", shot.width, shot.height, [(0, 0)], [0]), recorder="test",
        )
    )  # fmt: skip
    content = ClipRecorded(
        clip=clip, cause=UUID(shot.cause), started_at=shot.started_at, ended_at=ended, bytes=size,
        sha256=digest, manifest_sha256=sha256(written).hexdigest(),
        signature=signer.sign(manifests.to_sign(written)), codec="h264", width=shot.width,
        height=shot.height,
    )  # fmt: skip
    told = Event(shot.store, shot.device, new_id(2), "clip", content, None, None, now, None, False, b"")
    telling = Telling(shot.store)
    evidence.announce(conn, telling, told, content, shot.zone, now)
    telling.flush(conn, now)
    return str(clip), written


def seal(conn: sa.Connection, vault: Path, shot: Shot, now: datetime, signer: Signer = CAMERA) -> str:
    """It is told of, comes, is compared and sealed; its id."""
    clip, written = announce(conn, shot, now, signer)
    found = clips.find(conn, shot.store, clip)
    assert found is not None
    files, telling = VaultFiles(vault), Telling(shot.store)
    files.keep_manifest(UUID(clip), written)
    growing = files.grow(UUID(clip), found.bytes)
    growing.append(shot.video)
    growing.close()
    files.seal(UUID(clip), found.sha256, found.manifest_sha256)
    files.leave(UUID(clip))
    evidence.seal(conn, telling, shot.store, found, Retention(), now)
    telling.flush(conn, now)
    return clip
