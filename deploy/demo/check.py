"""One full round against the running demo, each step seen at the place where a person would see it."""

import re
import time
from collections.abc import Callable

from deploy.demo import shop
from deploy.demo.check_clip import ClipSteps
from deploy.demo.check_drill import DrillSteps
from deploy.demo.control import Hand, Shown
from deploy.demo.stage import Stage, person_ids, socket_of
from deploy.demo.visitor import Browser, Stream
from deploy.errors import DeployError

STEP_S = 15.0
HOLD_S = 1.8
# How long the kiosk is watched after a security request, to see that it shows nothing.
QUIET_S = 1.5


class Round:
    """The steps of one round. Each prints itself with the milliseconds since its cause."""

    def __init__(self, stage: Stage, say: Callable[[str], None]) -> None:
        self._say = say
        self._ids = person_ids(stage.config)
        self._address = stage.address
        self._hands = {kiosk.name: Hand(socket_of(stage.directory, kiosk.name)) for kiosk in shop.KIOSKS}
        # Not the same: the first one's display changes by itself when its request is over.
        self._kiosk, self._security_kiosk = shop.KIOSKS[0], shop.KIOSKS[1]
        self._streams: list[Stream] = []
        self._films = self._security_kiosk in stage.filmed
        self._stage = stage
        self._drills = DrillSteps(stage, self._say_step)

    def play(self) -> None:
        """DeployError names the first step that was not seen."""
        started_s = time.monotonic()
        phone, pages = self._phone(shop.VISITOR)
        desk = Browser(self._address)
        desk.sign_in_at_the_desk(shop.MANAGER.name, shop.MANAGER.password or "")
        self._seen("manager signed in at the desk", started_s)
        for kiosk in (self._kiosk, self._security_kiosk):
            self._come_to_rest(self._hands[kiosk.name])
        self._help(phone, pages, desk)
        self._security(desk)
        self._drills.drill(shop.KIOSKS[-1])
        for stream in self._streams:
            stream.close()

    def _help(self, phone: Browser, pages: Stream, desk: Browser) -> None:
        hand, key = self._hands[self._kiosk.name], self._kiosk.keys[0]
        shown = Displays(hand)
        pressed_s = self._tap(hand, key.name)
        self._shown(shown, "saved", "kiosk says saved", pressed_s)
        self._shown(shown, "sent", "kiosk says sent", pressed_s)
        page = pages.wait(lambda e: e.what == "page" and e.body["topic"] == key.topic, STEP_S)
        if page is None:
            raise DeployError(f"The page did not arrive on {shop.VISITOR.name}'s stream.")
        self._say_step(f"page on {shop.VISITOR.name}'s stream", page.at_s - pressed_s)
        request = str(page.body["request"])
        board = phone.get("/floor/")
        self._need(f'data-request="{request}"' in board, "the request on the phone's page")

        acted_s = time.monotonic()
        board = phone.post(f"/floor/requests/{request}/acknowledge", board, {})
        self._seen("acknowledged by HTTP", acted_s)
        coming = self._shown(shown, "on_the_way", "kiosk says on the way", acted_s)
        self._need(
            coming.name == shop.VISITOR.name and shop.VISITOR.name in coming.sentence,
            f"the name {shop.VISITOR.name} at the kiosk",
        )
        acted_s = time.monotonic()
        board = phone.post(f"/floor/requests/{request}/attend", board, {})
        self._shown(shown, "here", "kiosk says here", acted_s)
        acted_s = time.monotonic()
        phone.post(f"/floor/requests/{request}/resolve", board, {"outcome": "helped"})
        self._shown(shown, "resolved", "kiosk says done", acted_s)
        log = desk.get("/manage/log")
        self._need(
            re.search(rf'row-resolved[^>]*data-id="{request}"', log) is not None, "resolved in the log"
        )
        story = desk.get(f"/manage/log/{request}")
        self._need("Helped" in story and shop.VISITOR.name in story, "the outcome in the log's timeline")
        self._seen("log shows it resolved, with its timeline", acted_s)

    def _security(self, desk: Browser) -> None:
        paged = [member for member in shop.PEOPLE if member.role in ("security", "supervisor")]
        phones = [(member, *self._phone(member)) for member in paged]
        hand = self._hands[self._security_kiosk.name]
        clip = ClipSteps(self._stage, desk, self._say_step) if self._films else None
        if clip:
            clip.begin(hand)
        before = hand.look()
        pressed_s = time.monotonic()
        hand.press("security")
        time.sleep(HOLD_S)
        hand.release("security")
        request = ""
        for member, _, stream in phones:
            page = stream.wait(lambda e: e.what == "page" and e.body["kind"] == "security", STEP_S)
            if page is None:
                raise DeployError(f"The security page did not arrive on {member.name}'s stream.")
            request = str(page.body["request"])
            waited = page.at_s - pressed_s
            self._say_step(f"security page on {member.name}'s stream ({member.role}), hold included", waited)
        after = hand.look(after=before.shown.number, wait_s=QUIET_S)
        quiet = not after.new and not after.sound and after.lamp == before.lamp
        self._need(quiet, "a kiosk that shows nothing of it")
        self._seen("kiosk shows nothing of it", pressed_s)
        acted_s = time.monotonic()
        _, phone, _ = phones[0]
        board = phone.post(f"/floor/requests/{request}/acknowledge", phone.get("/floor/"), {})
        board = phone.post(f"/floor/requests/{request}/attend", board, {})
        phone.post(f"/floor/requests/{request}/resolve", board, {"outcome": "handled"})
        log = desk.get("/manage/log")
        self._need(
            re.search(rf'row-resolved[^>]*data-id="{request}"', log) is not None, "security in the log"
        )
        self._seen("security answered and in the log", acted_s)
        self._drills.outside(request, pressed_s)
        if clip:
            clip.play(request, pressed_s)
        else:
            self._say("           There is no camera here, so no clip was looked for.")

    def _phone(self, member: shop.Member) -> tuple[Browser, Stream]:
        started_s = time.monotonic()
        phone = Browser(self._address)
        board = phone.sign_in_on_the_floor(self._ids[member.name], member.pin or "")
        self._need('id="board"' in board, f"{member.name}'s page after signing in")
        stream = phone.stream("/floor/stream")
        self._streams.append(stream)
        if stream.wait(lambda e: e.what == "beat", STEP_S) is None:
            raise DeployError(f"The stream of {member.name}'s phone did not begin.")
        self._seen(f"{member.name} signed in, stream open", started_s)
        return phone, stream

    def _come_to_rest(self, hand: Hand) -> None:
        """A request that an earlier visit left open is cancelled first."""
        deadline = time.monotonic() + 2 * STEP_S
        panel = hand.look()
        if panel.shown.state != "idle":
            self._tap(hand, "cancel")
        while panel.shown.state != "idle":
            if time.monotonic() > deadline:
                raise DeployError(f"The kiosk does not come to rest; it says: {panel.shown.sentence}")
            panel = hand.look(after=panel.shown.number, wait_s=1.0)

    def _tap(self, hand: Hand, button: str) -> float:
        pressed_s = time.monotonic()
        hand.press(button)
        time.sleep(0.1)
        hand.release(button)
        return pressed_s

    def _shown(self, displays: "Displays", state: str, what: str, since_s: float) -> Shown:
        found = displays.wait(state)
        self._say_step(what, found.at_s - since_s)
        return found

    def _seen(self, what: str, since_s: float) -> None:
        self._say_step(what, time.monotonic() - since_s)

    def _say_step(self, what: str, seconds: float) -> None:
        self._say(f"  {seconds * 1000:8.0f} ms  {what}")

    def _need(self, held: bool, what: str) -> None:
        if not held:
            raise DeployError(f"This was not seen: {what}.")


class Displays:
    """What a kiosk shows from now on, in order."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._after = hand.look().shown.number
        self._waiting: list[Shown] = []

    def wait(self, state: str) -> Shown:
        """The next display in this state. DeployError says what the kiosk showed instead."""
        deadline = time.monotonic() + STEP_S
        last = ""
        while True:
            while self._waiting:
                shown = self._waiting.pop(0)
                last = shown.sentence
                if shown.state == state:
                    return shown
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeployError(f"The kiosk did not say {state!r}; its last words: {last or 'nothing new'}")
            self._waiting = self._hand.look(after=self._after, wait_s=left).new
            if self._waiting:
                self._after = self._waiting[-1].number


def play(stage: Stage, say: Callable[[str], None]) -> int:
    """0 once every step was seen; DeployError otherwise."""
    started_s = time.monotonic()
    Round(stage, say).play()
    say(f"Every step was seen at its place, in {time.monotonic() - started_s:.1f} s.")
    return 0
