"""The camera's own process beside a whole kiosk: a press becomes a clip, through kills of either."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import av
import msgspec
import pytest

from broker import manifest as manifests
from broker.events import ClipLost, ClipRecorded, Greeted
from broker.messages import Capture, Upload
from broker.mosquitto import Broker as RunningBroker
from broker.signing import is_signed, load_signer
from kiosk.camera.clips import Clip, Clips
from kiosk.config import Camera, Config
from tests.rig import film
from tests.system.kiosk_rig import HELP, SECURITY, TILL, FakeServer, RunningKiosk, settings, until

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]
WATCH = 21


@dataclass
class Booth:
    """A kiosk, its camera's process and the store that hears of both."""

    config: Config
    path: Path
    clips: Clips
    server: FakeServer
    kiosk: RunningKiosk
    key: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def watch(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "kiosk", "camera", "--config", str(self.path)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def heartbeat(self, camera: str) -> object:
        return until(lambda: next((h for h in self.server.heartbeats[-1:] if h.camera == camera), None))

    def clip_events(self) -> list[ClipRecorded]:
        return [e.content for e in self.server.of_kind("clip") if isinstance(e.content, ClipRecorded)]

    def hold(self) -> None:
        before = len(self.server.of_kind("security"))
        self.kiosk.press(SECURITY, 0.7)
        until(lambda: len(self.server.of_kind("security")) > before)

    def lamp(self) -> bool:
        return bool(self.kiosk.factory.pin(WATCH).state)


@pytest.fixture
def booth(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    store: Path,
    device: Callable[[str], Path],
    broker: RunningBroker,
) -> Iterator[Booth]:
    """A clip ends 2 s after its press, or as many as a test names."""
    post_s = getattr(request, "param", 2)
    identity = device("kiosk-1")
    film.write(tmp_path / "film.mp4", 4, width=160, height=120, sound=True)
    path = tmp_path / "kiosk.toml"
    path.write_text(
        f'''
        store = "shop"
        device = "kiosk-1"
        zone = "menswear"
        [broker]
        host = "127.0.0.1"
        port = {broker.settings.port}
        identity = "{identity}"
        [outbox]
        directory = "outbox"
        [[button]]
        name = "find"
        pin = 17
        action = "help"
        topic = "find-item"
        [camera]
        source = "film.mp4"
        loop = true
        pre_s = 2
        post_s = {post_s}
        longest_s = 10
        '''
    )
    camera = Camera(
        "film.mp4",
        loop=True,
        pre_s=2,
        post_s=post_s,
        longest_s=10,
        on_help=["till"],
        lamp=WATCH,
        clips="unused",
    )
    config = settings(identity, broker.settings.port, tmp_path / "outbox", camera=camera)
    server = FakeServer(store, broker.settings.port)
    kiosk = RunningKiosk(config)
    booth = Booth(
        config, path, Clips(tmp_path / "clips"), server, kiosk, load_signer(identity / "sign.key").key
    )
    yield booth
    for process in booth.processes:
        process.kill()
        process.wait()
    booth.kiosk.close()
    server.close()


def checked(booth: Booth, clip: Clip) -> manifests.Manifest:
    written = clip.manifest.read_bytes()
    assert is_signed(booth.key, manifests.to_sign(written), clip.signature.read_text())
    manifest = manifests.decode(written)
    assert sha256(clip.video.read_bytes()).hexdigest() == manifest.footage.sha256
    with av.open(str(clip.video)) as container:
        assert [(s.type, s.codec_context.name) for s in container.streams] == [("video", "h264")]
        assert sum(1 for _ in container.decode(video=0)) == len(manifest.footage.frames)
    return manifest


def test_a_press_becomes_a_signed_clip_and_its_event_is_stored_once(booth: Booth) -> None:
    assert not booth.lamp()
    booth.watch()
    booth.heartbeat("ok")
    until(booth.lamp)
    time.sleep(2.5)  # so that there is something to have been there before
    shown = list(booth.kiosk.shown)
    booth.hold()
    content = until(booth.clip_events)[0]
    (security,) = booth.server.of_kind("security")
    assert content.cause == security.id
    (clip,) = booth.clips.all()
    manifest = checked(booth, clip)
    assert manifest.causes == [security.id] and not manifest.interrupted
    assert manifest.footage.treatment == "none"
    assert manifest.footage.frames[-1][0] == pytest.approx(4000, abs=1300)
    assert (manifest.ended_at - manifest.started_at).total_seconds() == pytest.approx(
        manifest.footage.frames[-1][0] / 1000, abs=0.5
    )
    until(lambda: [c.announced for c in booth.clips.all()] == [True])
    assert booth.lamp() and booth.kiosk.shown == shown  # a silent request changes nothing that can be seen
    # Help is filmed only where it is asked for, and the server can ask.
    booth.kiosk.press(HELP)
    until(lambda: booth.server.of_kind("help"))
    cause = uuid4()
    booth.server.command("kiosk-1", Capture(cause))
    booth.server.command("kiosk-1", Upload(content.clip, "https://store/clip", "ticket"))
    until(lambda: len(booth.clip_events()) == 2)
    assert booth.clip_events()[1].cause == cause
    assert len(booth.server.of_kind("clip")) == 2


def test_the_store_asks_for_a_moment_and_gets_its_pictures_or_hears_that_they_are_gone(booth: Booth) -> None:
    booth.watch()
    booth.heartbeat("ok")
    until(booth.lamp)
    time.sleep(3)
    beat, shown = booth.server.heartbeats[-1], list(booth.kiosk.shown)
    wanted, gone = uuid4(), uuid4()
    now_ms = int(time.monotonic() * 1000)
    booth.server.command("kiosk-1", Capture(wanted, beat.boot, now_ms - 1000))
    booth.server.command("kiosk-1", Capture(gone, beat.boot, now_ms - 600_000))
    (lost,) = until(lambda: booth.server.of_kind("lost"))
    assert lost.content == ClipLost("late", None, gone)
    (clip,) = until(booth.clip_events)
    assert clip.cause == wanted
    (footage,) = (checked(booth, one).footage for one in booth.clips.all())
    assert footage.frames[-1][0] == pytest.approx(4000, abs=1300)
    booth.server.command("kiosk-1", Capture(wanted, beat.boot, now_ms - 1000))
    time.sleep(1.5)
    assert len(booth.server.of_kind("lost")) == 1 and len(booth.clip_events()) == 1
    assert booth.lamp() and booth.kiosk.shown == shown, "nothing of it is shown"


# So long a second camera may take to start.
@pytest.mark.parametrize("booth", [8], indirect=True)
def test_a_killed_camera_costs_no_press_and_its_half_clip_is_kept(booth: Booth) -> None:
    first = booth.watch()
    booth.heartbeat("ok")
    time.sleep(1)
    booth.hold()
    until(lambda: booth.clips.parts() and (booth.clips.parts()[0] / "video.mp4").stat().st_size > 5000)
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: not booth.lamp())
    booth.kiosk.press(TILL)
    until(lambda: booth.server.of_kind("help"))
    assert booth.clips.all() == [] and len(booth.clips.parts()) == 1
    booth.watch()
    until(lambda: booth.clips.all()[1:] and not booth.clips.parts())
    until(lambda: len(booth.clip_events()) == len(booth.clips.all()))
    until(lambda: all(clip.announced for clip in booth.clips.all()))
    made = [checked(booth, clip) for clip in booth.clips.all()]
    security, help_ = booth.server.of_kind("security")[0].id, booth.server.of_kind("help")[0].id
    assert made[0].interrupted and [m.interrupted for m in made[1:]] == [False] * (len(made) - 1)
    assert made[0].causes == [security]
    # The rest of what security wanted may be over by then; nothing else is missing and nothing is twice.
    assert help_ in {cause for m in made[1:] for cause in m.causes} <= {security, help_}
    assert len({c.clip for c in booth.clip_events()}) == len(booth.clip_events()) == len(made)


def test_a_clip_that_was_finished_and_not_heard_of_is_announced_with_the_same_id(booth: Booth) -> None:
    process = booth.watch()
    booth.heartbeat("ok")
    booth.hold()
    until(booth.clip_events)
    (event,) = booth.server.of_kind("clip")
    until(lambda: booth.clips.all()[0].announced)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (clip,) = booth.clips.all()
    (clip.folder / "announced").unlink()
    booth.kiosk.close()
    booth.kiosk = RunningKiosk(booth.config)
    booth.watch()
    until(lambda: booth.clips.all()[0].announced)
    assert [e.id for e in booth.server.of_kind("clip")] == [event.id]
    assert json.loads((clip.folder / "event.json").read_bytes())["event"] == str(event.id)


def test_whoever_the_camera_sees_is_greeted_by_the_kiosk(booth: Booth) -> None:
    booth.kiosk.close()
    text = booth.path.read_text().replace('"film.mp4"', '"scene"').replace("loop = true", "frame_rate = 5")
    booth.path.write_text(text)
    seeing = msgspec.structs.replace(booth.config, camera=Camera("scene", name="aisle", greet="in"))
    booth.kiosk = RunningKiosk(seeing)
    booth.watch()
    (greeted,) = until(lambda: booth.server.of_kind("greet"))
    assert greeted.content == Greeted("in", "aisle")
    assert booth.server.of_kind("tamper") == []


def test_a_missing_camera_is_in_the_heartbeat_and_a_second_program_is_sent_away(booth: Booth) -> None:
    (booth.path.parent / "film.mp4").rename(booth.path.parent / "film.away")
    process = booth.watch()
    assert booth.heartbeat("missing").faults  # type: ignore[attr-defined]
    assert not booth.lamp()
    (booth.path.parent / "film.away").rename(booth.path.parent / "film.mp4")
    booth.heartbeat("ok")
    second = booth.watch()
    assert second.wait(20) == 2
    assert second.stderr is not None and "Another" in second.stderr.read()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    booth.heartbeat("absent")
    assert [path.name for path in booth.clips.directory.iterdir()] == [".lock"]


def test_a_kiosk_without_a_camera_says_so_in_one_sentence(booth: Booth) -> None:
    text = booth.path.read_text()
    booth.path.write_text(text[: text.index("[camera]")])
    process = booth.watch()
    assert process.wait(20) == 2
    assert process.stderr is not None
    assert process.stderr.read() == "This kiosk has no camera: kiosk.toml has no [camera].\n"


def test_the_masks_command_writes_a_picture_that_shows_nothing_masked(booth: Booth) -> None:
    with booth.path.open("a") as file:
        file.write("masks = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]\n")
    picture = booth.path.parent / "masks.png"
    command = [sys.executable, "-m", "kiosk", "camera", "masks", "--config", str(booth.path)]
    done = subprocess.run([*command, "--picture", str(picture)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "160 × 120, masks: 1" in done.stdout
    import cv2

    pixels = cv2.imread(str(picture))
    assert pixels[60:116, 8:70].max() < 8 and pixels[60:116, 90:150].mean() > 60
    wrong = subprocess.run([*command, "--picture", "masks.gif"], cwd=ROOT, capture_output=True, text=True)
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and ".jpg" in wrong.stderr
