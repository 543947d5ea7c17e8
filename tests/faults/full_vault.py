"""The vault's disk without one free byte: uploads are refused in a sentence, nothing sealed is touched,
security goes on; kills while it seals; with room again every clip is sealed once."""

import os
import random
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from kiosk.camera.clips import Clips
from tests.faults.alarms import Alarms
from tests.faults.booth import HELPS, HOLD_S, Booth, Touch, outboxes_empty
from tests.faults.clip_way import all_sealed, camera_toml, card, clip_balance
from tests.faults.disk import Disk, is_root
from tests.faults.outcome import Outcome
from tests.rig.kiosk import start_camera
from tests.rig.store import Rig, wait_for

NAME = "full disk, vault"
SAID = "Clips wait on this kiosk. The vault's disk takes no more: No space left on device."
SLACK_BYTES = 64 * 1024


def run(directory: Path, seed: int, rounds: int = 8) -> Outcome:
    """`rounds` kills while a little room lets a clip grow, or be sealed, or nearly."""
    outcome = Outcome(NAME)
    if not is_root():
        outcome.not_run = True
        return outcome
    chance = random.Random(seed)
    rig = Rig.make(directory)
    disk = Disk(directory, "safe", 48)
    text = f'[vault]\ndirectory = "{disk.at / "vault"}"'
    rig.configure(lambda toml: toml.replace("[vault]", text) + "\n[retention]\nfree_gb = 0\n")
    booth = Booth(rig, "kiosk-1", window_s=1, camera=camera_toml(directory, limit_kib_s=0))
    alarms = Alarms(rig, [booth], f"{seed}", others=())
    try:
        rig.start_broker()
        rig.start("worker")
        rig.start("vault")
        alarms.start()
        booth.start()
        start_camera(rig, "kiosk-1")
        wait_for(lambda: "gives pictures" in rig.log_of("kiosk-1-camera"), "The camera's start", 60)
        time.sleep(1.5)
        touch = booth.touch()
        _hold(touch)
        _record(booth, 1)
        wait_for(lambda: _sealed(rig) == 1, "The first seal", 60)
        before = _files(rig)

        disk.fill()
        late_s = []
        for number in range(4):
            if number % 2:
                touch.press(HELPS[0])
            else:
                late_s.append(_arrives(rig, touch))
            _record(booth, 2 + number)
            touch.press("cancel")
        wait_for(lambda: SAID in _heartbeat(rig), "The sentence for the manager", 60)
        outcome.check(_sealed(rig) == 1, "Something was called sealed on a full disk.")
        outcome.check(_files(rig) == before, "Files of the vault changed on a full disk.")

        seals, met = [], 0
        for _ in range(rounds):
            met += _kill_with_little_room(rig, disk, chance)
            seals.append(_sealed(rig))
        late_s.append(_arrives(rig, touch))
        _record(booth, 6)
        outcome.check(set(_files(rig).items()) >= set(before.items()), "What was sealed before has changed.")

        disk.empty()
        begin = time.monotonic()
        wait_for(lambda: all_sealed(rig, [booth]), "The last seal with room again", 300)
        recovery_s = time.monotonic() - begin
        wait_for(lambda: SAID not in _heartbeat(rig), "The end of the sentence for the manager", 30)
        outboxes_empty([booth])
        books = clip_balance(rig, [booth])
        outcome.wrong += books.wrong
        failed = rig.log_of("vault").count("A request to the vault failed")
        outcome.check(not failed, f"{failed} requests to the vault failed without a sentence.")
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
        disk.unmount()
    outcome.check(met, "No kill met a clip that was growing or being sealed: this round says nothing.")
    outcome.check(books.sealed == 6, f"{books.sealed} clips are sealed; 6 were recorded.")
    outcome.add(
        {
            "clips": books.recorded,
            "sealed": books.sealed,
            "kills": rounds,
            "of them with a clip on its way": met,
        }
    )
    outcome.add({"sealed meanwhile": seals[-1] - 1, "slowest security press to the store": max(late_s)})
    return outcome.add({"last seal after room": recovery_s})


def _kill_with_little_room(rig: Rig, disk: Disk, chance: random.Random) -> bool:
    """Room for a part of a clip, or for just about all of it; kill -9 somewhere after its first byte came.
    Whether quarantine had changed by then. The disk is full again afterwards."""
    filler, here = disk.at / "filler", rig.config.vault_path / "quarantine"
    biggest = max(clip.bytes for clip in Clips(rig.directory / "kiosks" / "kiosk-1" / "clips").all())
    room = chance.choice((biggest // 2, biggest + SLACK_BYTES, biggest + chance.randrange(SLACK_BYTES)))
    os.truncate(filler, max(0, filler.stat().st_size - room))
    before = _growth(here)
    # It asks at once instead of after its pause.
    rig.kill("kiosk-1-camera")
    start_camera(rig, "kiosk-1")
    until_s = time.monotonic() + 12
    while _growth(here) == before and time.monotonic() < until_s:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.06))
    met = _growth(here) != before
    rig.kill("vault")
    disk.fill()
    rig.start("vault")
    return met


def _growth(here: Path) -> list[tuple[str, int]]:
    found = []
    with suppress(FileNotFoundError):
        found = [(str(path), path.stat().st_size) for path in here.rglob("*")]
    return sorted(found)


def _hold(touch: Touch) -> None:
    touch.press("security", HOLD_S + 0.1)


def _arrives(rig: Rig, touch: Touch) -> float:
    """Seconds from the end of a hold to the store's knowledge of it."""
    known = _securities(rig)
    begin = time.monotonic()
    _hold(touch)
    wait_for(lambda: _securities(rig) > known, "A security request's arrival with the vault full", 30)
    return time.monotonic() - begin - HOLD_S


def _securities(rig: Rig) -> int:
    return len(rig.read("SELECT id FROM event WHERE kind = 'security'"))


def _record(booth: Booth, number: int) -> None:
    def whole() -> bool:
        return len(Clips(card(booth)).all()) == number and not Clips(card(booth)).parts()

    wait_for(whole, f"The clip {number} on the card", 30)


def _sealed(rig: Rig) -> int:
    return len(rig.read("SELECT id FROM clip WHERE sealed_at IS NOT NULL"))


def _heartbeat(rig: Rig) -> str:
    return str(rig.read("SELECT heartbeat FROM device WHERE name = 'kiosk-1'")[0][0])


def _files(rig: Rig) -> dict[str, str]:
    """What is sealed, by name, with its SHA-256."""
    sealed = (path for path in (rig.config.vault_path / "sealed").rglob("*") if path.is_file())
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sealed}
