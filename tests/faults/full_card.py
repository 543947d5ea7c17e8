"""A day without the store: a card that is full of clips which wait. Scaled: 2,000 clips as on a card of
10 GB, each of 50 KB instead of 5 MB, and the card's limit with them.

The limit holds; the oldest clips of no security request go, those of security requests never; the manager is
told what went; the store takes the rest in afterwards, and a security request does not wait for it.
"""

import time
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from broker.signing import load_signer
from kiosk.camera.clips import Clip, Clips
from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, outboxes_empty
from tests.faults.clip_way import camera_toml, card
from tests.faults.outcome import Outcome
from tests.rig import card as cards
from tests.rig.kiosk import start_camera
from tests.rig.store import Rig, wait_for

NAME = "full card"
DAY_S = 86_400.0
CLIP_BYTES = 50_000
SECURITY_EVERY = 20
PRESSES = 6
HOLDS = 10


def run(directory: Path, seed: int, clips: int = 2_000) -> Outcome:
    """`seed` changes nothing here."""
    outcome = Outcome(NAME)
    rig = Rig.make(directory)
    # What a filled card of this size is called in the configuration: no less than ten.
    limit_mb = max(10, clips * CLIP_BYTES // 1_000_000)
    camera = camera_toml(directory, limit_kib_s=0) + f"clips_mb = {limit_mb}\nfree_mb = 10\n"
    booth = Booth(rig, "kiosk-1", window_s=1, camera=camera)
    kept = Clips(card(booth))
    signer = load_signer(rig.directory / "devices" / "kiosk-1" / "sign.key")
    held: list[tuple[UUID, bool]] = []
    for number in range(clips):
        spared = number % SECURITY_EVERY == 0
        ago_s = DAY_S * (1 - number / clips)
        kind = "security" if spared else "help"
        held.append((cards.add(kept, signer, "kiosk-1", CLIP_BYTES, kind, ago_s), spared))
    alarms = Alarms(rig, [booth], f"{seed}", others=())
    try:
        # Nothing of the store runs.
        booth.start()
        start_camera(rig, "kiosk-1")
        wait_for(lambda: "gives pictures" in rig.log_of("kiosk-1-camera"), "The camera's start", 60)
        wait_for(lambda: booth.waiting() >= clips, "The last clip's event in the outbox", 300)
        touch = booth.touch()
        most_mb = 0.0
        for number in range(PRESSES):
            touch.press(*(("security", HOLD_S + 0.1) if number % 2 else (HELPS[0],)))
            _recorded(kept, {clip for clip, _ in held}, number + 1)
            touch.press("cancel")
            most_mb = max(most_mb, sum(clip.bytes for clip in kept.all()) / 1e6)
        outcome.check(most_mb <= limit_mb, f"The card held {most_mb:.1f} MB; {limit_mb} are allowed.")
        here = {clip.id for clip in kept.all()}
        gone = [(clip, spared) for clip, spared in held if clip not in here]
        routine = [clip for clip, spared in held if not spared]
        outcome.check(gone, "Nothing had to go: this round says nothing.")
        outcome.check(not any(spared for _, spared in gone), "A clip of a security request left the card.")
        outcome.check([clip for clip, _ in gone] == routine[: len(gone)], "Not the oldest clips went.")

        rig.start_broker()
        # Before the worker: what was held in the outage is paged as soon as it is there.
        alarms.start()
        rig.start("worker")
        rig.start("vault")
        begin = time.monotonic()
        wait_for(lambda: _sealed(rig) > 0, "The first seal", 120)
        late_s = []
        for _ in range(HOLDS):
            known = _securities(rig)
            pressed_s = time.monotonic()
            touch.press("security", HOLD_S + 0.1)
            wait_for(lambda: _securities(rig) > known, "A security request beside the drain", 30)  # noqa: B023
            late_s.append(time.monotonic() - pressed_s - HOLD_S - 0.1)
            touch.press("cancel")
        beside = _sealed(rig)
        wait_for(lambda: "The card was full" in _heartbeat(rig), "The sentence for the manager", 30)
        wait_for(lambda: _drained(rig, kept), "The last seal", 400)
        drained_s = time.monotonic() - begin
        outboxes_empty([booth])
        outcome.wrong += _compare(rig, kept.all())
        states = dict(rig.read("SELECT id, state FROM clip"))
        lost = [clip for clip, spared in held if states.get(str(clip)) == "gone" and not spared]
        left = len(held) - len(lost) - sum(states.get(str(clip)) == "sealed" for clip, _ in held)
        outcome.check(not left, f"{left} clips are neither in the vault nor known to have gone.")
        outcome.check({clip for clip, _ in gone} <= set(lost), "What went is not what the store knows of.")
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    outcome.add({"clips": clips, "MB": limit_mb, "most MB": f"{most_mb:.1f}", "went": len(gone)})
    outcome.add({"and beside the drain": len(lost) - len(gone), "of security requests went": 0})
    outcome.add({"sealed": _sealed(rig), "drained": drained_s, "sealed beside the holds": beside})
    return outcome.add({"slowest of 10 holds to the store": max(late_s)})


def _recorded(kept: Clips, before: set[UUID], number: int) -> None:
    """Wait until so many clips were recorded since the beginning."""

    def whole() -> bool:
        names = {path.name for path in kept.directory.iterdir() if path.name[0] != "."}
        return len(names - {str(clip) for clip in before}) >= number and not kept.parts()

    wait_for(whole, f"The clip {number} of the outage", 60)


def _drained(rig: Rig, kept: Clips) -> bool:
    """Whether nothing is being recorded and all that the card holds has been sealed."""
    if kept.parts() or not all(clip.sealed for clip in kept.all()):
        time.sleep(0.5)
        return False
    return True


def _compare(rig: Rig, clips: list[Clip]) -> list[str]:
    """What is on the card is sealed once, byte for byte."""
    rows = {row[0]: row[1:] for row in rig.read("SELECT id, state, sha256 FROM clip")}
    custody = [row[0] for row in rig.read("SELECT subject FROM custody WHERE action = 'sealed'")]
    wrong = [] if len(custody) == len(set(custody)) else ["A clip was sealed twice."]
    for clip in clips:
        state, digest = rows.get(str(clip.id), ("unknown", ""))
        path = rig.config.vault_path / "sealed" / digest[:2] / digest
        if state != "sealed" or sha256(path.read_bytes()).hexdigest() != clip.about.content.sha256:
            wrong.append(f"The clip {clip.id} is {state}, or its file is not what it says.")
    return wrong


def _sealed(rig: Rig) -> int:
    return int(rig.read("SELECT count(*) FROM clip WHERE sealed_at IS NOT NULL")[0][0])


def _securities(rig: Rig) -> int:
    return int(rig.read("SELECT count(*) FROM event WHERE kind = 'security'")[0][0])


def _heartbeat(rig: Rig) -> str:
    return str(rig.read("SELECT heartbeat FROM device WHERE name = 'kiosk-1'")[0][0])
