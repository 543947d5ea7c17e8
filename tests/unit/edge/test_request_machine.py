"""Routing and the life of a request, as a machine that does anything in any order on a real database.

What each act must come to is written beside it; what must hold at every moment is the watcher's.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from edge.db.engine import connect, sqlite_url
from edge.db.store_tables import person
from edge.errors import NotFound, Refused
from edge.handling import acting, being, handing_on, policing, raising, safety, staffing, summoning
from edge.people import sessions
from edge.people.store import PersonError
from edge.policies import GREETER, HELP, SECURITY, Policy, Step
from tests.unit.edge.alarms import Alarms
from tests.unit.edge.stage import DEVICES, FILE, NAMES
from tests.unit.edge.watcher import GONE, OPEN

SENIOR = {"supervisor", "manager", "admin"}
POLICIES = {
    "help": [
        HELP,
        Policy([Step(0, ["zone"]), Step(5, ["all"])], ceiling_s=20),
        Policy([Step(0, ["best"])], repeat_s=15),
        Policy([Step(0, ["best"]), Step(40, ["supervisors"]), Step(90, ["all"])], ceiling_s=300, repeat_s=30),
    ],
    "security": [
        SECURITY,
        Policy([Step(0, ["security"])], repeat_s=5),
        Policy([Step(0, ["supervisors"]), Step(30, ["all"])], repeat_s=60),
    ],
    "greeter": [GREETER, Policy([Step(0, ["best"]), Step(5, ["zone"])], ceiling_s=40)],
}
# Which of the requests, or of the events: a small number, from the newest.
_which = st.integers(0, 5)
_who = st.sampled_from(NAMES)
_device = st.sampled_from(list(DEVICES))


class RequestMachine(Alarms):
    """See the module."""

    # What people do about requests.

    @rule(who=_who, which=_which)
    def acknowledge(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        owner, asked = request["owner"], request["handover_to"]
        beside, unheard = me in self.seen.waiting(id_), self.seen.unheard(request)
        may: Any = request["state"] in OPEN and (owner in (None, me) or asked == me or beside)
        own = request["raised_by"] == me
        greeted = request["kind"] == "greet"
        may = may or (greeted and request["state"] == "resolved" and owner == me)
        self.do(NotFound if self.stranger(request, me) else may and not own, acting.acknowledge, id_, me)
        after = self.seen.requests[id_]
        if self.refusal is None:
            keeps = owner is not None and asked != me and not (beside and unheard)
            assert after["owner"] == (owner if keeps else me) and me not in self.seen.waiting(id_)
            assert after["state"] == "resolved" if greeted else after["state"] in OPEN
        elif isinstance(self.refusal, Refused) and request["state"] in OPEN and not own:
            assert self.refusal.holder == self.seen.people[owner]["name"], "the loser is not told who has it"

    @rule(who=_who, which=_which)
    def attend(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        greeted = request["kind"] == "greet"
        may: Any = request["state"] in OPEN and request["owner"] in (None, me) and request["raised_by"] != me
        may = may or (greeted and request["state"] == "resolved" and request["owner"] == me)
        self.do(NotFound if self.stranger(request, me) else may, acting.attend, id_, me)
        if self.refusal is None:
            after = self.seen.requests[id_]
            assert (after["state"], after["owner"]) == ("resolved" if greeted else "attended", me)

    @rule(who=_who, which=_which, outcome=st.sampled_from(["helped", "gone", "nonsense"]))
    def resolve(self, who: str, which: int, outcome: str) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_, state = self.ids[who], request["id"], request["state"]
        mine = request["owner"] == me
        may: Any = state in ("acknowledged", "attended") and (mine or self.seen.people[me]["role"] in SENIOR)
        again = state == "resolved" and mine and request["outcome"] == outcome
        may = (may or again) and outcome != "nonsense"
        self.do(NotFound if self.stranger(request, me) else may, acting.resolve, id_, me, outcome, "")
        assert self.refusal is not None or self.seen.requests[id_]["outcome"] == outcome

    @rule(who=_who, which=_which, reason=st.sampled_from(["with-shopper", "too-far"]))
    def decline(self, who: str, which: int, reason: str) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        called = me in self.seen.waiting(id_)
        said = [p for p in self.seen.pages.values() if p["request"] == id_ and p["person"] == me]
        last = max(said, key=lambda p: p["round"])["state"] if said else None
        again = last == "declined" and request["state"] == "raised"
        may: Any = request["state"] in OPEN and request["owner"] != me and (called or again)
        self.do(NotFound if self.stranger(request, me) else may, handing_on.decline, FILE, id_, me, reason)
        after = self.seen.requests[id_]
        assert (after["owner"], after["state"]) == (request["owner"], request["state"])

    @rule(who=_who, which=_which, to=_who)
    def hand_over(self, who: str, which: int, to: str) -> None:
        if (request := self.request(which)) is None:
            return
        me, them, id_ = self.ids[who], self.ids[to], request["id"]
        colleague = self.seen.people[them]
        may: Any = (
            request["state"] in OPEN
            and request["owner"] == me != them
            and request["handover_to"] in (None, them)
            and request["raised_by"] != them
            and colleague["presence"] not in GONE
            and id_ not in self.seen.drills
        )
        unknown = self.stranger(request, me) or not colleague["active"]
        self.do(NotFound if unknown else may, handing_on.hand_over, id_, me, them, "size 42")
        assert self.seen.requests[id_]["owner"] == request["owner"], "the first owner stays responsible"

    @rule(who=_who, which=_which)
    def take_back(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        may: Any = request["state"] in OPEN and request["owner"] == me
        self.do(NotFound if self.stranger(request, me) else may, handing_on.take_back, id_, me)
        assert self.refusal is not None or self.seen.requests[id_]["handover_to"] is None

    @rule(who=_who, which=_which)
    def call_supervisor(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        there = [p for p in self.seen.people.values() if p["active"] and p["presence"] not in GONE]
        able = [p for p in there if p["role"] == "supervisor"] or [p for p in there if p["role"] in SENIOR]
        others = [p for p in able if p["id"] not in (me, request["owner"], request["raised_by"])]
        may: Any = request["state"] in OPEN and bool(others) and id_ not in self.seen.drills
        self.do(NotFound if self.stranger(request, me) else may, summoning.call_to_request, id_, me)
        assert self.refusal is not None or {p["id"] for p in others} <= self.seen.waiting(id_)

    @rule(who=_who, zone=st.sampled_from(["shoes", "tills", "moon"]))
    def call_to_place(self, who: str, zone: str) -> None:
        me = self.ids[who]
        may: Any = zone != "moon"
        before = [
            r
            for r in self.seen.requests.values()
            if (r["raised_by"], r["kind"]) == (me, "help") and r["state"] in OPEN
        ]
        active = self.seen.people[me]["active"]
        id_ = self.do(may if active else NotFound, summoning.call_to_place, FILE, me, zone)
        assert self.refusal is not None or [id_] == [r["id"] for r in before] or not before

    @rule(who=_who, which=_which)
    def need_nobody(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_ = self.ids[who], request["id"]
        may: Any = request["raised_by"] == me and request["state"] in ("raised", "acknowledged")
        may = may and request["kind"] != "security"
        self.do(NotFound if self.stranger(request, me) else may, summoning.take_back, id_, me)

    @rule(who=_who, number=st.integers(1, 4), kept_s=st.sampled_from([0, 0, 30]))
    def call_security(self, who: str, number: int, kept_s: int) -> None:
        """Somebody holds the bar of their phone, or their phone sends an earlier hold again."""
        me = self.ids[who]
        made = raising.Call(UUID(f"01890a5d-ac96-4{number:03}-b000-b302099a8057"), kept_s)
        before = self.called_for.get(made.id)
        mine = [
            r
            for r in self.seen.requests.values()
            if (r["raised_by"], r["kind"]) == (me, "security") and r["state"] in OPEN
        ]
        count = mine[0]["count"] if mine else 0
        id_ = self.do(True if self.seen.people[me]["active"] else NotFound, raising.call, FILE, me, made)
        if self.refusal is not None:
            return
        if before is not None:
            assert id_ == before, "a call that came again opened another request"
            return
        self.called_for[made.id] = id_
        request = self.seen.requests[id_]
        assert request["silent"] and request["kind"] == "security" and request["raised_by"] == me
        assert (request["count"], [id_]) == (count + 1, [r["id"] for r in mine] or [id_])

    @rule(who=_who)
    def take_security_back(self, who: str) -> None:
        """With their own PIN: what they have open, unless somebody is there."""
        me = self.ids[who]
        mine = [
            r
            for r in self.seen.requests.values()
            if (r["raised_by"], r["kind"]) == (me, "security") and r["state"] in OPEN
        ]
        may: Any = all(r["state"] != "attended" for r in mine)
        self.do(may if self.seen.people[me]["active"] else NotFound, raising.take_back, me)
        if self.refusal is None:
            assert all(self.seen.requests[r["id"]]["state"] == "cancelled" for r in mine)

    @rule(who=_who, which=_which)
    def ask_whether_safe(self, who: str, which: int) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_, timers = self.ids[who], request["id"], dict(self.seen.timers)
        called = request["kind"] == "security" and request["raised_by"] is not None
        may: Any = called and request["raised_by"] != me and request["state"] in OPEN
        may = may and not self.seen.watched(request)
        pages = dict(self.seen.pages)
        stopped, self.worker = self.worker, None
        self.do(NotFound if self.stranger(request, me) else may, safety.ask, id_, me)
        self.worker = stopped
        assert (self.seen.timers, self.seen.pages) == (timers, pages), "asking changed who is paged, or when"

    @rule(who=_who, which=_which, safe=st.booleans())
    def answer_whether_safe(self, who: str, which: int, safe: bool) -> None:
        if (request := self.request(which)) is None:
            return
        me, id_, timers = self.ids[who], request["id"], dict(self.seen.timers)
        asked = any(e["interaction"] == id_ and e["what"] == "safe_asked" for e in self.seen.timeline)
        own = request["kind"] == "security" and request["raised_by"] == me
        active = self.seen.people[me]["active"]
        stopped, self.worker = self.worker, None
        may: Any = request["state"] in OPEN and asked
        self.do(may if own and active else NotFound, safety.answer, id_, me, safe)
        self.worker = stopped
        assert self.seen.timers == timers, "an answer changed when people are paged"

    @rule(who=_who)
    def see_pages(self, who: str) -> None:
        """Their phone shows them what they are called for."""
        ids = [p["id"] for p in self.seen.pages.values() if p["person"] == self.ids[who]]
        may = True if self.seen.people[self.ids[who]]["active"] else NotFound
        self.do(may, acting.mark_seen, self.ids[who], ids)

    # Who is there.

    @precondition(lambda self: len(self.phones) < len(NAMES))
    @rule(who=_who)
    def sign_in(self, who: str) -> None:
        if who not in self.phones and self.seen.people[self.ids[who]]["active"]:
            self.phone_begins(who)
            self.judge()

    @rule(who=_who)
    def sign_out(self, who: str) -> None:
        if who not in self.phones:
            return
        me, key = self.ids[who], self.phones[who]
        self.do(not self.seen.owned(me), being.leave, me, key)
        if self.refusal is None:
            self.do(True, sessions.end, key)
            del self.phones[who]
            assert self.seen.people[me]["presence"] == "off"

    @rule(who=_who, presence=st.sampled_from(["available", "busy", "on_break", "unreachable"]), cover=_who)
    def say_presence(self, who: str, presence: str, cover: str) -> None:
        if who not in self.phones:
            return
        me, stand_in = self.ids[who], self.seen.people[self.ids[cover]]
        may: Any = True
        if presence in ("on_break", "unreachable") and self.seen.owned(me):
            may = False
        elif presence == "unreachable":
            if cover == who or (stand_in["active"] and stand_in["presence"] in GONE):
                may = PersonError
            elif not stand_in["active"]:
                may = NotFound
        self.do(may, _say_presence, me, presence, self.ids[cover])
        assert self.refusal is not None or self.seen.people[me]["presence"] == presence

    @rule(who=_who)
    def disable(self, who: str) -> None:
        if who == "Mira":
            return
        me = self.ids[who]
        may = not self.seen.owned(me) or not self.seen.people[me]["active"]
        self.do(may, staffing.disable, self.desk, me)
        if self.refusal is None:
            self.phones.pop(who, None)
            assert not self.seen.people[me]["active"]

    @rule(who=_who)
    def enable(self, who: str) -> None:
        if who != "Mira":
            self.do(True, staffing.enable, self.desk, self.ids[who])

    @rule(policy=st.sampled_from([(kind, policy) for kind, some in POLICIES.items() for policy in some]))
    def set_policy(self, policy: tuple[str, Policy]) -> None:
        kind, wanted = policy
        self.set_policies = msgspec.structs.replace(self.set_policies, **{kind: wanted})
        self.do(
            True,
            lambda conn, store, now: policing.set_policy(conn, store, self.desk, FILE, kind, wanted, now),
        )


def _say_presence(conn: sa.Connection, store: str, me: str, presence: str, cover: str, now: datetime) -> None:
    being.say(conn, store, me, presence, now, minutes=15 if presence == "on_break" else None, cover=cover)


@pytest.fixture(scope="session")
def template(
    sqlite_template: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The small store with the same ids in each run: equals take turns by them."""
    source, _ = sqlite_template
    path = tmp_path_factory.mktemp("machine") / "floorbell.db"
    shutil.copyfile(source, path)
    engine = connect(sqlite_url(path), write=True)
    fixed = {name: str(UUID(int=n)) for n, name in enumerate(NAMES, 1)}
    with engine.begin() as conn:
        for name, id_ in fixed.items():
            conn.execute(sa.update(person).where(person.c.name == name).values(id=id_))
    engine.dispose()
    return path, fixed


def test_whatever_happens_in_whatever_order_the_rules_of_the_floor_hold(
    template: tuple[Path, dict[str, str]],
) -> None:
    half = settings(max_examples=settings().max_examples // 2)
    run_state_machine_as_test(lambda: RequestMachine(*template), settings=half)
