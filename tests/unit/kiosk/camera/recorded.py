"""What a recorder wrote, read and checked as the store would."""

from hashlib import sha256
from pathlib import Path

import av

from broker import manifest as manifests
from broker.manifest import Manifest
from broker.signing import is_signed
from kiosk.camera.clips import Clip
from tests.rig.camera import SIGNER, Trial


def manifest_of(clip: Clip) -> Manifest:
    """Read and checked as the store would."""
    written = clip.manifest.read_bytes()
    assert is_signed(SIGNER.key, manifests.to_sign(written), clip.signature.read_text())
    manifest = manifests.decode(written)
    video = clip.video.read_bytes()
    assert manifest.footage.sha256 == sha256(video).hexdigest() and manifest.footage.bytes == len(video)
    about = clip.about.content
    assert about.manifest_sha256 == sha256(written).hexdigest()
    assert (about.clip, about.sha256, about.bytes) == (manifest.clip, manifest.footage.sha256, len(video))
    assert about.cause == manifest.causes[0] and about.signature == clip.signature.read_text()
    return manifest


def frames_of(clip: Clip) -> list[float]:
    """When each decoded picture is shown, in seconds; every picture of the file can be decoded."""
    with av.open(str(clip.video)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert len(times) == len(manifest_of(clip).footage.frames)
    return times


def length_of(clip: Clip) -> float:
    with av.open(str(clip.video)) as container:
        return (container.duration or 0) / 1_000_000


def halfway(tmp_path: Path) -> tuple[Trial, Path]:
    trial = Trial(tmp_path / "clips")
    trial.pass_s(6)
    trial.press()
    trial.pass_s(2)
    (part,) = trial.clips.parts()
    return trial, part
