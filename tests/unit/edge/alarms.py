"""What happens around security requests in the machine: tampering, second PINs, and drills of the store's."""

from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from broker.events import Attended, HelpRequested, SecurityRequested, Tampered
from edge.errors import NotFound
from edge.handling import acting, drilling, raising
from edge.handling.telling import Telling
from edge.schedule import Plan
from tests.unit.edge import guard
from tests.unit.edge.conftest import STORE
from tests.unit.edge.ingest.server import Arrival as Press
from tests.unit.edge.machinery import Machinery
from tests.unit.edge.stage import DEVICES, FILE, NAMES
from tests.unit.edge.watcher import OPEN, Row

_who = st.sampled_from(NAMES)
_device = st.sampled_from(list(DEVICES))


class Alarms(Machinery):
    """`act` is what a person is doing; `typed` counts the second PINs."""

    act = ""
    typed = 0

    def do(self, may: Any, work: Any, *args: Any, **more: Any) -> Any:
        self.act = work.__name__
        try:
            return super().do(may, work, *args, **more)
        finally:
            self.act = ""

    def judge(self, *, looked: bool = False) -> None:
        before = self.seen
        super().judge(looked=looked)
        policy = self.set_policies.security
        guard.judge(before, self.seen, policy, self.clock(), self.act, looked=looked)
        with self.conn.begin():
            for request in self.seen.requests.values():
                if request["raised_by"] and request["state"] in OPEN and self.seen.watched(request):
                    told = raising.told(self.conn, STORE, request["raised_by"])
                    assert told is None, "a phone in other hands shows the call"

    def looks(self, *arrivals: Press, words: Any = ()) -> None:
        """As the worker does it: drills come last."""
        super().looks(*arrivals, words=words)
        if not self.drills("asked", "running"):
            return
        telling = Telling(STORE)
        with self.conn.begin():
            drilling.look(self.conn, telling, Plan(), lambda _: True, lambda _: None, self.clock())
            telling.flush(self.conn, self.clock())
        self.judge()

    def drills(self, *states: str) -> list[Row]:
        return [one for one in self.seen.drills.values() if one["state"] in states]

    def mine(self, who: str) -> Row | None:
        """The security request that this person called for and that is open."""
        found = [
            r
            for r in self.seen.requests.values()
            if (r["raised_by"], r["kind"]) == (self.ids[who], "security") and r["state"] in OPEN
        ]
        return found[0] if found else None

    # Tampering and second PINs.

    @rule(device=_device, late=st.booleans(), drill=st.sampled_from([False, False, False, True]))
    def tamper(self, device: str, late: bool, drill: bool) -> None:
        self.happens(device, Tampered("opened"), late, drill=drill)

    @rule(who=_who)
    def sign_in_under_duress(self, who: str) -> None:
        """They typed their second PIN: security is called, and their phone never shows it."""
        before = self.mine(who)
        self.do(self.works(who), raising.call, FILE, self.ids[who], self.second_pin())
        if self.refusal is None:
            self.called_under_duress(who, before)

    @rule(who=_who)
    def take_back_under_duress(self, who: str) -> None:
        """Whoever watches them makes them take it back: it goes on, and looks as if it did not."""
        before, made = self.mine(who), self.second_pin()

        def pretend(conn: Any, store: str, now: datetime) -> str | None:
            return raising.pretend_to_take_back(conn, store, FILE, self.ids[who], made, now)

        answer = self.do(self.works(who), pretend)
        if self.refusal is None:
            self.called_under_duress(who, before)
            # With either PIN the same is said.
            assert (answer is not None) == (before is not None and before["state"] == "attended")

    def second_pin(self) -> raising.Call:
        self.typed += 1
        return raising.Call(UUID(int=2**64 + self.typed), trigger="duress")

    def works(self, who: str) -> Any:
        return True if self.seen.people[self.ids[who]]["active"] else NotFound

    def called_under_duress(self, who: str, before: Row | None) -> None:
        after = self.mine(who)
        assert after is not None and after["silent"] and self.seen.watched(after)
        if before is not None:
            expected = (before["id"], before["count"] + 1, before["state"], before["owner"])
            assert (after["id"], after["count"], after["state"], after["owner"]) == expected

    # Drills that the store begins.

    @rule(device=_device, kind=st.sampled_from(["help", "security"]), people=st.booleans())
    def ask_for_a_drill(self, device: str, kind: str, people: bool) -> None:
        free = all(one["device"] != device for one in self.drills("asked", "running"))
        responder = "people" if people else "test"

        def ask(conn: Any, store: str, now: datetime) -> str:
            return drilling.ask(conn, store, self.desk, device, kind, responder, now)

        self.do(free, ask)

    @rule(who=st.sets(_who))
    def agree_to_drills(self, who: set[str]) -> None:
        agreed = {self.ids[name] for name in who if self.works(name) is True}
        self.do(True, lambda conn, store, now: drilling.set_agreed(conn, store, self.desk, agreed, now))

    @precondition(lambda self: self.drills("running", "failed"))
    @rule(which=st.integers(0, 3), late=st.booleans())
    def press_drill(self, which: int, late: bool) -> None:
        """The kiosk does what it was told; perhaps when the drill is over."""
        found = self.drills("running", "failed")
        one = found[-1 - which % len(found)]
        content = SecurityRequested("hold", True) if one["kind"] == "security" else HelpRequested("help")
        if one["id"] in self.seen.requests:
            return
        self.flying.append(self.kiosks[one["device"]].event(content, id_=UUID(one["id"]), drill=True))
        if not late and self.worker is not None:
            self.deliver([self.flying.pop()])

    @precondition(lambda self: self.drills("running"))
    @rule(which=st.integers(0, 3), heard=st.booleans())
    def answer_drill(self, which: int, heard: bool) -> None:
        """The responder says that they come, and the kiosk that it heard of it."""
        one = self.drills("running")[-1 - which % len(self.drills("running"))]
        request = self.seen.requests.get(one["id"])
        if request is None or request["state"] != "raised":
            return
        works = self.seen.people[one["responder"]]["active"]
        self.do(works or NotFound, acting.acknowledge, one["id"], one["responder"])
        if heard and self.refusal is None:
            self.happens(one["device"], Attended(UUID(one["id"])), late=False, drill=True)
