"""A sealed clip on a shelf: its files in a vault's folder, and its row, without a store around it."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from broker import manifest as manifests
from broker.events import Clock, new_id
from broker.manifest import Footage, Manifest
from edge.evidence.clips import SEALED, Clip
from edge.evidence.files import VaultFiles

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)


def put(
    files: VaultFiles,
    video: bytes,
    seconds: float,
    *,
    rate: int = 10,
    trigger_ms: int = 500,
    written: bytes = b"",
) -> Clip:
    """`written` stands for its manifest, which else tells of `rate` pictures a second for `seconds`."""
    clip, ended = new_id(START_MS), START + timedelta(seconds=seconds)
    times = [n * 1000 // rate for n in range(max(1, int(seconds * rate)))]
    digest = sha256(video).hexdigest()
    footage = Footage(digest, len(video), "h264", 640, 360, [(t, t) for t in times], [0])
    written = written or manifests.encode(
        Manifest(
            format="floorbell-clip-1", clip=clip, store="shop", device="kiosk-1", zone="shoes",
            camera="front", causes=[new_id(START_MS + trigger_ms)], wanted=(START, ended),
            started_at=START, ended_at=ended,
            clock=Clock(True, UUID(int=1), 5), footage=footage, recorder="test",
        )
    )  # fmt: skip
    for content in (video, written):
        place = files.sealed(sha256(content).hexdigest())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return Clip(
        id=str(clip), device="kiosk-1", zone="shoes", event="", cause="", state=SEALED, kept_as="security",
        silent=True, drill=False, started_at=START, ended_at=ended, bytes=len(video), sha256=digest,
        manifest_sha256=sha256(written).hexdigest(), signature="", key=None, codec="h264", width=640,
        height=360, announced_at=START, sealed_at=START, keep_until=None, purged_at=None, trouble=None,
        lost_at=None, clock_synced=True, clock_behind_ms=None, clock_heard_at=None,
    )  # fmt: skip


def folder(path: Path) -> VaultFiles:
    return VaultFiles(path / "vault")
