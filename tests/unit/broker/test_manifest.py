"""What a device signs of a clip, and what nobody may change in it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import manifest, signing
from broker.errors import ContractError, IdentityError
from broker.events import Clock
from broker.identity import make_request
from broker.manifest import MAX_MANIFEST_BYTES, Footage, Manifest

START = datetime(2026, 3, 4, 10, 16, 30, tzinfo=UTC)
MANIFEST = Manifest(
    format="floorbell-clip-1",
    clip=UUID(int=7),
    store="riverside",
    device="tills-1",
    zone="tills",
    camera="front",
    causes=[UUID(int=8)],
    wanted=(START, START + timedelta(seconds=40)),
    started_at=START,
    ended_at=START + timedelta(seconds=40),
    clock=Clock(True, UUID(int=9), 1000),
    footage=Footage("a" * 64, 1234, "h264", 1280, 720, [(0, 0), (33, 34)], [0]),
    recorder="floorbell 0.1.0",
)


def test_a_manifest_comes_back_as_it_was_written():
    assert manifest.decode(manifest.encode(MANIFEST)) == MANIFEST


def test_a_signature_holds_for_these_bytes_and_no_others():
    signer = signing.Signer(Ed25519PrivateKey.generate())
    written = manifest.encode(MANIFEST)
    signature = signer.sign(manifest.to_sign(written))
    assert signing.is_signed(signer.key, manifest.to_sign(written), signature)
    for at in range(0, len(written), 7):
        bent = written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :]
        assert not signing.is_signed(signer.key, manifest.to_sign(bent), signature)
    other = signing.Signer(Ed25519PrivateKey.generate())
    assert not signing.is_signed(other.key, manifest.to_sign(written), signature)


@pytest.mark.parametrize(
    ("key", "signature"), [("", ""), ("zz", "00"), ("00" * 32, "no"), ("ab" * 31, "00" * 64)]
)
def test_what_is_no_key_and_no_signature_signs_nothing(key, signature):
    assert not signing.is_signed(key, b"anything", signature)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"", "truncated"),
        (b"{}", "format"),
        (b'{"format":"floorbell-clip-9"}', "floorbell-clip-9"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 10_000, "got `array`"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "allowed are"),
    ],
)
def test_what_is_no_manifest_is_refused_in_a_sentence(written, says):
    with pytest.raises(ContractError, match=rf"(?i)The manifest .*{says}"):
        manifest.decode(written)


def test_a_clip_without_frames_has_no_manifest():
    bare = msgspec.json.decode(manifest.encode(MANIFEST))
    bare["footage"]["frames"] = []
    with pytest.raises(ContractError, match="frames"):
        manifest.decode(msgspec.json.encode(bare))


def test_the_key_on_disk_signs_and_anything_else_is_refused(tmp_path):
    make_request(tmp_path, "tills-1")
    signer = signing.load_signer(tmp_path / "sign.key")
    assert signing.is_signed(signer.key, b"head", signer.sign(b"head"))
    with pytest.raises(IdentityError, match="must be Ed25519"):
        signing.load_signer(tmp_path / "tls.key")
    with pytest.raises(IdentityError, match="no usable signing key"):
        signing.load_signer(tmp_path / "missing.key")
