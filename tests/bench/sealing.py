"""From the end of post-roll to a clip that is whole on the card, and to its seal in the vault, on loopback
and without a limit; each over its floor, measured in turn with it in the same run. No assertions."""

import os
import threading
import time
from hashlib import sha256
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from statistics import median

from broker import manifest as manifests
from deploy.demo.control import Hand
from kiosk.camera.clips import SEALED, Clip, Clips
from tests.bench.clip import film
from tests.rig.kiosk import configure, start, start_camera
from tests.rig.store import Rig, wait_for

DEVICE = "kiosk-1"
CHUNK = 1 << 16
CAMERA = """\
source = "{film}"
loop = true
pre_s = 10
post_s = 2
on_help = ["find-item"]
upload_kib_s = 0
watch = false
"""


def run(directory: Path, clips: int = 20) -> dict[str, float]:
    """The figures; prints them."""
    rig = Rig.make(directory)
    film(directory / "film.mp4", 20)
    configure(rig, DEVICE, camera=CAMERA.format(film=directory / "film.mp4"))
    floor = Floor(directory / "bare")
    took: dict[str, list[float]] = {}
    try:
        rig.start_broker_program()
        rig.start("worker")
        rig.start("vault")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        hand = start(rig, DEVICE)
        start_camera(rig, DEVICE)
        wait_for(lambda: "gives pictures" in rig.log_of(f"{DEVICE}-camera"), "The camera's start", 60)
        time.sleep(12)
        for _ in range(clips):
            clip, found = _one(rig, hand)
            content = clip.video.read_bytes()
            for name, seconds in (
                found | {"bare file": floor.file(content), "bare put": floor.put(content)}
            ).items():
                took.setdefault(name, []).append(seconds * 1000)
    finally:
        floor.close()
        rig.stop()
    figures = {"clip_mb": len(content) / 1e6, "clips": float(clips)}
    for name, values in took.items():
        figures |= {f"{name} median_ms": median(values), f"{name} worst_ms": max(values)}
    for name, bare in (("ready", "bare file"), ("sealed", "bare put")):
        figures[f"{name}_ratio"] = median(took[name]) / median(took[bare])
    _say(figures)
    return figures


def _say(f: dict[str, float]) -> None:
    print(f"{f['clips']:.0f} clips of {f['clip_mb']:.1f} MB; milliseconds after the end of post-roll:")
    for name, bare, what in (
        ("ready", "bare file", "write, hash and fsync of the same bytes"),
        ("sealed", "bare put", "a bare PUT over HTTP and an fsync"),
    ):
        print(
            f"{name:9} {f[f'{name} median_ms']:6.0f}, worst {f[f'{name} worst_ms']:.0f}; {what}: "
            f"{f[f'{bare} median_ms']:.0f}, worst {f[f'{bare} worst_ms']:.0f}; "
            f"{f[f'{name}_ratio']:.1f} times that"
        )
    print(
        f"on its way: told of to the server after {f['told median_ms']:.0f}, ticket after "
        f"{f['ticket median_ms']:.0f}, in the vault after {f['in the vault median_ms']:.0f}"
    )


def _one(rig: Rig, hand: Hand) -> tuple[Clip, dict[str, float]]:
    """A clip, and seconds from the end of its post-roll to each step of its way."""
    card = Clips(rig.directory / "kiosks" / DEVICE / "clips")
    known = {path.name for path in card.directory.iterdir()}
    hand.press("find-item")
    time.sleep(0.1)
    hand.release("find-item")
    time.sleep(1.8)
    while not (new := [p for p in card.directory.iterdir() if p.name not in known and p.name[0] != "."]):
        time.sleep(0.001)
    ready_s = time.time()
    mark = new[0] / SEALED
    wait_for(mark.exists, "The seal", 60)
    hand.press("cancel")
    time.sleep(0.1)
    hand.release("cancel")
    (clip,) = [one for one in card.all() if one.folder == new[0]]
    ended_s = manifests.decode(clip.manifest.read_bytes()).wanted[1].timestamp()
    query = "SELECT announced_at, expires_at, sealed_at FROM clip JOIN ticket ON clip = id WHERE id = :id"
    ((told, expires, sealed),) = rig.read(query, id=str(clip.id))
    at_s = {
        "ready": ready_s,
        "told": told / 1e6,
        "ticket": expires / 1e6 - 600,
        "in the vault": sealed / 1e6,
        "sealed": mark.stat().st_mtime,
    }
    time.sleep(0.37)
    return clip, {name: seconds - ended_s for name, seconds in at_s.items()}


class Floor:
    """The least that could be done with the same bytes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._server = HTTPServer(("127.0.0.1", 0), _keeps_in(folder / "put"))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def file(self, content: bytes) -> float:
        """Seconds to write, hash and sync."""
        begin, digest = time.perf_counter(), sha256()
        with open(self._folder / "file", "wb") as file:
            for at in range(0, len(content), CHUNK):
                digest.update(content[at : at + CHUNK])
                file.write(content[at : at + CHUNK])
            file.flush()
            os.fsync(file.fileno())
        return time.perf_counter() - begin

    def put(self, content: bytes) -> float:
        """Seconds from the connection to an answer that follows the sync."""
        begin = time.perf_counter()
        line = HTTPConnection("127.0.0.1", self._server.server_port)
        line.request("PUT", "/", content)
        line.getresponse().read()
        line.close()
        return time.perf_counter() - begin

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _keeps_in(path: Path) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            left = int(self.headers["Content-Length"])
            with open(path, "wb") as file:
                while left:
                    chunk = self.rfile.read(min(CHUNK, left))
                    file.write(chunk)
                    left -= len(chunk)
                file.flush()
                os.fsync(file.fileno())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Door
