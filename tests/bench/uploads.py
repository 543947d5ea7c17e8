"""Clips on their way while something else is measured: without a limit, as fast as the vault takes
them, and, for root, from one behind a line of its own that its upload fills.

In a shop the processors and disks of kiosks are their own: here they are nice.
"""

import contextlib
import time
from pathlib import Path

from broker.signing import load_signer
from kiosk.camera.clips import Clips
from tests.faults.clip_way import camera_toml
from tests.faults.disk import is_root
from tests.faults.network import Cable
from tests.rig import card, kiosk
from tests.rig.store import Rig, wait_for

FAST = ("kiosk-7", "kiosk-8")
NARROW = "kiosk-9"
MEGABITS = 20
# Enough for the time that is measured; clips of at most half a gigabyte.
FAST_CLIPS, FAST_BYTES = 4, 400_000_000
NARROW_CLIPS, NARROW_BYTES = 6, 100_000_000
_NICE = ("nice", "-n", "15")


class Uploads:
    """`line` is None where nobody may make one. `start` may be called again after `stop`."""

    def __init__(self, directory: Path) -> None:
        self.line = Cable() if is_root() else None
        self._directory = directory
        if self.line is not None:
            self.line.narrow(MEGABITS)

    @property
    def host(self) -> str:
        """Where the store is to be reached."""
        return self.line.store_address if self.line is not None else "127.0.0.1"

    @property
    def devices(self) -> tuple[str, ...]:
        return (*FAST, NARROW) if self.line is not None else FAST

    def configure(self, rig: Rig) -> None:
        """Before anything runs: cards full of clips, and a broker and a vault at the line's end."""
        here = f'host = "{self.host}"'
        rig.configure(lambda toml: toml.replace('host = "127.0.0.1"', here, 2))
        for device in self.devices:
            camera = camera_toml(self._directory, limit_kib_s=0)
            kiosk.configure(rig, device, host=self.host, camera=camera)
            signer = load_signer(rig.directory / "devices" / device / "sign.key")
            clips = Clips(rig.directory / "kiosks" / device / "clips")
            count, size = (NARROW_CLIPS, NARROW_BYTES) if device == NARROW else (FAST_CLIPS, FAST_BYTES)
            for number in range(count):
                card.add(clips, signer, device, size, ago_s=60.0 * (count - number))

    def hand(self, rig: Rig) -> kiosk.Hand | None:
        """Start the panel behind the line."""
        if self.line is None:
            return None
        return kiosk.start(rig, NARROW, prefix=self.line.prefix)

    def start(self, rig: Rig) -> None:
        """Until every device has a clip on its way."""
        for device in FAST:
            kiosk.start(rig, device, prefix=_NICE)
        before = self._brought(rig)
        for device in self.devices:
            way = self.line.prefix if self.line is not None and device == NARROW else ()
            kiosk.start_camera(rig, device, prefix=(*way, *_NICE))
        wait_for(lambda: _all_more(self._brought(rig), before), "The uploads' start", 120)
        self._begun = time.monotonic(), self._brought(rig)

    def told(self, rig: Rig) -> str:
        """How fast they went since the start, in a sentence."""
        begun_s, before = self._begun
        now, took_s = self._brought(rig), time.monotonic() - begun_s
        rates = {device: (now[device] - before[device]) / took_s / 1e6 for device in self.devices}
        left = rig.read("SELECT DISTINCT device FROM clip WHERE sealed_at IS NULL")
        ended = sorted(set(self.devices) - {device for (device,) in left})
        words = ", ".join(f"{device} {rate:.1f}" for device, rate in rates.items())
        return f"uploads in MB/s: {words}" + (f"; {', '.join(ended)} ended early" if ended else "")

    def stop(self, rig: Rig) -> None:
        for device in self.devices:
            rig.kill(f"{device}-camera")
        for device in FAST:
            rig.kill(device)

    def _brought(self, rig: Rig) -> dict[str, int]:
        """Bytes of each device that the vault has, those on their way included."""
        found = dict.fromkeys(self.devices, 0)
        for clip, device, size, sealed in rig.read("SELECT id, device, bytes, sealed_at FROM clip"):
            part = rig.config.vault_path / "quarantine" / str(clip) / "video.part"
            if sealed is not None:
                found[device] += int(size)
            else:
                with contextlib.suppress(FileNotFoundError):
                    found[device] += part.stat().st_size
        return found

    def close(self) -> None:
        """No program may run behind the line any more."""
        if self.line is not None:
            self.line.close()


def _all_more(now: dict[str, int], before: dict[str, int]) -> bool:
    return all(now[device] > before[device] for device in now)
