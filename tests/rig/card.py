"""Clips on a kiosk's card that no camera recorded: signed as a recorder's, of any size and age."""

import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from broker import manifest as manifests
from broker.events import ClipRecorded, Clock, new_id
from broker.manifest import Footage, Manifest
from broker.signing import Signer
from kiosk.camera.clips import EVENT, MANIFEST, SIGNATURE, VIDEO, Announcement, Clips
from kiosk.camera.window import Kind
from tests.rig.store import STORE

_PART = 1_000_000


def add(
    clips: Clips, signer: Signer, device: str, size: int, kind: Kind = "help", ago_s: float = 0.0
) -> UUID:
    """A clip of `size` bytes that ended so long ago and was never told of."""
    now = datetime.now(UTC) - timedelta(seconds=ago_s)
    clip, cause, event = (new_id(int(now.timestamp() * 1000)) for _ in range(3))
    folder, digest, left = clips.begin(clip), sha256(), size
    with (folder / VIDEO).open("wb") as file:
        while left:
            part = os.urandom(min(_PART, left))
            digest.update(part)
            file.write(part)
            left -= len(part)
    clock = Clock(True, new_id(0), 0)
    footage = Footage(digest.hexdigest(), size, "h264", 160, 120, [(0, 0)], [0])
    whose = (STORE, device, "shoes", "camera")
    manifest = Manifest(
        "floorbell-clip-1", clip, *whose, [cause], (now, now), now, now, clock, footage, "rig"
    )
    written = manifests.encode(manifest)
    signature = signer.sign(manifests.to_sign(written))
    digests = digest.hexdigest(), sha256(written).hexdigest()
    told = ClipRecorded(clip, cause, now, now, size, *digests, signature, "h264", 160, 120)
    (folder / MANIFEST).write_bytes(written)
    (folder / SIGNATURE).write_text(signature)
    about = Announcement(event, told, ((cause, kind),), clock, int(now.timestamp() * 1000))
    (folder / EVENT).write_bytes(msgspec.json.encode(about))
    clips.finish(folder)
    return clip
