"""The clip of a security request: from the press to the vault, out of it again and verified."""

import re
import subprocess
import sys
import time
from collections.abc import Callable

from deploy import provision as making
from deploy.demo import shop
from deploy.demo.control import Hand
from deploy.demo.stage import Stage
from deploy.demo.visitor import Browser, Stream
from deploy.errors import DeployError
from edge.evidence import clips
from edge.evidence.clips import Clip

WATCHES_S = 20.0
# After the end of post-roll: written, announced, fetched, compared.
SEALED_S = 20.0


class ClipSteps:
    """See the module. `say` takes what was seen and the seconds since its cause."""

    def __init__(self, stage: Stage, say: Callable[[str, float], None]) -> None:
        self._stage = stage
        self._say = say
        self._news: Stream | None = None
        self._clip: Clip | None = None

    def begin(self, desk: Browser, hand: Hand) -> None:
        """Before the press: the camera watches, and the desk listens."""
        started_s = time.monotonic()
        while not hand.look().films:
            if time.monotonic() - started_s > WATCHES_S:
                raise DeployError("The camera's lamp is not lit; see the log of its program.")
            time.sleep(0.1)
        self._say("camera's lamp is lit", time.monotonic() - started_s)
        self._news = desk.stream("/manage/stream")

    def sealed(self, request: str, pressed_s: float) -> None:
        """Wait for the clip of this request in the vault."""
        assert self._news is not None
        deadline = pressed_s + shop.POST_S + SEALED_S
        told_s: float | None = None
        while (left := deadline - time.monotonic()) > 0:
            entry = self._news.wait(lambda e: e.what == "clip", left)
            found = self._of(request)
            if entry is None or found is None:
                continue
            if told_s is None:
                told_s = entry.at_s
                self._say(
                    f"desk hears of the clip, {shop.POST_S} s of post-roll included", told_s - pressed_s
                )
            if found.state == clips.SEALED:
                self._clip = found
                self._say("clip is sealed in the vault", entry.at_s - pressed_s)
                self._news.close()
                return
            if found.trouble:
                raise DeployError(f"The clip did not come as it was announced: {found.trouble}")
        raise DeployError("The clip of the security request did not come to the vault.")

    def exported(self) -> None:
        """Export it as `floorbell` does, and verify the bundle with what was said beside it."""
        assert self._clip is not None
        folder = self._stage.directory / "evidence"
        folder.mkdir(exist_ok=True)
        bundle = str(folder / f"{self._clip.id}.zip")
        begun_s = time.monotonic()
        who = ("--by", shop.MANAGER.name, "--reason", "A round of the demo")
        store = ("--config", str(self._stage.config_path), "--clip", self._clip.id)
        told = _run("export", *store, *who, bundle)
        self._say(f"clip of {self._length_s:.1f} s exported", time.monotonic() - begun_s)
        begun_s = time.monotonic()
        known = re.findall(r"^(--\w+) (\S+)$", told, re.MULTILINE)
        verdict = _run("verify", bundle, *(part for pair in known for part in pair))
        self._say(f"bundle verified: {verdict.splitlines()[-1]}", time.monotonic() - begun_s)

    @property
    def _length_s(self) -> float:
        assert self._clip is not None
        return (self._clip.ended_at - self._clip.started_at).total_seconds()

    def _of(self, request: str) -> Clip | None:
        with making.writing(self._stage.config) as conn:
            found = clips.of_cause(conn, shop.STORE, [request])
        return found[0] if found else None


def _run(*arguments: str) -> str:
    """What `floorbell evidence …` says. DeployError with its sentence if it fails."""
    command = [sys.executable, "-m", "deploy.cli", "evidence", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeployError((done.stderr or done.stdout).strip() or f"{' '.join(command)} failed.")
    return done.stdout
