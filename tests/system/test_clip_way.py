"""From a press of security to a sealed clip, with every program real; through kills of each of them."""

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from broker import manifest as manifests
from broker.signing import is_signed
from kiosk.camera.clips import Clip, Clips
from tests.faults import clip_way
from tests.rig.kiosk import configure, start, start_camera
from tests.rig.store import Rig, wait_for

pytestmark = pytest.mark.system
SEED = 4


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig.make(tmp_path)
    configure(rig, "kiosk-1", camera=clip_way.camera_toml(tmp_path, limit_kib_s=0))
    rig.start_broker()
    for program in ("worker", "vault"):
        rig.start(program)
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
    yield rig
    rig.stop()


def test_a_press_of_security_ends_in_the_vault_byte_for_byte_and_a_changed_clip_is_kept_aside(
    rig: Rig,
) -> None:
    hand = start(rig, "kiosk-1")
    start_camera(rig, "kiosk-1")
    wait_for(lambda: watches(rig), "The camera's start", 60)
    time.sleep(1.5)

    def hold() -> None:
        hand.press("security")
        time.sleep(0.8)
        hand.release("security")

    hold()
    ((clip_id, digest, manifest_digest, sealed_at),) = wait_for(
        lambda: rig.read("SELECT id, sha256, manifest_sha256, sealed_at FROM clip WHERE state = 'sealed'"),
        "The seal",
        60,
    )
    clip = wait_for(lambda: next((c for c in on_card(rig) if c.sealed), None), "The mark on the card", 30)
    assert str(clip.id) == clip_id
    video, written = sealed(rig, digest), sealed(rig, manifest_digest)
    assert video == clip.video.read_bytes() and sha256(video).hexdigest() == digest
    assert written == clip.manifest.read_bytes()
    ((key, signature),) = rig.read("SELECT signing_key, signature FROM clip JOIN device ON device = name")
    assert is_signed(key, manifests.to_sign(written), signature)
    ((security,),) = rig.read("SELECT id FROM interaction WHERE kind = 'security'")
    assert [str(cause) for cause in manifests.decode(written).causes] == [security]
    assert rig.read("SELECT action, subject, actor FROM custody") == [("sealed", clip_id, "device kiosk-1")]
    print(f"sealed {sealed_at / 1e6 - clip.about.at_ms / 1e3:.2f} s after the end of post-roll")

    # A byte changes on the card while the vault is away.
    rig.kill("vault")
    hold()
    other = wait_for(lambda: next((c for c in on_card(rig) if not c.sealed), None), "The next clip", 60)
    with other.video.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    rig.start("vault")
    ((trouble,),) = wait_for(
        lambda: rig.read("SELECT trouble FROM clip WHERE state = 'mismatched'"), "The mismatch", 90
    )
    assert trouble
    (aside,) = (rig.config.vault_path / "quarantine").glob(f"{other.id}.1.mismatched")
    assert (aside / "video.part").read_bytes() == other.video.read_bytes()
    assert ("mismatched", str(other.id)) in rig.read("SELECT action, subject FROM custody")
    assert other.id in {clip.id for clip in on_card(rig)} and wait_for(
        lambda: [c.refused for c in on_card(rig) if c.id == other.id] == [1], "The note on the card", 30
    )


@pytest.mark.faults
def test_no_clip_is_lost_doubled_or_changed_while_everything_on_its_way_is_killed(tmp_path: Path) -> None:
    outcome = clip_way.run(tmp_path, SEED, clip_way.SHORT)
    print(outcome.figures)
    assert outcome.wrong == []


def watches(rig: Rig) -> bool:
    return '"camera": "ok"' in str(rig.read("SELECT heartbeat FROM device WHERE name = 'kiosk-1'")[0][0])


def on_card(rig: Rig) -> list[Clip]:
    return Clips(rig.directory / "kiosks" / "kiosk-1" / "clips").all()


def sealed(rig: Rig, digest: str) -> bytes:
    return (rig.config.vault_path / "sealed" / digest[:2] / digest).read_bytes()
