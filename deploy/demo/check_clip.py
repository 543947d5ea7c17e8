"""The clip of a security request: from the press to the desk's player, out of the vault and verified."""

import html
import re
import subprocess
import sys
import time
from collections.abc import Callable

from deploy.demo import shop
from deploy.demo.control import Hand
from deploy.demo.stage import Stage
from deploy.demo.visitor import Browser, Stream
from deploy.errors import DeployError

WATCHES_S = 20.0
# After the end of post-roll: written, announced, fetched, compared.
SEALED_S = 20.0
REASON = "A round of the demo"


class ClipSteps:
    """See the module. `say` takes what was seen and the seconds since its cause."""

    def __init__(self, stage: Stage, desk: Browser, say: Callable[[str, float], None]) -> None:
        self._stage = stage
        self._desk = desk
        self._say = say
        self._news: Stream | None = None

    def begin(self, hand: Hand) -> None:
        """Before the press: the camera watches, and the desk listens."""
        started_s = time.monotonic()
        while not hand.look().films:
            if time.monotonic() - started_s > WATCHES_S:
                raise DeployError("The camera's lamp is not lit; see the log of its program.")
            time.sleep(0.1)
        self._say("camera's lamp is lit", time.monotonic() - started_s)
        self._news = self._desk.stream("/manage/stream")

    def play(self, request: str, pressed_s: float) -> None:
        """From the clip's coming to its export and proof."""
        clip = self._sealed(request, pressed_s)
        self._looked_at(clip, pressed_s)
        self._exported(clip)

    def _sealed(self, request: str, pressed_s: float) -> str:
        """The clip that the desk shows with this request, once it is sealed."""
        assert self._news is not None
        deadline = pressed_s + shop.POST_S + SEALED_S
        told_s: float | None = None
        while (left := deadline - time.monotonic()) > 0:
            entry = self._news.wait(lambda e: e.what == "clip", left)
            if entry is None:
                break
            clip = str(entry.body["clip"])
            story = self._desk.get(f"/manage/log/{request}")
            if f"/manage/evidence/{clip}" not in story:
                continue  # another kiosk's
            if told_s is None:
                told_s = entry.at_s
                self._say(
                    f"desk hears of the clip, {shop.POST_S} s of post-roll included", told_s - pressed_s
                )
            if "clip-sealed" in story:
                self._news.close()
                self._say("clip is sealed, and stands with its request", entry.at_s - pressed_s)
                return clip
        raise DeployError("The clip of the security request did not come to the vault.")

    def _looked_at(self, clip: str, pressed_s: float) -> None:
        """As at the desk: a reason first, then pictures."""
        path = f"/manage/evidence/{clip}"
        page = self._desk.post(f"{path}/view", self._desk.get(path), {"reason": REASON})
        video = re.search(r'<video [^>]*src="([^"]+)"', page)
        if video is None:
            raise DeployError("This was not seen: the player, after a reason for looking.")
        if self._desk.read(html.unescape(video[1]))[4:8] != b"ftyp":
            raise DeployError("This was not seen: a video in the player.")
        self._say("clip is in the desk's player", time.monotonic() - pressed_s)

    def _exported(self, clip: str) -> None:
        """As `floorbell` does, and verified with what was said beside it."""
        folder = self._stage.directory / "evidence"
        folder.mkdir(exist_ok=True)
        bundle = str(folder / f"{clip}.zip")
        begun_s = time.monotonic()
        who = ("--by", shop.MANAGER.name, "--reason", REASON)
        told = _run("export", "--config", str(self._stage.config_path), "--clip", clip, *who, bundle)
        self._say("clip exported by floorbell evidence export", time.monotonic() - begun_s)
        begun_s = time.monotonic()
        known = re.findall(r"^(--\w+) (\S+)$", told, re.MULTILINE)
        verdict = _run("verify", bundle, *(part for pair in known for part in pair))
        self._say(f"bundle verified: {verdict.partition(':')[0]}", time.monotonic() - begun_s)


def _run(*arguments: str) -> str:
    """What `floorbell evidence …` says. DeployError with its sentence if it fails."""
    command = [sys.executable, "-m", "deploy.cli", "evidence", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeployError((done.stderr or done.stdout).strip() or f"{' '.join(command)} failed.")
    return done.stdout
