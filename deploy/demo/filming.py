"""What the demo's cameras look at: a drawn scene, a video file or a webcam; and whether there can be any."""

import importlib.util
import stat
from dataclasses import dataclass
from pathlib import Path

from deploy.demo import shop
from deploy.errors import DeployError

NEEDED = ("av", "numpy")
_LONGEST = 300  # of a source in kiosk.toml
_DEVICES = Path("/dev")


@dataclass(frozen=True)
class Filming:
    """The source of each kiosk with a camera, as kiosk.toml names it; empty without cameras, and `why`."""

    sources: dict[str, str]
    why: str = ""


def choose(video: Path | None, webcam: int | None) -> Filming:
    """DeployError if what was asked for cannot be filmed."""
    if video is not None and webcam is not None:
        raise DeployError("Choose --video or --webcam; the demo takes one of them.")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        how = f"{' and '.join(missing)} {are} not installed; deploy/bootstrap.sh demo installs all of it"
        if video is not None or webcam is not None:
            raise DeployError(f"There can be no camera: {how}.")
        return Filming({}, f"The cameras are left out: {how}.")
    filmed = [kiosk.name for kiosk in shop.KIOSKS if kiosk.camera]
    sources = dict.fromkeys(filmed, "scene")
    if video is not None:
        sources = dict.fromkeys(filmed, _video(video))
    elif webcam is not None:
        # One program has it at a time; the other kiosk keeps the drawn scene.
        sources[filmed[0]] = _webcam(webcam)
    return Filming(sources)


def _video(path: Path) -> str:
    path = path.absolute()
    if not path.exists():
        raise DeployError(f"There is no video {path}.")
    if not path.is_file():
        raise DeployError(f"{path} is no video file.")
    if len(str(path)) > _LONGEST:
        raise DeployError(f"The path of the video is {len(str(path))} long; allowed are {_LONGEST}.")
    # Only here: a demo without --video has no use for PyAV in this process.
    import av

    try:
        with av.open(str(path)) as opened:
            picture = next(opened.decode(opened.streams.video[0]), None) if opened.streams.video else None
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DeployError(f"{path} is no video that can be shown: {reason[:120].rstrip('.')}.") from None
    if picture is None:
        raise DeployError(f"{path} is no video that can be shown: it holds no pictures.")
    return str(path)


def _webcam(number: int) -> str:
    path = _DEVICES / f"video{number}"
    if path.exists() and stat.S_ISCHR(path.stat().st_mode):
        return str(path)
    there = ", ".join(sorted(str(each) for each in _DEVICES.glob("video*"))) or "none"
    raise DeployError(f"There is no webcam {path}; on this machine there is {there}.")
