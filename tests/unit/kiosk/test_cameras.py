"""What the panel tells its camera and believes of it."""

import subprocess
import sys
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any
from uuid import UUID

import msgspec

from broker.events import ClipLost, ClipRecorded, Clock, Greeted, HelpRequested, SecurityRequested, Tampered
from broker.messages import Capture, Upload
from kiosk.camera.clips import Announcement
from kiosk.camera.losses import Loss
from kiosk.camera.messages import CameraReport, Orders
from kiosk.cameras import GRACE_S, HUNG_S, Watch
from kiosk.clock import Clocks
from kiosk.config import Camera
from kiosk.jobs import Job, Save, Saved
from kiosk.outbox import unnumbered
from kiosk.panel import CameraNews, Panel
from kiosk.screen.messages import Filming, View
from tests.unit.kiosk.test_screens import EXAMPLE, StillPins, StillPlayer

CAMERA = Camera("scene", post_s=60, on_help=["till"], lamp=21)
OK = CameraReport("ok", True)


def clip(number: int) -> Announcement:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    content = ClipRecorded(UUID(int=number), UUID(int=5), at, at, 9, "0" * 64, "0" * 64, "s", "h264", 64, 48)
    clock = Clock(True, UUID(int=9), 90_000)
    return Announcement(UUID(int=100 + number), content, ((UUID(int=5), "security"),), clock, 1)


class LitPins(StillPins):
    def __init__(self) -> None:
        super().__init__()
        self.lit: list[bool] = []

    def watch(self, on: bool) -> None:
        self.lit.append(on)


class Booth:
    """A panel with a camera, without threads; its clock is the test's."""

    def __init__(self, camera: Camera = CAMERA) -> None:
        self.now_s = 1000.0
        self.jobs: list[Job] = []
        self.orders: list[Orders] = []
        self.views: list[View] = []
        unused: Any = SimpleQueue()
        self.panel = Panel(
            msgspec.structs.replace(EXAMPLE, camera=camera),
            Clocks(UUID(int=9), lambda: self.now_s),
            self.jobs.append,
            unused,
            screens=self.views.append,
            cameras=self.orders.append,
        )
        self.pins = LitPins()
        self.panel.begin(self.pins, StillPlayer())  # type: ignore[arg-type]

    def do(self, item: Any = None, later_s: float = 0.0) -> None:
        self.now_s += later_s
        self.panel.put(item)
        self.panel.turn(0.001)

    def press(self, button: str, held_s: float = 0.0) -> None:
        for down in (True, False):
            (self.pins.down.add if down else self.pins.down.discard)(button)
            self.panel.edge(button, down, self.now_s)
            self.do()
            self.do(later_s=held_s if down else 0.0)

    @property
    def saved(self) -> list[Any]:
        return [job.event for job in self.jobs if isinstance(job, Save)]

    @property
    def causes(self) -> list[tuple[UUID, str]]:
        return [(h.cause, h.kind) for h in self.orders[-1].happened] if self.orders else []


def test_the_camera_is_told_of_security_of_the_chosen_topics_and_of_what_the_store_asks() -> None:
    booth = Booth()
    booth.press("find-item")
    assert booth.orders == []
    booth.press("cancel")
    booth.press("security", held_s=2)
    booth.press("till")
    booth.do(Capture(UUID(int=3)))
    security = next(e.id for e in booth.saved if isinstance(e.content, SecurityRequested))
    till = next(
        e.id for e in booth.saved if isinstance(e.content, HelpRequested) and e.content.topic == "till"
    )
    assert booth.causes == [(security, "security"), (till, "help"), (UUID(int=3), "capture")]


def test_what_the_store_asks_for_is_of_the_time_that_it_wants_and_shows_nothing() -> None:
    booth = Booth()
    booth.do(CameraNews(OK))
    views, lit = len(booth.views), list(booth.pins.lit)
    booth.do(Capture(UUID(int=3), UUID(int=9), 995_500))
    booth.do(Capture(UUID(int=4), UUID(int=9), 2_000_000))
    booth.do(Capture(UUID(int=5), UUID(int=8), 995_500))
    assert [(h.cause, h.at_ms) for h in booth.orders[-1].happened] == [
        (UUID(int=3), 995_500),
        (UUID(int=4), 1_000_000),
    ], "a time to come is now, and one of another run of the clock is asked for again"
    assert len(booth.views) == views and booth.pins.lit == lit and booth.saved == []


def test_what_is_asked_for_late_is_told_once_more_and_the_camera_answers() -> None:
    booth = Booth()
    booth.do(Capture(UUID(int=3), UUID(int=9), 100_000))
    assert [h.at_ms for h in booth.orders[-1].happened] == [100_000]
    loss = Loss(UUID(int=70), ClipLost("late", None, UUID(int=3)), Clock(True, UUID(int=9), 1_000_000), 5)
    report = msgspec.structs.replace(OK, lost=[loss])
    booth.do(CameraNews(report))
    booth.do(CameraNews(report))
    (event,) = booth.saved
    assert (event.id, event.content) == (loss.event, loss.content)
    booth.do(Saved(unnumbered(event)))
    assert booth.orders[-1].stored == [loss.event]


def test_what_happened_is_told_until_its_time_is_over() -> None:
    watch = Watch(CAMERA, 0.0)
    watch.happened(UUID(int=1), "security", 100.0)
    watch.happened(UUID(int=1), "security", 150.0)
    assert [h.at_ms for h in watch.orders(100 + 60 + GRACE_S).happened] == [100_000]
    assert watch.orders(101 + 60 + GRACE_S).happened == []


def test_a_clip_is_stored_once_however_often_it_is_announced_and_the_camera_hears_of_it() -> None:
    booth = Booth()
    report = msgspec.structs.replace(OK, finished=[clip(1)])
    for _ in range(3):
        booth.do(CameraNews(report), later_s=1)
    booth.do(CameraNews(None))
    booth.do(CameraNews(report))
    (event,) = booth.saved
    assert event.id == UUID(int=101) and event.content == clip(1).content
    assert event.stamp.clock.monotonic_ms == 90_000
    assert booth.orders == []
    booth.do(Saved(unnumbered(event)))
    assert booth.orders[-1].stored == [UUID(int=101)]
    booth.do(CameraNews(report))
    assert len(booth.saved) == 1


def test_the_lamp_follows_the_camera_and_never_a_press() -> None:
    booth = Booth()
    booth.press("security", held_s=2)
    assert booth.pins.lit == []
    booth.do(CameraNews(OK))
    assert booth.pins.lit == [True]
    booth.press("security", held_s=2)
    booth.press("till")
    booth.do(CameraNews(msgspec.structs.replace(OK, finished=[clip(1)])))
    assert booth.pins.lit == [True]
    booth.do(CameraNews(CameraReport("missing", False)))
    booth.do(CameraNews(OK))
    booth.do(CameraNews(None))
    booth.do(CameraNews(OK))
    assert booth.pins.lit == [True, False, True, False, True]
    booth.do(later_s=HUNG_S + 1)
    assert booth.pins.lit[-1] is False


def test_the_heartbeat_says_how_the_camera_is_also_when_it_does_not_answer() -> None:
    watch = Watch(CAMERA, 100.0)
    assert (watch.state(101), watch.faults(101)) == ("absent", [])
    assert watch.faults(120) == ["The camera's program does not run."]
    watch.reported(CameraReport("black", True, ["The camera's picture is black."]), 121)
    assert (watch.state(122), watch.faults(122)) == ("black", ["The camera's picture is black."])
    assert (watch.state(140), watch.faults(140)) == ("hung", ["The camera's program does not answer."])
    watch.reported(None, 141)
    assert watch.state(142) == "absent"


def test_the_camera_is_told_of_every_ticket_that_came() -> None:
    booth = Booth()
    for ticket in ("new", "old, but late"):
        booth.do(Upload(UUID(int=1), "https://store/1", ticket))
    booth.do(Upload(UUID(int=2), "https://store/2", "other"))
    assert [u.ticket for u in booth.orders[-1].uploads] == ["new", "old, but late", "other"]


def test_the_kiosks_own_program_loads_nothing_of_the_cameras_libraries() -> None:
    heavy = "{'av', 'cv2', 'numpy', 'cryptography', 'picamera2'}"
    code = f"import sys, kiosk.program, kiosk.__main__; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_the_screen_says_what_the_lamp_says_and_a_silent_request_changes_neither() -> None:
    booth = Booth()
    booth.do()
    assert booth.views[-1].filming == Filming()
    booth.do(CameraNews(OK))
    assert booth.views[-1].filming == Filming(True, 30)
    number = len(booth.views)
    booth.press("security", held_s=2)
    booth.do(CameraNews(msgspec.structs.replace(OK, finished=[clip(1)])))
    assert booth.causes and len(booth.views) == number
    booth.do(later_s=HUNG_S + 1)
    assert booth.views[-1].filming == Filming() and booth.pins.lit == [True, False]


def test_whoever_the_camera_sees_is_greeted_once_as_by_a_motion_sensor() -> None:
    booth = Booth(Camera("scene", name="aisle", greet="in"))
    moving = CameraReport("ok", True, moving=True, tamper="none")
    booth.do(CameraNews(moving))
    assert booth.panel.visit.greeting.key is not None
    for report in (moving, OK, moving, None, moving):
        booth.do(CameraNews(report), later_s=5)
    assert [e.content for e in booth.saved] == [Greeted("in", "aisle")]
    booth.do(CameraNews(OK), later_s=60)
    booth.do(CameraNews(moving))
    assert len(booth.saved) == 2
    quiet = Booth()
    quiet.do(CameraNews(moving))
    assert quiet.saved == []


def test_who_stands_there_long_and_touches_nothing_is_offered_help_without_a_sound() -> None:
    booth = Booth(Camera("scene", waiting_s=30))
    visit = booth.panel.visit

    def stands(since_s: float, later_s: float) -> bool:
        booth.do(later_s=later_s)
        booth.do(CameraNews(CameraReport("ok", True, [], [], True, int(since_s * 1000))))
        return visit.beside.offer

    assert not stands(1000, 29)
    assert stands(1000, 1) and visit.display.text == "idle" and booth.saved == []
    assert not stands(1000, 300), "an offer goes by itself and is made once to whoever stands there"
    booth.press("find-item")
    booth.press("cancel")
    assert not stands(1000, 300), "who has pressed anything was heard"
    assert stands(booth.now_s + 5, 40)


def test_tamper_is_told_once_and_again_only_after_it_was_undone() -> None:
    booth = Booth()
    for tamper in ("unknown", "none", "covered", "covered", "unknown", "moved", "none", "frozen"):
        booth.do(CameraNews(CameraReport("ok", True, tamper=tamper)), later_s=2)  # type: ignore[arg-type]
        booth.do(CameraNews(None))
    assert [e.content for e in booth.saved] == [Tampered("camera covered"), Tampered("camera frozen")]
