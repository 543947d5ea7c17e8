"""Whether what came is what was told of. Only the vault imports it: the signatures' library costs memory."""

from hashlib import sha256

from broker import manifest as manifests
from broker import signing
from broker.errors import ContractError
from broker.manifest import Manifest
from edge.evidence.clips import Clip


def wrong_with(clip: Clip, written: bytes, video_sha256: str | None = None) -> str | None:
    """Why these manifest bytes, and a video with this hash, are not the clip that was told of; else None."""
    if sha256(written).hexdigest() != clip.manifest_sha256:
        return "The manifest is not the one that was told of."
    if clip.key is None:
        return "The device has no signing key registered here."
    if not signing.is_signed(clip.key, manifests.to_sign(written), clip.signature):
        return "The manifest's signature is not that of the device's key."
    try:
        read = manifests.decode(written)
    except ContractError as error:
        return error.reason
    return _differs(clip, read) or (
        "The video is not the one that the manifest names."
        if video_sha256 is not None and video_sha256 != clip.sha256
        else None
    )


def _differs(clip: Clip, read: Manifest) -> str | None:
    told = (clip.id, clip.device, clip.sha256, clip.bytes, clip.cause)
    found = (
        str(read.clip),
        read.device,
        read.footage.sha256,
        read.footage.bytes,
        str(read.causes[0]),
    )
    return None if told == found else "The manifest speaks of something else than the clip's event."
