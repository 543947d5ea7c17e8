"""A clip's way to the vault on loopback: seconds to the seal, processor time for each 100 MB, and what a
security press notices of it. No assertions."""

import shutil
import statistics
import time
from pathlib import Path
from uuid import UUID

from broker.signing import Signer, load_signer
from kiosk.camera.clips import Clips
from tests.bench.press_to_page import DEVICE, PAGER, Shop
from tests.bench.resting import cpu_s
from tests.faults.clip_way import camera_toml
from tests.rig import card
from tests.rig.kiosk import start_camera
from tests.rig.store import Rig, wait_for

MEGABYTE = 1_000_000
CAMERA = f"{DEVICE}-camera"
FAST_KIB_S = 20_000
BACKLOG, SMALL_BYTES = 2_000, 50_000


def run(directory: Path, presses: int = 30) -> dict[str, float]:
    """The figures; prints them."""
    rig = Rig.make(directory, devices=(DEVICE, PAGER))
    figures: dict[str, float] = {}
    try:
        rig.start_broker_program()
        rig.start("vault")
        shop = Shop(rig, camera_toml(directory, limit_kib_s=0))
        start_camera(rig, DEVICE)
        wait_for(lambda: "gives pictures" in rig.log_of(CAMERA), "The camera's start", 60)
        time.sleep(2)
        figures["seal_s"] = statistics.median(_sealed_after(rig, shop) for _ in range(5))
        figures |= _processor(rig, 100)
        figures["hold_ms"] = _holds(shop, presses)
        for limit_kib_s, megabytes in ((512, 100), (FAST_KIB_S, 600)):
            _limit(rig, limit_kib_s)
            _add(rig, megabytes)
            start_camera(rig, DEVICE)
            wait_for(lambda: _growing(rig), "The upload's start", 60)
            figures[f"hold_{limit_kib_s}_ms"] = _holds(shop, presses)
            print(
                f"at {limit_kib_s} KiB/s the upload went on {'all the time' if _growing(rig) else 'in part'}"
            )
            rig.kill(CAMERA)
            _forget(rig)
        figures |= _draining(rig, shop, presses)
    finally:
        rig.stop()
    print(f"{figures['seal_s']:6.2f} s     from the end of post-roll to the seal")
    print(f"{figures['camera_cpu_s']:6.2f} CPU-s for 100 MB in the camera's program")
    print(f"{figures['vault_cpu_s']:6.2f} CPU-s for 100 MB in the vault")
    print(f"{figures['hold_ms']:6.1f} ms    from the end of a security hold to the page, nothing on its way")
    print(f"{figures['hold_512_ms']:6.1f} ms    while a clip leaves at 512 KiB/s")
    print(f"{figures[f'hold_{FAST_KIB_S}_ms']:6.1f} ms    while a clip leaves at {FAST_KIB_S} KiB/s")
    print(
        f"{figures['hold_told_ms']:6.1f} ms    as {BACKLOG} clips of {SMALL_BYTES // 1000} KB are told of, "
        f"{figures['hold_drain_ms']:.1f} while they are brought without a limit, "
        f"{figures['drain_per_s']:.0f} a second; worst {figures['hold_drain_worst_ms']:.1f}"
    )
    return figures


def _draining(rig: Rig, shop: Shop, presses: int) -> dict[str, float]:
    """After a long outage: the card's clips are told of, asked for and brought, all at once."""
    _limit(rig, 0)
    clips, signer = Clips(_card(rig)), _signer(rig)
    for number in range(BACKLOG):
        card.add(clips, signer, DEVICE, SMALL_BYTES, ago_s=43.0 * (BACKLOG - number))
    before, begin = len(_sealed(rig)), time.monotonic()
    start_camera(rig, DEVICE)
    wait_for(lambda: len(_sealed(rig)) > before, "The drain's start", 60)
    # Kept open all the while it would have been closed by the server.
    shop.igor.phone.close()
    told_s = [shop.hold() for _ in range(presses)]
    wait_for(lambda: rig.read("SELECT count(*) FROM clip")[0][0] >= before + BACKLOG, "The last event", 120)
    shop.igor.phone.close()
    took_s = [shop.hold() for _ in range(presses)]
    left = len(_sealed(rig)) - before
    return {
        "hold_told_ms": 1000 * statistics.median(told_s),
        "hold_drain_ms": 1000 * statistics.median(took_s),
        "hold_drain_worst_ms": 1000 * max(told_s + took_s),
        "drain_per_s": left / (time.monotonic() - begin),
    }


def _holds(shop: Shop, presses: int) -> float:
    """The median in milliseconds."""
    return 1000 * statistics.median(shop.hold() for _ in range(presses))


def _sealed_after(rig: Rig, shop: Shop) -> float:
    before = len(_sealed(rig))
    shop.hold()
    rows = wait_for(lambda: found if len(found := _sealed(rig)) > before else None, "The seal", 60)
    clip = Clips(_card(rig)).find(UUID(rows[-1][0]))
    assert clip is not None
    return rows[-1][1] / 1e6 - clip.about.at_ms / 1e3


def _processor(rig: Rig, megabytes: int) -> dict[str, float]:
    """Both programs without what they need for anything else in the same time."""
    programs = {"camera_cpu_s": CAMERA, "vault_cpu_s": "vault"}
    rig.kill(CAMERA)
    clip = _add(rig, megabytes)
    start_camera(rig, DEVICE)
    wait_for(lambda: rig.log_of(CAMERA).count("gives pictures") > 1, "The camera's start", 60)
    before, begin = {n: cpu_s(rig.processes[p].pid) for n, p in programs.items()}, time.monotonic()
    wait_for(lambda: str(clip) in {row[0] for row in _sealed(rig)}, "The seal", 120)
    after, took_s = {n: cpu_s(rig.processes[p].pid) for n, p in programs.items()}, time.monotonic() - begin
    time.sleep(took_s)
    rest = {n: cpu_s(rig.processes[p].pid) - after[n] for n, p in programs.items()}
    print(f"{megabytes} MB were sealed within {took_s:.1f} s")
    return {n: (after[n] - before[n] - rest[n]) * 100 / megabytes for n in programs}


def _limit(rig: Rig, kib_s: int) -> None:
    path = rig.directory / "kiosks" / DEVICE / "kiosk.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("upload_kib_s")]
    path.write_text("\n".join([*lines, f"upload_kib_s = {kib_s}", ""]))
    if rig.processes[CAMERA].poll() is None:
        rig.kill(CAMERA)


def _growing(rig: Rig) -> bool:
    return any((rig.config.vault_path / "quarantine").glob("*/video.part"))


def _card(rig: Rig) -> Path:
    return rig.directory / "kiosks" / DEVICE / "clips"


def _forget(rig: Rig) -> None:
    for folder in _card(rig).iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)


def _sealed(rig: Rig) -> list[tuple[str, int]]:
    query = "SELECT id, sealed_at FROM clip WHERE sealed_at IS NOT NULL ORDER BY sealed_at"
    return [(str(clip), int(at)) for clip, at in rig.read(query)]


def _add(rig: Rig, megabytes: int) -> UUID:
    """A clip of so many bytes on the card."""
    return card.add(Clips(_card(rig)), _signer(rig), DEVICE, megabytes * MEGABYTE)


def _signer(rig: Rig) -> Signer:
    return load_signer(rig.directory / "devices" / DEVICE / "sign.key")
