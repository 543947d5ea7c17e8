"""What a channel is told of, when it is tried and when no more: pure rules over a fake clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.outside.channels import (
    CLOSED,
    MISSED,
    OPENED,
    REOPENED,
    SECURITY,
    TEST,
    Channel,
    Happening,
    Outside,
    takes,
)
from edge.outside.rules import (
    LONGEST_ASKED,
    LONGEST_PAUSE,
    Decision,
    Outcome,
    Over,
    Send,
    Skip,
    Try,
    Wait,
    decide,
    outcome_of,
    pause,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
GUARDS = Channel("guards", "webhook", "guards.toml")
RAISED = Happening(SECURITY)


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def test_a_security_request_is_sent_at_once() -> None:
    assert decide(GUARDS, RAISED, NOW, (), NOW) == Send(1)


def test_what_was_accepted_or_refused_for_good_is_never_sent_again() -> None:
    for outcome, state in ((Outcome.ACCEPTED, "accepted"), (Outcome.REFUSED, "refused")):
        tries = (Try(NOW, outcome),)
        assert decide(GUARDS, RAISED, NOW, tries, NOW + seconds(60)) == Over(state)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNKNOWN])
def test_what_failed_or_may_have_arrived_is_tried_again_after_its_pause(outcome: Outcome) -> None:
    tries = (Try(NOW, outcome),)
    assert decide(GUARDS, RAISED, NOW, tries, NOW + seconds(1)) == Wait(NOW + seconds(2))
    assert decide(GUARDS, RAISED, NOW, tries, NOW + seconds(2)) == Send(2)


def test_pauses_double_up_to_ten_minutes() -> None:
    found = [pause(n) // seconds(1) for n in range(1, 12)]
    assert found == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    assert pause(10**9) == LONGEST_PAUSE


def test_a_receiver_that_asks_to_be_left_alone_is_but_not_for_ever() -> None:
    assert pause(1, wait_s=90) == seconds(90)
    assert pause(9, wait_s=1) == seconds(512)
    assert pause(1, wait_s=10**300) == LONGEST_ASKED


def test_at_the_deadline_it_is_given_up_and_not_tried_once_more() -> None:
    channel = Channel("guards", "webhook", "f", give_up_after_s=60)
    tries = [Try(NOW + seconds(40), Outcome.FAILED)] * 4
    assert decide(channel, RAISED, NOW, tries, NOW + seconds(41)) == Wait(NOW + seconds(56))
    tries += [Try(NOW + seconds(57), Outcome.FAILED)]
    assert decide(channel, RAISED, NOW, tries, NOW + seconds(58)) == Over("given_up")
    assert decide(channel, RAISED, NOW, (), NOW + seconds(60)) == Over("given_up")


@given(
    st.lists(st.tuples(st.floats(0, 3600), st.sampled_from(Outcome), st.none() | st.floats(0, 10**6))),
    st.floats(10, 100_000),
)
def test_whatever_happens_it_ends_and_tries_are_numbered_one_by_one(
    course: list[tuple[float, Outcome, float | None]], give_up_after_s: float
) -> None:
    channel = Channel("guards", "webhook", "f", give_up_after_s=give_up_after_s)
    now, tries = NOW, list[Try]()
    fails = [(1.0, Outcome.FAILED, None)] * 4000
    for sent, (took, outcome, wait_s) in enumerate([*course, *fails], 1):
        decision: Decision = decide(channel, RAISED, NOW, tries, now)
        if isinstance(decision, Wait):
            assert now < decision.until < NOW + seconds(give_up_after_s)
            now = decision.until
            decision = decide(channel, RAISED, NOW, tries, now)
        if isinstance(decision, Over):
            assert decide(channel, RAISED, NOW, tries, now + timedelta(days=9)) == decision
            return
        assert decision == Send(sent) and now < NOW + seconds(give_up_after_s)
        now += seconds(took)
        tries.append(Try(now, outcome, wait_s))
    raise AssertionError("it never ended")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (204, Outcome.ACCEPTED),
        (301, Outcome.FAILED),
        (400, Outcome.REFUSED),
        (401, Outcome.FAILED),
        (404, Outcome.FAILED),
        (408, Outcome.FAILED),
        (410, Outcome.REFUSED),
        (422, Outcome.REFUSED),
        (429, Outcome.FAILED),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
        (100, Outcome.FAILED),
    ],
)
def test_only_what_a_later_try_cannot_mend_is_final(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


def test_drills_go_only_to_channels_that_take_drills() -> None:
    drill = Happening(SECURITY, drill=True)
    assert decide(GUARDS, drill, NOW, (), NOW) == Skip()
    assert takes(Channel("trainer", "webhook", "f", drills=True), drill)


def test_silent_requests_go_outside_unless_the_channel_says_no() -> None:
    silent = Happening(SECURITY, silent=True)
    assert takes(GUARDS, silent)
    assert not takes(Channel("display", "webhook", "f", silent=False), silent)


def test_incidents_go_by_class_and_who_hears_of_a_close_hears_of_a_reopening() -> None:
    one = Channel("head-office", "apprise", "f", security=False, opened=("theft",), closed=("all",))
    assert takes(one, Happening(OPENED, classed_as="theft"))
    assert not takes(one, Happening(OPENED, classed_as="threat"))
    assert takes(one, Happening(CLOSED, classed_as="threat"))
    assert takes(one, Happening(REOPENED, classed_as="injury"))
    assert not takes(one, RAISED)


def test_missed_help_is_told_only_where_it_is_wanted_and_a_test_only_to_its_channel() -> None:
    assert not takes(GUARDS, Happening(MISSED))
    assert takes(Channel("m", "apprise", "f", missed=True), Happening(MISSED))
    assert takes(GUARDS, Happening(TEST, channel="guards"))
    assert not takes(GUARDS, Happening(TEST, channel="other"))


@pytest.mark.parametrize(
    ("outside", "part"),
    [
        (Outside("ftp://x"), "base_url"),
        (Outside("https://shop.example/?a"), "base_url"),
        (Outside("", (GUARDS, GUARDS)), "twice"),
        (Outside("", (Channel("a", "webhook", "f", opened=("fire",)),)), "'fire'; allowed are threat"),
        (Outside("", (Channel("a", "apprise", "f", certificate="c"),)), "a setting of a webhook"),
    ],
)
def test_settings_that_could_not_work_are_named(outside: Outside, part: str) -> None:
    wrong = outside.fault()
    assert wrong is not None and part in wrong
    assert Outside("https://shop.example/floorbell", (GUARDS,)).fault() is None
