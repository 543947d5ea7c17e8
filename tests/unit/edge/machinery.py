"""What happens at devices and to the worker, whatever people do meanwhile: the first rules of the machine."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from broker.events import Attended, Cancelled, Greeted, HelpRequested, SecurityRequested
from tests.unit.edge.stage import DEVICES, NAMES, Stage

# Which of the requests, or of the events: a small number, from the newest.
_which = st.integers(0, 5)
_who = st.sampled_from(NAMES)
_device = st.sampled_from(list(DEVICES))


class Machinery(Stage):
    """Devices press, reboot and beat; time passes; the worker hangs, ends and begins."""

    # What happens at devices.

    @rule(
        device=_device,
        topic=st.sampled_from(["help", "till"]),
        language=st.sampled_from(["en", "ca", "it"]),
        late=st.booleans(),
        drill=st.sampled_from([False, False, False, True]),
    )
    def press_help(self, device: str, topic: str, language: str, late: bool, drill: bool) -> None:
        id_ = self.happens(device, HelpRequested(topic, language), late, drill=drill)
        self.raised.append((device, id_, drill))

    @rule(device=_device, silent=st.booleans(), late=st.booleans())
    def press_security(self, device: str, silent: bool, late: bool) -> None:
        id_ = self.happens(device, SecurityRequested("hold", silent), late)
        self.raised.append((device, id_, False))

    @precondition(lambda self: self.raised)
    @rule(which=_which, late=st.booleans())
    def press_cancel(self, which: int, late: bool) -> None:
        device, id_, drill = self.raised[-1 - which % len(self.raised)]
        self.happens(device, Cancelled(id_), late, drill=drill)

    @precondition(lambda self: self.raised)
    @rule(which=_which, late=st.booleans(), who=st.sampled_from([None, "Ana", "Carla", "Igor", "nobody"]))
    def press_attend(self, which: int, late: bool, who: str | None) -> None:
        device, id_, drill = self.raised[-1 - which % len(self.raised)]
        badge = None if who is None else f"badge-{who.lower()}"
        self.happens(device, Attended(id_, badge), late, drill=drill)

    @precondition(lambda self: self.raised and self.worker)
    @rule(which=_which)
    def foreign_cancel(self, which: int) -> None:
        """Only the device that raised a request may take it back."""
        device, id_, _ = self.raised[-1 - which % len(self.raised)]
        before = dict(self.seen.requests)
        (other,) = DEVICES.keys() - {device}
        self.happens(other, Cancelled(id_), late=False)
        if str(id_) in before:
            assert self.seen.requests[str(id_)] == before[str(id_)]

    @rule(device=_device, way=st.sampled_from(["in", "in", "out"]), late=st.booleans())
    def greet(self, device: str, way: Any, late: bool) -> None:
        """Somebody comes in, for whom somebody may be called, or goes out."""
        self.raised.append((device, self.happens(device, Greeted(way, "door"), late), False))

    @precondition(lambda self: self.flying and self.worker)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        """Some of what is on its way comes, in any order, in one batch."""
        order = data.draw(st.permutations(range(len(self.flying))))
        count = data.draw(st.integers(1, len(order)))
        chosen = order[:count]
        batch = [self.flying[n] for n in chosen]
        self.flying = [press for n, press in enumerate(self.flying) if n not in chosen]
        self.deliver(batch)

    # A drill may end in any look.
    @precondition(lambda self: self.taken and self.worker and not self.seen.drilling)
    @rule(which=_which)
    def come_twice(self, which: int) -> None:
        """The same event again is receipted again, and changes nothing."""
        before = self.seen
        self.looks(self.taken[-1 - which % len(self.taken)])
        assert self.seen.state == before.state

    @rule(device=_device)
    def reboot(self, device: str) -> None:
        """The device's clock begins anew: what is on its way has no known age."""
        self.kiosks[device].boot = UUID(int=self.kiosks[device].boot.int + 10)
        self.kiosks[device].uptime_s = 0.0

    @precondition(lambda self: self.worker)
    @rule(device=_device)
    def heartbeat(self, device: str) -> None:
        self.looks(words=[self.beat(device)])

    # Time, and the worker.

    @rule(seconds=st.sampled_from([1, 4, 10, 15, 31, 60, 130]))
    def time_passes(self, seconds: float) -> None:
        """Each timer fires when it is due, if the worker runs."""
        until = self.clock() + timedelta(seconds=seconds)
        while self.worker is not None:
            due = min(self.seen.timers.values(), default=None)
            if due is None or due > until:
                break
            self.forward((due - self.clock()).total_seconds())
            self.looks()
        self.forward((until - self.clock()).total_seconds())

    @precondition(lambda self: self.worker)
    @rule(seconds=st.sampled_from([5, 40, 200]))
    def hang(self, seconds: float) -> None:
        """The worker looks late."""
        self.forward(seconds)
        self.looks()

    @precondition(lambda self: self.worker)
    @rule()
    def worker_ends(self) -> None:
        self.worker = None

    @precondition(lambda self: not self.worker)
    @rule()
    def worker_begins(self) -> None:
        self.begin_worker()
        flying, self.flying = self.flying, []
        if flying:
            self.deliver(flying)
