"""The main loop: one thread, one queue. Edges, stored events, receipts, calls and time come in; lamps,
sound and jobs for the outbox go out. It never waits for a disk or a network."""

import contextlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec

from broker.events import Content, DrawerMoved, HelpRequested, SecurityRequested, Tampered, new_id
from broker.messages import Call, Capture, Drill, Identify, Revert, Update, Upload
from kiosk.buttons import ButtonEvent, ButtonWatch, Happening
from kiosk.camera.messages import CameraReport, Orders
from kiosk.camera.window import Kind
from kiosk.cameras import Watch
from kiosk.clock import Clocks, Stamp
from kiosk.config import Button, Config
from kiosk.contacts import Contacts
from kiosk.courier import Answered, News, Reachable
from kiosk.display import Display, State
from kiosk.drilling import Drilling, Press
from kiosk.guard import Guard
from kiosk.health import Health
from kiosk.jobs import Count, Job, NotSaved, Refilled, Report, Save, Saved
from kiosk.lamps import Player
from kiosk.leaving import Left
from kiosk.outbox import NewEvent
from kiosk.outputs import Outputs
from kiosk.pins import Pins
from kiosk.request import CountRepeats, Effect, Make
from kiosk.screen.messages import Touch, View
from kiosk.together import NAME as TOGETHER
from kiosk.together import Together
from kiosk.views import Views
from kiosk.visit import Visit

log = logging.getLogger(__name__)

# So long after a touch, and after a security request, nobody is thought to stand there any more.
QUIET_S, SECURITY_S = 30.0, 900.0
TURN_S = 0.5  # how soon at the latest the loop sees that it is to stop
ENDING_S = 6.0  # how long it goes on for what somebody has begun; systemd's patience is longer


@dataclass(frozen=True)
class Edge:
    """A button's level changed at `at_s` (monotonic)."""

    button: str
    pressed: bool
    at_s: float


@dataclass(frozen=True)
class CameraNews:
    """What the camera says; None when its program has gone."""

    report: CameraReport | None


Input = Edge | Touch | CameraNews | Report | News


class Panel:
    """See the module. `watch` sees every new Display, `screens` every new View and `cameras` every Orders, in
    this loop's thread."""

    def __init__(
        self,
        config: Config,
        clocks: Clocks,
        store: Callable[[Job], None],
        health: Health,
        watch: Callable[[Display], None] | None = None,
        tick: Callable[[], None] = lambda: None,
        screens: Callable[[View], None] | None = None,
        new_id: Callable[[], UUID] | None = None,
        choose: Callable[[Sequence[str]], str] = random.choice,
        cameras: Callable[[Orders], None] = lambda orders: None,
        ordered: Callable[[Update | Revert], None] = lambda command: None,
    ) -> None:
        self._clocks = clocks
        self._store = store
        self._health = health
        self._watch = watch
        self._tick = tick
        self._inbox: queue.SimpleQueue[Input | None] = queue.SimpleQueue()
        self._buttons: dict[str, Button] = {button.name: button for button in config.button}
        self._watches = {
            button.name: ButtonWatch(button.name, button.held_s if button.action == "security" else None)
            for button, _ in config.wired
        }
        self._together = Together(frozenset(config.security.together), config.security.hold_s)
        self._guard = Guard(config.security)
        self._motions = {motion.name: motion for motion in config.motion}
        self._contacts = Contacts(config.contact)
        self.visit = Visit(config, new_id or self.new_id, choose)
        topics = [button.topic for button in config.button if button.action == "help"]
        self._drilling = Drilling(next(iter(topics), None) or "help", config.spoken, new_id or self.new_id)
        self._screens = screens
        self._views = Views(config)
        self._viewed = self._views.of(Display(State.IDLE, ""), self.visit.beside, 0)
        self.camera = None if config.camera is None else Watch(config.camera, clocks.now())
        self._cameras = cameras
        self._ordered = ordered
        self._touched_s = self._secured_s = self._turned_s = float("-inf")
        self._watching = False
        self._shown = Display(State.IDLE, "")  # nothing has been shown yet
        self._pins: Pins | None = None
        self._outputs: Outputs | None = None
        self._player: Player | None = None

    def put(self, item: Input | None) -> None:
        """From any thread, and from a signal handler; None only wakes the loop."""
        self._inbox.put(item)

    @property
    def turns(self) -> bool:
        """Whether this loop goes round. From any thread."""
        return self._clocks.now() - self._turned_s < 10 * TURN_S

    @property
    def idle(self) -> bool:
        """Whether nobody waits before this kiosk, as far as it knows. From any thread."""
        now_s = self._clocks.now()
        quiet = now_s - self._touched_s >= QUIET_S and now_s - self._secured_s >= SECURITY_S
        return quiet and not self.visit.is_open and self._drilling.note is None

    def edge(self, button: str, pressed: bool, at_s: float) -> None:
        """What kiosk.pins delivers."""
        self._inbox.put(Edge(button, pressed, at_s))

    def begin(self, pins: Pins, player: Player, left: Left | None = None) -> None:
        """Take the pins as they are; a button that is pressed now has been pressed for nobody, unless it is
        known by `left` that it was not a moment ago."""
        self._pins, self._player, self._outputs = pins, player, Outputs(pins)
        now_s = self._clocks.now()
        pressed = {name: pins.pressed(name) for name in self._watches}
        stood = pressed if left is None else pressed | left.levels
        for name, watch in self._watches.items():
            watch.begin(stood[name], now_s)
        self._contacts.begin(pins.pressed, now_s)
        for name, level, at_s in [] if left is None else left.edges_until(pressed, now_s):
            self._handle(Edge(name, level, at_s))

    def run(self, ended: Callable[[], bool], failed: Callable[[], bool] = lambda: False) -> None:
        """Until `ended`, and, unless something has `failed`, until what somebody has begun at a button is
        decided and a call of security is with the store, ENDING_S at most; then counted repeats leave."""
        self._show()
        while not ended():
            self.turn(self._pause_s())
        until_s = self._clocks.now() + ENDING_S
        while self._is_busy() and not failed() and self._clocks.now() < until_s:
            self.turn(self._pause_s())
        self._perform(self.visit.request.end(self._clocks.now()), self._clocks.now())

    def _is_busy(self) -> bool:
        begun = any(watch.may_be_held for watch in self._watches.values())
        return begun or not self._inbox.empty() or self._together.due_at() is not None or self._guard.waits

    def leave(self) -> Left | None:
        """How the buttons stand, for whoever comes after; None where nobody has looked at them."""
        edges: list[tuple[str, bool, float]] = []
        with contextlib.suppress(queue.Empty):
            while True:
                match self._inbox.get_nowait():
                    case Edge(button, pressed, at_s) if button in self._watches:
                        edges.append((button, pressed, at_s))
        if self._pins is None:
            return None
        levels = {name: watch.pressed for name, watch in self._watches.items()}
        return Left(self._clocks.boot, self._clocks.now(), levels, edges)

    def turn(self, pause_s: float) -> None:
        """One round: wait for something at most `pause_s`, deal with all there is, show what is new."""
        try:
            item = self._inbox.get(timeout=pause_s)
            while True:
                if item is not None:
                    self._handle(item)
                    self._show()
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass
        self._tick()
        now_s = self._turned_s = self._clocks.now()
        for name, watch in self._watches.items():
            due_s = watch.due_at()
            if due_s is not None and now_s >= due_s and self._pins is not None:
                self._buttons_did(watch.look(self._pins.pressed(name), now_s))
        self._happened(self._together.look(now_s))
        if self._pins is not None:
            for is_open, since_s in self._contacts.look(self._pins.pressed, now_s):
                self._save(self.new_id(), DrawerMoved(is_open), None, since_s)
        self._perform(self.visit.tick(now_s), now_s)
        self._drilling.tick(now_s)
        self._guard.tick(now_s)
        self._drive(now_s)
        self._show()

    def _pause_s(self) -> float:
        now_s = self._clocks.now()
        times: list[float | None] = [now_s + TURN_S, self.visit.due_at(), self._drilling.due_at()]
        times += [watch.due_at() for watch in self._watches.values()]
        times += [self._contacts.due_at(), self._together.due_at(), self._guard.due_at(now_s)]
        times += [self.camera.due_at()] if self.camera is not None and self._watching else []
        return max(0.001, min(at for at in times if at is not None) - now_s)

    def _handle(self, item: Input) -> None:
        now_s = self._clocks.now()
        match item:
            case Edge(name, pressed, at_s) if name in self._motions:
                if pressed:
                    self._perform(self.visit.moved(self._motions[name], at_s), at_s)
            case Edge(name, pressed, at_s) if name in self._contacts:
                self._contacts.edge(name, pressed, at_s)
            case Touch():
                self._touched_s = now_s
                self._touched(item, now_s)
            case Edge(button, pressed, at_s):
                self._touched_s = now_s
                self._buttons_did(self._watches[button].edge(pressed, at_s))
            case CameraNews(report):
                self._heard_camera(report, now_s)
            case Saved(event):
                self.visit.stored(event.id, now_s)
                if self.camera is not None and self.camera.stored(event.id):
                    self._tell_camera()
            case NotSaved(event):
                self.visit.not_stored(event.id, now_s)
            case Answered(receipted, refused):
                for event_id in receipted:
                    self._guard.receipted(event_id, now_s)
                    self.visit.receipted(event_id, now_s)
                for event_id, _ in refused:
                    self._guard.refused(event_id, now_s)
                    self._perform(self.visit.refused(event_id, now_s), now_s)
            case Drill():
                self._drill(self._drilling.asked(item, now_s), now_s)
            case Call(drill=True):
                self._drill(self._drilling.call(item, now_s), now_s)
            case Call():
                self._guard.call(item, now_s)
                self._perform(self.visit.call(item, now_s), now_s)
            case Capture():
                self._capture(item, now_s)
            case Upload():
                if self.camera is not None:
                    self.camera.upload(item)
                    self._tell_camera()
            case Update() | Revert():
                self._ordered(item)
            case Reachable(reachable):
                self._guard.link(reachable, now_s)
                self.visit.request.link(reachable, now_s)
            case Identify(seconds):
                if self._player is not None:
                    self._player.identify(seconds)
            case Refilled():
                pass  # the courier's business

    def _buttons_did(self, events: Iterable[ButtonEvent]) -> None:
        for event in events:
            self._happened(self._together.hear(event))

    def _happened(self, events: Iterable[ButtonEvent]) -> None:
        for event in events:
            if event.name == TOGETHER:
                self._call_security(event.at_s)
                continue
            button = self._buttons[event.name]
            match event.what:
                case Happening.STUCK | Happening.RECOVERED:
                    log.warning("The button %s is %s.", event.name, event.what)
                    self._health.stuck = tuple(w.name for w in self._watches.values() if w.stuck)
                case Happening.HELD if button.action == "security":
                    self._call_security(event.at_s)
                case Happening.PRESSED:
                    self._pressed(button, event.at_s)

    def _call_security(self, at_s: float) -> None:
        """Nothing is shown, sounded or logged where somebody could look over a shoulder."""
        request = self.new_id()
        self._secured_s = self._clocks.now()
        self._save(request, SecurityRequested("hold"), None, at_s)
        self._guard.raised(request, self._clocks.now())
        self._film(request, "security", at_s)

    def _pressed(self, button: Button, at_s: float) -> None:
        visit = self.visit
        match button.action:
            case "help":
                self._perform(visit.press_help(button.topic or "help", at_s), at_s)
            case "cancel":
                self._perform(visit.press_cancel(at_s), at_s)
            case "attend":
                self._perform(visit.press_attend(at_s), at_s)
            case "looking":
                self._perform(visit.press_looking(at_s), at_s)
            case "smiley":
                self._perform(visit.press_smiley(button.score or 1, at_s), at_s)
            case "language":
                visit.speak_next(at_s)
            case "security":
                pass  # only a hold means something

    def _touched(self, touch: Touch, now_s: float) -> None:
        """A screen may say anything: what is not on offer changes nothing."""
        visit = self.visit
        match touch.what:
            case "key":
                button = self._buttons.get(touch.key)
                if button is not None and button.touch:
                    self._pressed(button, now_s)
            case "language":
                visit.speak(touch.value, now_s)
            case "score" if touch.value in ("1", "2", "3", "4"):
                self._perform(visit.press_smiley(int(touch.value), now_s), now_s)
            case "answer":
                self._perform(visit.answer(touch.question, touch.value, now_s), now_s)
            case "dismiss":
                self._perform(visit.dismiss(now_s), now_s)

    @staticmethod
    def new_id() -> UUID:
        """The id of an event that happens now."""
        return new_id(time.time_ns() // 1_000_000)

    def _perform(self, effects: Iterable[Effect], at_s: float) -> None:
        for effect in effects:
            match effect:
                case Make(event_id, content, request, ends_repeats, made_s):
                    made_s = at_s if made_s is None else made_s
                    self._save(event_id, content, request, made_s, ends_repeats)
                    if isinstance(content, HelpRequested) and event_id == request:
                        self._film_help(event_id, content.topic, made_s)
                case CountRepeats(request, content):
                    self._store(Count(request, content, self._clocks.stamp(at_s)))

    def _save(
        self, event_id: UUID, content: Content, request: UUID | None, at_s: float, ends_repeats: bool = False
    ) -> None:
        stamp = self._clocks.stamp(at_s)
        self._store(Save(NewEvent(event_id, content, stamp, request, ends_repeats)))

    def _drill(self, events: Iterable[Press], at_s: float) -> None:
        for event in events:
            stamp = self._clocks.stamp(at_s)
            self._store(Save(NewEvent(event.id, event.content, stamp, drill=True)))

    def _film(self, cause: UUID, kind: Kind, at_s: float, told_s: float | None = None) -> None:
        if self.camera is not None:
            self.camera.happened(cause, kind, at_s, told_s)
            self._tell_camera()

    def _capture(self, asked: Capture, now_s: float) -> None:
        """The store asks for pictures; as with a hold, nothing is shown, sounded or logged."""
        at_s = now_s
        if asked.boot is not None and asked.monotonic_ms is not None:
            if asked.boot != self._clocks.boot:
                return  # it is asked for again once the store has heard this clock
            at_s = min(now_s, asked.monotonic_ms / 1000)
        self._film(asked.cause, "capture", at_s, now_s)

    def _film_help(self, request: UUID, topic: str, at_s: float) -> None:
        if self.camera is not None and self.camera.wants(topic):
            self._film(request, "help", at_s)

    def _tell_camera(self) -> None:
        if self.camera is not None:
            self._cameras(self.camera.orders(self._clocks.now()))

    def _heard_camera(self, report: CameraReport | None, now_s: float) -> None:
        camera = self.camera
        if camera is None:
            return
        for clip in camera.reported(report, now_s):
            stamp = Stamp(clip.clock.monotonic_ms / 1000, clip.at, clip.clock)
            self._store(Save(NewEvent(clip.event, clip.content, stamp)))
        if camera.begins_to_move(report) and camera.sensor is not None:
            self._perform(self.visit.moved(camera.sensor, now_s), now_s)
        if report is None:
            return
        if report.stands_since_ms is not None:
            self.visit.stands(report.stands_since_ms / 1000, now_s)
        if (what := camera.tampered(report)) is not None:
            self._save(self.new_id(), Tampered(what), None, now_s)

    def _drive(self, now_s: float) -> None:
        if self._outputs is not None:
            self._watching = self.camera is not None and self.camera.watching(now_s)
            self._outputs.camera(self._watching)
            self._outputs.guard(self._guard.driven(now_s))

    def _show(self) -> None:
        if self._outputs is not None:
            lit = self.visit.feedback.smileys
            lamps = [button for button in self._buttons.values() if button.lamp is not None]
            self._outputs.smileys({button.name: button.score in lit for button in lamps})
        before, display = self._shown, self.visit.display
        if self._screens is not None:
            beside = self.visit.beside
            if not beside.is_open and beside.note is None:
                beside = replace(beside, note=self._drilling.note)
            view = self._views.of(display, beside, self._viewed.number, self._watching)
            if view != self._viewed:
                self._viewed = msgspec.structs.replace(view, number=view.number + 1)
                self._screens(self._viewed)
        if display is before:
            return
        self._shown = display
        pressed = display.state is State.PRESSED and before.state is not State.PRESSED
        coming = display.state is State.ON_THE_WAY and before.state is not State.ON_THE_WAY
        if self._player is not None:
            self._player.show(display.state, news=display.state is not State.IDLE, chirp=pressed or coming)
        log.info("The kiosk shows: %s.", display.state)
        if self._watch is not None:
            self._watch(display)


class Ending:
    """Whether the program is to end: asked to from outside, or because one of its threads has failed."""

    def __init__(self, stop: threading.Event, failures: Iterable[Callable[[], BaseException | None]]) -> None:
        self._stop = stop
        self._failures = list(failures)

    @property
    def failure(self) -> BaseException | None:
        return next((error for failed in self._failures if (error := failed()) is not None), None)

    def __call__(self) -> bool:
        return self._stop.is_set() or self.failure is not None
