"""The rules of a request, one by one and all together."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.interactions.lifecycle import decide
from edge.interactions.request import (
    OPEN,
    OUTCOMES,
    Acknowledge,
    Action,
    Attend,
    CallOut,
    Cancel,
    Change,
    GiveWay,
    Join,
    Miss,
    Noted,
    Refusal,
    Request,
    Resolve,
    State,
)

AT = datetime(2026, 3, 2, tzinfo=UTC)
ANA, BO = Acknowledge("a", "Ana"), Acknowledge("b", "Bo")


def request(kind: str = "help", **more: object) -> Request:
    values: dict[str, object] = {
        "id": "r", "store": "shop", "device": "kiosk-1", "zone": "shoes", "kind": kind, "topic": "till",
        "language": "en", "state": State.RAISED, "count": 1, "revision": 0, "step": 0, "round": 0,
        "silent": kind == "security", "drill": False, "raised_at": AT, "age_known": True,
    }  # fmt: skip
    return Request(**(values | more))  # type: ignore[arg-type]


def after(before: Request, *actions: Action) -> Request:
    for action in actions:
        change = decide(before, action)
        assert isinstance(change, Change), change
        before = change.request
    return before


def test_of_two_who_acknowledge_the_first_wins_and_the_other_is_told_who() -> None:
    taken = after(request(), ANA)
    assert (taken.state, taken.owner_name) == (State.ACKNOWLEDGED, "Ana")
    assert decide(taken, BO) == Refusal("Ana is already coming.", "Ana")


def test_a_greeting_is_called_out_once_and_over_with_one_tap() -> None:
    came = request("greet", state=State.RECORDED)
    called = after(came, CallOut())
    assert called.state is State.RAISED
    assert decide(called, CallOut()) == Noted("")
    taken = after(called, ANA)
    assert (taken.state, taken.owner_name) == (State.RESOLVED, "Ana")
    assert decide(taken, ANA) == Noted("")
    assert decide(taken, BO) == Refusal("Ana greets them already.", "Ana")
    assert after(called, Miss()).state is State.MISSED


def test_only_its_device_says_that_whoever_came_in_is_just_looking() -> None:
    came = request("greet", state=State.RECORDED)
    called = after(came, CallOut())
    assert after(called, Cancel()).state is State.CANCELLED
    for greeting in (came, called, after(called, Cancel())):
        assert isinstance(decide(greeting, Cancel("b", "Bo")), Refusal)


def test_what_makes_a_greeting_needless_takes_it_back_only_if_somebody_was_called() -> None:
    came, words = request("greet", state=State.RECORDED), "Somebody went out again."
    assert decide(came, GiveWay(words)) == Noted(words)
    assert after(came, CallOut(), GiveWay(words)).state is State.CANCELLED
    for waiting in (came, after(came, CallOut())):
        assert after(waiting, Cancel()).state is State.CANCELLED
        assert after(waiting, Attend(None, None)).state is State.RESOLVED


def test_acknowledging_twice_changes_nothing() -> None:
    assert decide(after(request(), ANA), ANA) == Noted("")


def test_only_the_owner_is_here_and_another_one_is_told_who_is() -> None:
    here = after(request(), ANA, Attend("a", "Ana"))
    assert here.state is State.ATTENDED
    assert decide(here, Attend("a", "Ana")) == Noted("")
    assert decide(here, Attend("b", "Bo")) == Refusal("Ana is already there.", "Ana")


def test_whoever_is_there_without_having_accepted_owns_the_request() -> None:
    here = after(request(), Attend("b", "Bo"))
    assert (here.state, here.owner) == (State.ATTENDED, "b")


def test_the_kiosks_button_alone_is_no_answer_by_a_person() -> None:
    assert isinstance(decide(request(), Attend(None, None)), Noted)
    assert isinstance(decide(request("security"), Attend(None, None)), Noted)
    assert after(request(), ANA, Attend(None, None)).owner == "a"


def test_nothing_is_closed_without_being_accepted_or_without_an_outcome() -> None:
    assert isinstance(decide(request(), Resolve("a", "associate", "helped", "")), Refusal)
    assert isinstance(decide(after(request(), ANA), Resolve("a", "associate", "whatever", "")), Refusal)


@pytest.mark.parametrize(
    ("role", "may"), [("associate", False), ("security", False), ("supervisor", True), ("manager", True)]
)
def test_somebody_elses_request_is_closed_by_supervisors_and_managers_only(role: str, may: bool) -> None:
    decision = decide(after(request(), ANA), Resolve("x", role, "helped", ""))
    assert isinstance(decision, Change) is may


def test_cancel_ends_help_until_somebody_has_arrived_and_never_security() -> None:
    assert after(request(), Cancel()).state is State.CANCELLED
    assert after(request(), ANA, Cancel()).state is State.CANCELLED
    assert isinstance(decide(after(request(), ANA, Attend("a", "Ana")), Cancel()), Noted)
    assert isinstance(decide(request("security"), Cancel()), Noted)


def test_only_unanswered_help_is_missed() -> None:
    assert after(request(), Miss()).state is State.MISSED
    assert decide(after(request(), ANA), Miss()) == Noted("")
    assert decide(request("security"), Miss()) == Noted("")


def test_a_silent_press_silences_a_loud_request_and_never_the_other_way_round() -> None:
    assert after(request("security", silent=False), Join(1, None, silent=True)).silent
    assert after(request("security", silent=True), Join(1, None, silent=False)).silent


def test_presses_are_counted_and_a_new_topic_is_named() -> None:
    change = decide(request(), Join(3, "collect"))
    assert isinstance(change, Change)
    assert (change.request.count, change.words) == (4, "Pressed 3 more times (collect).")


# Where each state may lead to; staying is always allowed.
LEADS = {
    State.RAISED: {State.ACKNOWLEDGED, State.ATTENDED, State.CANCELLED, State.MISSED},
    State.ACKNOWLEDGED: {State.ATTENDED, State.RESOLVED, State.CANCELLED},
    State.ATTENDED: {State.RESOLVED},
    State.RESOLVED: set(),
    State.CANCELLED: set(),
    State.MISSED: set(),
}
_people = st.sampled_from(["a", "b", "c"])


class AnyLife(RuleBasedStateMachine):
    """Whatever is done to a request in whatever order."""

    @initialize(kind=st.sampled_from(["help", "security"]), silent=st.booleans())
    def raise_it(self, kind: str, silent: bool) -> None:
        self.request = request(kind, silent=silent)

    def do(self, action: Action) -> None:
        before, decision = self.request, decide(self.request, action)
        if not isinstance(decision, Change):
            return
        now = self.request = decision.request
        assert now.revision == before.revision + 1
        assert now.state is before.state or now.state in LEADS[before.state]
        assert before.owner in (None, now.owner), "an owner was replaced"
        assert now.count >= before.count and now.silent >= before.silent
        assert decision.words.endswith(".")
        if now.kind == "security":
            assert now.state not in (State.MISSED, State.CANCELLED)
        untouched = {"state": before.state, "revision": before.revision, "count": before.count}
        untouched |= {"owner": before.owner, "owner_name": before.owner_name, "silent": before.silent}
        assert replace(now, **untouched) == before  # type: ignore[arg-type]

    @rule(person=_people)
    def acknowledge(self, person: str) -> None:
        self.do(Acknowledge(person, person.upper()))

    @rule(person=st.none() | _people)
    def attend(self, person: str | None) -> None:
        self.do(Attend(person, person and person.upper()))

    @rule(
        person=_people,
        role=st.sampled_from(["associate", "supervisor"]),
        outcome=st.sampled_from([*OUTCOMES, "else"]),
    )
    def resolve(self, person: str, role: str, outcome: str) -> None:
        self.do(Resolve(person, role, outcome, ""))

    @rule(action=st.sampled_from([Cancel(), Miss(), Join(1, None), Join(10_000, "till", True)]))
    def otherwise(self, action: Action) -> None:
        self.do(action)

    @invariant()
    def there_is_an_owner_exactly_where_somebody_has_answered(self) -> None:
        if not hasattr(self, "request"):
            return
        answered = {State.ACKNOWLEDGED, State.ATTENDED, State.RESOLVED}
        if self.request.state in answered:
            assert self.request.owner is not None and self.request.owner_name is not None
        if self.request.state in (State.RAISED, State.MISSED):
            assert self.request.owner is None
        assert self.request.open == (self.request.state in OPEN)


TestAnyLife = AnyLife.TestCase
