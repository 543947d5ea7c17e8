"""kill -9 and SIGSTOP at everything between a camera and the vault, while clips are recorded and brought."""

import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from kiosk.camera.clips import Clips
from tests.faults.alarms import Alarms
from tests.faults.booth import Booth, outboxes_empty
from tests.faults.kills import Plan, Saboteur
from tests.faults.ledger import balance
from tests.faults.outcome import Outcome
from tests.faults.presser import Presser
from tests.rig import film
from tests.rig.kiosk import start_camera
from tests.rig.store import Rig, wait_for

NAME = "clip-way"
SETTLE_S = 240.0
LONGEST_S = 60.0
SHORT = Plan(seconds=20.0, kiosks=1, web=False, longest_stop_s=2.0, gap_s=2.0)
# So slow that most faults find a clip on its way.
CAMERA = """\
source = "{film}"
loop = true
pre_s = 1
post_s = 1
longest_s = 10
on_help = ["find-item", "till", "collect", "return"]
upload_kib_s = {limit}
"""


@dataclass
class ClipBooks:
    """What the card holds against what the store heard of and what its vault has."""

    recorded: int = 0
    heard_of: int = 0
    sealed: int = 0
    bytes: int = 0
    wrong: list[str] = field(default_factory=list)


def camera_toml(folder: Path, limit_kib_s: int, seconds: int = 4) -> str:
    """What stands under [camera] for a film that takes about 100 KiB a second."""
    path = folder / "film.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        film.write(path, seconds, width=160, height=120, noise=40)
    return CAMERA.format(film=path, limit=limit_kib_s)


def card(booth: Booth) -> Path:
    """Where the booth's camera keeps its clips; sealed ones stay there for a day."""
    return booth.folder / "clips"


def clip_balance(rig: Rig, booths: list[Booth]) -> ClipBooks:
    """Every clip on a card was told of once and is sealed once, byte for byte; and nothing else is."""
    books = ClipBooks()
    told: dict[str, list[str]] = {}
    for device, payload in rig.read("SELECT device, payload FROM event WHERE kind = 'clip'"):
        told.setdefault(msgspec.json.decode(bytes(payload))["data"]["clip"], []).append(device)
    rows = {row[0]: row[1:] for row in rig.read("SELECT id, device, state, sha256, bytes, trouble FROM clip")}
    custody = [row[0] for row in rig.read("SELECT subject FROM custody WHERE action = 'sealed'")]
    books.heard_of = len(told)
    for clip_id in told.keys() ^ rows.keys():
        books.wrong.append(f"The clip {clip_id} stands in only one of events and register.")
    for clip_id, (_device, state, digest, size, trouble) in rows.items():
        times = (len(told.get(clip_id, ())), custody.count(clip_id))
        if state != "sealed" or times != (1, 1):
            books.wrong.append(
                f"The clip {clip_id} is {state} ({trouble}); told of {times[0]} and sealed {times[1]} times."
            )
            continue
        path = rig.config.vault_path / "sealed" / digest[:2] / digest
        if not path.exists() or sha256(path.read_bytes()).hexdigest() != digest:
            books.wrong.append(f"The clip {clip_id} is called sealed, and its file is not what it says.")
        books.sealed += 1
        books.bytes += size
    for booth in booths:
        clips = Clips(card(booth)).all()
        books.recorded += len(clips)
        for clip in clips:
            row = rows.get(str(clip.id))
            if row is None or row[0] != booth.device:
                books.wrong.append(f"{booth.name}: the clip {clip.id} is on the card alone.")
            elif sha256(clip.video.read_bytes()).hexdigest() != row[2]:
                books.wrong.append(
                    f"{booth.name}: the clip {clip.id} on the card is another than the sealed one."
                )
        if parts := Clips(card(booth)).parts():
            books.wrong.append(f"{booth.name}: {len(parts)} clips were never closed.")
    if books.recorded != books.sealed:
        books.wrong.append(f"{books.recorded} clips are on the cards and {books.sealed} in the vault.")
    left = list((rig.config.vault_path / "quarantine").iterdir())
    if left:
        books.wrong.append(f"{len(left)} folders are left in quarantine: {left[0].name}")
    return books


def all_sealed(rig: Rig, booths: list[Booth]) -> bool:
    """Whether nothing is being recorded, is waiting to be told of, or is on its way."""
    waits = any(
        path.name.startswith(".part-") or (path.is_dir() and not (path / "sealed").exists())
        for booth in booths
        if card(booth).exists()
        for path in card(booth).iterdir()
    )
    return not waits and rig.read("SELECT count(*) FROM clip WHERE sealed_at IS NULL") == [(0,)]


def run(directory: Path, seed: int, plan: Plan) -> Outcome:
    outcome = Outcome(NAME)
    names = tuple(f"kiosk-{n + 1}" for n in range(plan.kiosks))
    rig = Rig.make(directory, names)
    camera = camera_toml(directory, limit_kib_s=96)
    booths = [Booth(rig, name, window_s=2, camera=camera) for name in names]
    pressers = [Presser(booth, f"{seed}-{booth.name}", busy_s=4.0) for booth in booths]
    alarms = Alarms(rig, booths, f"{seed}", gap_s=(4.0, 9.0))
    on_the_way = 0

    def struck() -> None:
        nonlocal on_the_way
        on_the_way += any((rig.config.vault_path / "quarantine").glob("*/video.part"))

    try:
        rig.start_broker()
        rig.start("worker")
        rig.start("vault")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        alarms.start()
        for booth, presser in zip(booths, pressers, strict=True):
            booth.start()
            start_camera(rig, booth.name)
            presser.start()
        others = {f"{name}-camera": (lambda name=name: start_camera(rig, name)) for name in names}
        others["vault"] = lambda: rig.start("vault")
        saboteur = Saboteur(rig, booths, plan, f"{seed}-saboteur", others, struck)
        saboteur.run()
        alarms.quiet()
        for presser in pressers:
            presser.stop()
        drained_s = outboxes_empty(booths)
        begin = time.monotonic()
        wait_for(lambda: all_sealed(rig, booths), "The last seal", SETTLE_S)
        sealed_s = time.monotonic() - begin
        outboxes_empty(booths)
        books = balance(rig, booths, {p.booth.name: p.pressed() for p in pressers})
        alarms.settle(outcome)
    finally:
        alarms.close()
        rig.stop()
    clips = clip_balance(rig, booths)
    outcome.wrong += saboteur.wrong + books.wrong + clips.wrong
    outcome.add({"seconds": f"{plan.seconds:.0f}", "kills": saboteur.kills, "stops": saboteur.stops})
    outcome.add({"at": ", ".join(f"{name} {n}" for name, n in sorted(saboteur.hits.items()))})
    outcome.add({"with a clip on its way": on_the_way, "recorded": clips.recorded, "told of": clips.heard_of})
    outcome.add({"sealed": clips.sealed, "bytes": clips.bytes} | books.figures())
    outcome.add({"outboxes empty after": drained_s, "last seal after": sealed_s})
    outcome.check(clips.sealed, "Nothing was recorded: this round says nothing.")
    outcome.check(on_the_way, "No fault found a clip on its way: this round says nothing.")
    return outcome
