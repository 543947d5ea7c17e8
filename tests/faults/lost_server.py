"""The drill: the server is lost with everything on it, and last night's backup is put back.

Presses and clips before the backup, after it, and while no server is there: in the end every one stands
in the log once, every clip in the vault once, nobody was called for old help, and the kiosks hold its head.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from broker import revocation
from edge.backup import recovery
from edge.backup.recovery import RecoveryKey
from edge.config import load_config
from edge.evidence.findings import Known, Verdict
from edge.evidence.verify import examine
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.clip_way import all_sealed, camera_toml, clip_balance
from tests.faults.ledger import Pressed, balance
from tests.faults.outcome import Outcome
from tests.faults.presser import Presser
from tests.rig.kiosk import start_camera
from tests.rig.store import ROOT, Rig, wait_for

NAME = "lost-server"
PRESSING_S = 12.0
SETTLE_S = 300.0
CEILING_S = 20
POLICY = f'\n[policy.help]\nceiling_s = {CEILING_S}\nsteps = [{{after_s = 0, who = ["best"]}}]\n'
# What of the shop's own files is the server's; kiosks and their identities are elsewhere in a real shop.
SERVERS = ("floorbell.db", "floorbell.db-wal", "floorbell.db-shm", "identity", "vault", "edge.toml")


def run(directory: Path, seed: int) -> Outcome:
    outcome = Outcome(NAME)
    names = ("kiosk-1", "kiosk-2")
    rig = Rig.make(directory / "shop", (*names, "kiosk-3"))
    key, target = RecoveryKey.new(), directory / "backups"
    recovery.install(rig.config.identity_path, key)
    target.mkdir()
    (directory / "key.txt").write_text(str(key))
    rig.configure(lambda text: f'{text}{POLICY}\n[backup]\nto = "{target}"\n')
    camera = camera_toml(rig.directory, limit_kib_s=2000)
    booths = [Booth(rig, name, window_s=2, camera=camera) for name in names]
    pressers = [Presser(booth, f"{seed}-{booth.name}", busy_s=3.0) for booth in booths]
    back: Rig | None = None
    try:
        _start(rig)
        for booth, presser in zip(booths, pressers, strict=True):
            booth.start()
            start_camera(rig, booth.name)
            presser.start()
        time.sleep(PRESSING_S)
        _settled(rig, booths, pressers)
        begin = time.monotonic()
        _floorbell(rig, "backup", "run")
        outcome.add({"backup took": time.monotonic() - begin})
        before = _known(rig)
        _resume(booths, pressers, f"{seed}-after")
        time.sleep(PRESSING_S)
        _floorbell(rig, "device", "revoke", "kiosk-3", "--reason", "Stolen.")
        _settled(rig, booths, pressers)
        lost = _known(rig)
        held = rig.read("SELECT max(size) FROM tree_head")[0][0]
        for program in ("worker", "vault"):
            rig.kill(program)
        rig.kill("broker")
        for name in SERVERS:
            place = rig.directory / name
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        # Nobody is there; and so long that nobody waits with their help any more.
        _resume(booths, pressers, f"{seed}-away")
        time.sleep(4)
        for presser in pressers[-len(booths) :]:
            presser.stop()
        time.sleep(CEILING_S)
        back = _restored(rig, directory, target)
        begin = time.monotonic()
        _start(back)
        wait_for(lambda: _came_back(back, lost), "The replay of the last event", SETTLE_S)
        drained_s = outboxes_empty(booths)
        outcome.add({"everything back after": time.monotonic() - begin, "outboxes empty after": drained_s})
        wait_for(lambda: all_sealed(back, booths), "The last seal", SETTLE_S)
        _resume(booths, pressers, f"{seed}-new")
        time.sleep(PRESSING_S / 2)
        _settled(back, booths, pressers)
        bundles = _verified(back, directory)
    finally:
        rig.stop()
        if back is not None:
            back.stop()
    assert back is not None
    pressed = {booth.name: _all_pressed(pressers, booth) for booth in booths}
    books, clips = balance(back, booths, pressed), clip_balance(back, booths)
    outcome.wrong += books.wrong + clips.wrong
    outcome.add({"events before": len(before), "events lost": len(lost - before)} | books.figures())
    outcome.add({"clips": clips.sealed, "log before the loss": held} | bundles)
    _judge(outcome, back, lost - before)
    return outcome


def _start(rig: Rig) -> None:
    rig.start_broker()
    rig.start("worker")
    rig.start("vault")
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 120)


def _resume(booths: list[Booth], pressers: list[Presser], seed: str) -> None:
    """Somebody else stands before each kiosk."""
    for booth in booths:
        presser = Presser(booth, f"{seed}-{booth.name}", busy_s=3.0)
        pressers.append(presser)
        presser.start()


def _settled(rig: Rig, booths: list[Booth], pressers: list[Presser]) -> None:
    """Nothing more is pressed, all that was is where it belongs, and each kiosk holds the last head."""
    for presser in pressers:
        presser.stop()
    outboxes_empty(booths)
    wait_for(lambda: all_sealed(rig, booths), "The last seal", SETTLE_S)
    outboxes_empty(booths)
    wait_for(lambda: _witnessed(rig), "The kiosks' word on the last head", SETTLE_S)


def _all_pressed(pressers: list[Presser], booth: Booth) -> Pressed:
    books = Pressed()
    for one in (presser.pressed() for presser in pressers if presser.booth is booth):
        books.presses += one.presses
        books.unsure += one.unsure
        books.late += one.late
    return books


def _witnessed(rig: Rig) -> bool:
    """Whether the newest head is over all there is, and both kiosks hold it."""
    size = rig.read("SELECT size FROM custody_log")
    heads = rig.read("SELECT max(size) FROM tree_head")
    held = rig.read("SELECT size FROM witness WHERE size > 0")
    return bool(size) and heads == size and held == size * 2


def _known(rig: Rig) -> set[tuple[str, str]]:
    return {(str(device), str(event)) for device, event in rig.read("SELECT device, id FROM event")}


def _came_back(rig: Rig, lost: set[tuple[str, str]]) -> bool:
    return lost <= _known(rig)


def _restored(rig: Rig, directory: Path, target: Path) -> Rig:
    """The store on another machine: the same address, other files."""
    to = directory / "back"
    said = _run(
        *("backup", "restore", "--from", str(target), "--to", str(to)),
        *("--key-file", str(directory / "key.txt")),
    )
    (directory / "restore.txt").write_text(said)
    return Rig(to, load_config(to / "edge.toml"), rig.people)


def _verified(rig: Rig, directory: Path) -> dict[str, object]:
    """What the verifier says of a bundle of all clips; how many clips are from before the restore."""
    bundle, ids = directory / "bundle.zip", [str(row[0]) for row in rig.read("SELECT id FROM clip")]
    wanted = [word for one in ids for word in ("--clip", one)]
    said = _floorbell(rig, "evidence", "export", *wanted, "--by", "Mira", "--reason", "A drill.", str(bundle))
    keys = [line.split()[1] for line in said.splitlines() if line.startswith("--key")]
    (restored_at,) = rig.read("SELECT restored_at / 1000000 FROM restore")[0]
    old = {
        f"clip {one}"
        for one, began in rig.read("SELECT id, started_at / 1000000 FROM clip")
        if began < restored_at
    }
    examined = examine(bundle, Known(frozenset(keys)))
    restored = {found.subject for found in examined.findings if found.verdict is Verdict.RESTORED}
    others = [found for found in examined.findings if found.verdict is not Verdict.RESTORED]
    assert restored == old and not others, (restored ^ old, others)
    assert any("kiosk-1 had a head" in one.lower() for one in examined.restored), examined.restored
    new = [one for one in ids if f"clip {one}" not in old]
    assert new, "No clip was recorded after the restore."
    one = directory / "new.zip"
    _floorbell(rig, "evidence", "export", "--clip", new[0], "--by", "Mira", "--reason", "A drill.", str(one))
    verdicts = [found.verdict for found in examine(one, Known(frozenset(keys))).findings]
    assert verdicts == [Verdict.OK], verdicts
    return {"clips from before": len(old), "clips since": len(new)}


def _judge(outcome: Outcome, back: Rig, lost: set[tuple[str, str]]) -> None:
    """What must not have happened by the restore."""
    outcome.check(len(lost) > 5, "Too little was lost: this round says nothing.")
    old = back.read(
        "SELECT DISTINCT i.id FROM page p JOIN interaction i ON i.id = p.request, restore r "
        "WHERE i.kind = 'help' AND p.created_at > r.restored_at AND i.raised_at < r.restored_at - :s",
        s=CEILING_S * 1_000_000,
    )
    outcome.check(not old, f"People were called for {len(old)} old requests for help.")
    events = {event for _, event in lost}
    missed = [
        one for (one,) in back.read("SELECT id FROM interaction WHERE state = 'missed'") if one in events
    ]
    outcome.check(not missed, f"{len(missed)} requests that the lost server had are called missed.")
    silent = back.read(
        "SELECT count(*) FROM interaction WHERE kind = 'security' AND NOT drill "
        "AND id NOT IN (SELECT request FROM page)"
    )
    outcome.check(silent == [(0,)], f"{silent[0][0]} security requests called nobody.")
    alarms = back.read("SELECT what, words FROM trouble WHERE what IN ('custody', 'tamper')")
    outcome.check(not alarms, f"Somebody was alarmed: {alarms[:1]}")
    given_up = back.read("SELECT count(*) FROM witness WHERE before IS NOT NULL")
    outcome.check(given_up == [(2,)], "Not both kiosks say what they gave up for the restore.")
    shut = revocation.turned_away(back.config.identity_path)
    outcome.check(shut == {"kiosk-3"}, f"Turned away are {sorted(shut)}; kiosk-3 was revoked.")
    signed_in = back.read("SELECT count(*) FROM session")
    outcome.check(signed_in == [(0,)], "Somebody is still signed in.")


def _floorbell(rig: Rig, *command: str) -> str:
    return _run(*command, "--config", str(rig.directory / "edge.toml"))


def _run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"floorbell {' '.join(command[:2])}: {done.stderr.strip()[-500:]}")
    return done.stdout
