"""The way from a grant to a clip's bytes, the same for the desk and the API."""

from dataclasses import dataclass

from werkzeug.wrappers import Response

from broker.errors import ContractError
from broker.manifest import MAX_MANIFEST_BYTES
from edge.errors import Refused
from edge.evidence.clips import SEALED, Clip
from edge.evidence.files import VaultFiles
from edge.web import pieces
from edge.web.services import Services

NO_GRANT = "This look is over, or it was somebody else's; open the clip again and say why."


@dataclass(frozen=True)
class Signed:
    """What the sealed manifest says, and whether its device has signed it."""

    valid: bool
    camera: str
    notes: list[str]
    interrupted: bool
    clock_synced: bool | None


def piece_of(room: Services, clip: Clip) -> Response:
    """What this request's Range asks for of the clip's video; the caller has seen a grant."""
    if clip.state != SEALED:
        raise Refused(f"This clip is {clip.state}; only sealed ones can be looked at.")
    return pieces.piece(VaultFiles(room.config.vault_path).sealed(clip.sha256), "video/mp4")


def signed_facts(room: Services, clip: Clip) -> Signed | None:
    """Read anew from the vault; None if the manifest is gone or is none."""
    # Only here: the signatures' library costs memory.
    from broker import manifest as manifests
    from broker.signing import is_signed

    try:
        with open(VaultFiles(room.config.vault_path).sealed(clip.manifest_sha256), "rb") as file:
            written = file.read(MAX_MANIFEST_BYTES + 1)
        read = manifests.decode(written)
    except (OSError, ContractError):
        return None
    valid = clip.key is not None and is_signed(clip.key, manifests.to_sign(written), clip.signature)
    return Signed(valid, read.camera, list(read.notes), read.interrupted, read.clock.synced)
