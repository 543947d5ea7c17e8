"""Security called again and again while a fault is on, by phone and pager, and all who are called for it.

Kiosks are held by whoever presses in the fault; what they held counts too. `judge` (tests.faults.security)
says what became of it all.
"""

import contextlib
import json
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from broker import codec, topics
from broker.events import SecurityRequested, new_id
from broker.session import Arrival, Delivery
from broker.topics import Channel
from deploy.provision import add_device
from tests.faults.booth import HOLD_S, Booth, Gone
from tests.faults.outcome import Outcome
from tests.faults.paths import History
from tests.faults.security import REPEAT_S, Alarm, Heard, Joined, judge, stream
from tests.faults.watched import Watched
from tests.rig.phone import Listening, Phone, Told
from tests.rig.store import STORE, Rig, listens, wait_for

PAGER = "pager-1"
# Igor and Sofia are called at the first step, Marc with all hands; Ana calls.
FIRST, ALL, CALLER = ("Igor", "Sofia"), ("Igor", "Sofia", "Marc"), "Ana"
# As the phone's own page does it (calls.js, stream.js).
AGAIN_S, REFUSED_S, TIMEOUT_S, RETRY_S = 1.0, 2.0, 4.0, 1.0
SETTLE_S = 60.0


@dataclass
class Call:
    """A call of a phone or pager: the event's id, and when it was made and, at last, taken."""

    id: UUID
    by: str
    raised_s: float
    taken: bool = False


class Ears:
    """One person's phone: an event stream that comes back with its last cursor, as a browser's does."""

    def __init__(self, rig: Rig, name: str, history: History) -> None:
        self.name = name
        self.heard: list[Heard] = []
        self.breaks = 0
        self.phone = signed_in(rig, name)
        self._history = history
        self._cursor = str(rig.read("SELECT coalesce(max(cursor), 0) FROM feed")[0][0])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ears-{name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                listening = self.phone.listen(self._told, after=self._cursor)
            except OSError:
                self._stop.wait(RETRY_S)
                continue
            while not (listening.ready.wait(0.1) or self._stop.is_set()):
                pass
            if listening.status == 200:
                self._history.mark(stream(self.name), True, time.monotonic())
            while not (listening.ended.wait(0.02) or self._stop.is_set()):
                pass
            self._history.mark(stream(self.name), False, time.monotonic())
            if self._stop.is_set():
                _hang_up(listening)
                return
            self.breaks += 1
            self._stop.wait(RETRY_S)

    def _told(self, told: Told) -> None:
        self._cursor = told.id or self._cursor
        if told.event != "page":
            return
        page = json.loads(told.data)
        if page["kind"] == "security":
            self.heard.append(Heard(self.name, page["request"], page["round"], told.at_s))


class Alarms:
    """See the module. Made before anything runs; `start` once the worker does, `settle` while all run.

    `beyond` are further parts that every call needs, which the fault itself marks: a disk. `ways` are those
    of single kiosks. `repeat_s` is the policy's. `others` call beside the kiosks. Where the worker's clock
    `jumps`, its times say nothing, and before `quiet` only the fault itself lets people answer.
    """

    def __init__(
        self,
        rig: Rig,
        booths: Sequence[Booth],
        seed: str,
        *,
        beyond: Sequence[str] = (),
        ways: Sequence[str] = (),
        hold: Sequence[Booth] = (),
        others: Sequence[str] = ("phone", "pager"),
        jumps: bool = False,
        repeat_s: float = REPEAT_S,
        gap_s: tuple[float, float] = (1.5, 5.0),
    ) -> None:
        """`hold` are kiosks whose security button nobody else presses; their kiosks must not be killed."""
        self.rig, self.history = rig, History()
        self._booths, self._hold = list(booths), list(hold)
        self._beyond, self._ways, self._others = tuple(beyond), tuple(ways), others
        self._jumps = jumps
        self._repeat_s, self._gap_s = repeat_s, gap_s
        self._chance = random.Random(f"{seed}-alarms")
        self._clock_s = time.time() - time.monotonic()
        self._calls: list[Call] = []
        self._ears: list[Ears] = []
        self._stop, self._over = threading.Event(), threading.Event()
        self._receipts: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._answer_at: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._threads: list[threading.Thread] = []
        add_device(rig.config, PAGER, "shoes", None, datetime.now(UTC))
        for part in (*self._beyond, *self._ways):
            self.history.mark(part, True, time.monotonic())
        self._watched = Watched(rig, self.history)

    def mark(self, part: str, up: bool) -> None:
        """The fault itself takes away, or gives back, what `beyond` and `ways` name."""
        self.history.mark(part, up, time.monotonic())

    def start(self) -> None:
        """Start the pages if they are not there, sign everybody in, and begin to call."""
        if "web" not in self.rig.processes:
            self.rig.start("web")
        wait_for(lambda: listens(self.rig.config.web.port), "The start of the pages", 60)
        self._ears = [Ears(self.rig, name, self.history) for name in ALL]
        self._caller = signed_in(self.rig, CALLER)
        self._pager = self.rig.session(
            PAGER,
            self._receipts.put,
            subscriptions=[(topics.of_device(STORE, PAGER, Channel.RECEIPT), 1)],
        )
        self._pager.start()
        work = [self._answer, self._confirm]
        if self._others or self._hold:
            work.append(self._raise)
        for do in work:
            thread = threading.Thread(target=do, name=f"alarms-{do.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def quiet(self) -> None:
        """No further call; those that were made go on."""
        self._stop.set()

    def settle(self, outcome: Outcome) -> None:
        """Everything has its answer; then the judgement, into the outcome."""
        self.quiet()
        try:
            with contextlib.suppress(AssertionError):
                wait_for(self._settled, "The end of all calls", SETTLE_S)
        finally:
            self.close()
        alarms, joined = self._alarms()
        heard = [one for ears in self._ears for one in ears.heard]
        verdict = judge(
            alarms, FIRST, heard, self._written(), self.history, time.monotonic(), self._repeat_s, joined
        )
        by = {kind: sum(alarm.by == kind for alarm in alarms) for kind in ("kiosk", "phone", "pager")}
        called = ", ".join(f"{kind} {n}" for kind, n in by.items() if n)
        outcome.security = verdict.figures() | {"by": called}
        outcome.wrong += verdict.wrong
        outcome.wrong += [f"A call of the {c.by} was never taken." for c in self._calls if not c.taken]
        outcome.check(alarms, "No security request was raised: this round says nothing of it.")

    def close(self) -> None:
        """May be called twice."""
        self._stop.set()
        self._over.set()
        for ears in self._ears:
            ears.stop()
        for thread in self._threads:
            thread.join(30)
        if self._ears:
            self._pager.stop()
        self._watched.close()

    def _raise(self) -> None:
        """Calls at seeded moments, by each way in turn."""
        known: dict[str, Callable[[], None]] = {"phone": self._by_phone, "pager": self._by_pager}
        ways = [known[other] for other in self._others]
        ways += [partial(self._by_kiosk, booth) for booth in self._hold]
        while not self._stop.wait(self._chance.uniform(*self._gap_s)):
            self._chance.choice(ways)()

    def _by_phone(self) -> None:
        call = Call(new_id(int(time.time() * 1000)), "phone", time.monotonic())
        self._calls.append(call)
        thread = threading.Thread(target=self._send, args=(call,), name="quiet-bar", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _send(self, call: Call) -> None:
        """Until the store has confirmed it."""
        while not (call.taken or self._over.is_set()):
            kept = str(int(time.monotonic() - call.raised_s))
            form = {"id": str(call.id), "person": self.rig.people[CALLER].id, "kept_s": kept}
            try:
                status = post(self.rig, self._caller, "/floor/quiet/call", form)
            except (OSError, HTTPException):
                self._over.wait(AGAIN_S)
                continue
            call.taken = status == 204
            if not call.taken:
                self._over.wait(REFUSED_S)

    def _by_pager(self) -> None:
        self._calls.append(Call(new_id(int(time.time() * 1000)), "pager", time.monotonic()))

    def _by_kiosk(self, booth: Booth) -> None:
        try:
            touch = booth.touch()
            touch.press("security", HOLD_S + 0.2)
            touch.close()
        except Gone:
            return

    def _confirm(self) -> None:
        """The pager's own: each call is sent every second until its receipt names it (broker/kiosks.md)."""
        sent: dict[UUID, float] = {}
        while not self._over.is_set():
            waiting = [call for call in self._calls if call.by == "pager" and not call.taken]
            for call in waiting:
                if self._pager.connected and time.monotonic() - sent.get(call.id, 0.0) >= AGAIN_S:
                    payload = codec.encode_event(call.id, SecurityRequested("panic"), "security")
                    self._pager.publish(topics.event(STORE, PAGER, "security"), payload)
                    sent[call.id] = time.monotonic()
            with contextlib.suppress(queue.Empty):
                item = self._receipts.get(timeout=0.05)
                if isinstance(item, Arrival):
                    named = msgspec.json.decode(item.payload, type=dict[str, Any]).get("ids", ())
                    for call in waiting:
                        call.taken = call.taken or str(call.id) in named

    def _answer(self) -> None:
        """Igor answers each, mostly soon, and often only after a step or two, then closes it."""
        igor = self._ears[0]
        if self._jumps:
            self._stop.wait()
        while not self._over.wait(0.05):
            for request in {one.request for one in list(igor.heard)} - self._answered.keys():
                late = self._chance.random() < 0.3 and not self._stop.is_set()
                wait_s = self._chance.uniform(11, 23) if late else self._chance.uniform(0.3, 2.5)
                at_s = self._answer_at.setdefault(request, time.monotonic() + wait_s)
                if time.monotonic() < at_s and not self._stop.is_set():
                    continue
                try:
                    begun_s = time.monotonic()
                    if post(self.rig, igor.phone, f"/floor/requests/{request}/acknowledge") < 500:
                        self._answered[request] = begun_s
                        post(
                            self.rig, igor.phone, f"/floor/requests/{request}/resolve", {"outcome": "handled"}
                        )
                except (OSError, HTTPException):
                    continue

    def _settled(self) -> bool:
        time.sleep(0.2)
        if not all(call.taken for call in self._calls):
            return False
        query = "SELECT count(*) FROM interaction WHERE kind = 'security' AND state = 'raised'"
        if self.rig.read(query) != [(0,)]:
            return False
        heard = {(one.person, one.request, one.round) for ears in self._ears for one in ears.heard}
        return self._written() <= heard

    def _written(self) -> set[tuple[str, str, int]]:
        """(name, request, round) of every page of those who listen."""
        query = "SELECT p.person, p.request, p.round FROM page p JOIN interaction i ON i.id = p.request"
        names = {self.rig.people[name].id: name for name in ALL}
        rows = self.rig.read(query + " WHERE i.kind = 'security' AND NOT i.drill")
        return {(names[who], str(request), int(n)) for who, request, n in rows if who in names}

    def _alarms(self) -> tuple[list[Alarm], list[Joined]]:
        """Every security request of the run, and what joined one."""
        ends = {
            str(request): self._ended_s(request, acknowledged, closed)
            for request, acknowledged, closed in self.rig.read(
                "SELECT id, acknowledged_at, closed_at FROM interaction WHERE kind = 'security'"
            )
        }
        booths = {booth.device: booth for booth in self._booths}
        made = {str(call.id): call for call in self._calls}
        found: dict[str, Alarm] = {}
        again: list[Joined] = []
        query = "SELECT device, id, interaction, payload, received_at FROM event WHERE kind = 'security'"
        for device, event, joined, payload, received in self.rig.read(query + " ORDER BY received_at"):
            request = str(joined or event)
            if (call := made.get(str(event))) is not None:
                alarm = Alarm(request, call.by, call.raised_s, self._parts_of(call.by), ends.get(request))
            elif (booth := booths.get(str(device))) is not None:
                clock = msgspec.json.decode(bytes(payload), type=dict[str, Any])["clock"]
                raised_s = clock["monotonic_ms"] / 1000 - (booth.ahead_s if self._odd(clock) else 0.0)
                parts = {booth.name, "broker", "worker", "web", *self._beyond, *self._ways}
                alarm = Alarm(request, "kiosk", raised_s, frozenset(parts), ends.get(request))
            else:
                continue
            # A phone's event is never its request; the first of a request raised it.
            if joined is None or (device == "phone" and request not in found):
                found[request] = alarm
            elif not self._jumps:
                taken_s = int(received) / 1e6 - self._clock_s
                # The pages do not say when they are ready: an open stream does.
                here = {stream(FIRST[0])} if device == "phone" else set()
                parts = (alarm.parts - {"web"}) | here
                again.append(Joined(str(event), alarm.raised_s, parts, taken_s))
        return list(found.values()), again

    def _odd(self, clock: dict[str, Any]) -> bool:
        """Whether it was read in a time namespace that is ahead."""
        return bool(clock["monotonic_ms"] / 1000 > time.monotonic() + 60)

    def _parts_of(self, by: str) -> frozenset[str]:
        # The pages write a phone's call and its first pages themselves.
        behind = {"web", *self._beyond}
        return frozenset(behind if by == "phone" else behind | {"broker", "worker"})

    def _ended_s(self, request: object, acknowledged: object, closed: object) -> float | None:
        """When it was answered; by Igor, when he tapped, for then his page needs no further one."""
        moments = [int(str(at)) / 1e6 - self._clock_s for at in (acknowledged, closed) if at is not None]
        tapped = self._answered.get(str(request))
        return min([*moments, *([tapped] if tapped is not None else [])], default=None)


def signed_in(rig: Rig, name: str) -> Phone:
    """A phone of this person, whatever becomes of the pages meanwhile."""
    someone, phone = rig.people[name], Phone(rig.config.web.port)

    def sign_in() -> bool:
        try:
            phone.sign_in(someone.id, str(someone.pin))
        except (OSError, HTTPException, AssertionError):
            phone.close()
            return False
        return True

    wait_for(sign_in, f"The sign-in of {name}", 60)
    phone.close()
    return phone


def post(rig: Rig, phone: Phone, path: str, form: dict[str, str] | None = None) -> int:
    """The status, over a connection of its own: threads share the phone's cookies and nothing else."""
    connection = HTTPConnection("127.0.0.1", rig.config.web.port, timeout=TIMEOUT_S)
    headers = {
        "Cookie": phone.cookie(),
        "Referer": f"{rig.url}/",
        "Content-Type": "application/x-www-form-urlencoded",
        "Floorbell-Call": "1",
    }
    try:
        connection.request("POST", path, urlencode({"csrf_token": phone.token, **(form or {})}), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _hang_up(listening: Listening) -> None:
    with contextlib.suppress(OSError):
        listening.close()
