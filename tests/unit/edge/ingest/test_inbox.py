"""What waits for the loop that commits is bounded."""

from types import SimpleNamespace
from typing import Any

import pytest

from broker.session import Arrival
from edge.ingest import inbox
from edge.ingest.inbox import Inbox, Waiting

SESSION: Any = SimpleNamespace()


def event(qos: int, kind: str = "greet") -> Waiting:
    return Waiting(SESSION, Arrival(f"floorbell/v1/trial/kiosk-1/event/{kind}", b"{}", False, qos, 1, 1))


def test_no_device_fills_the_memory_with_events_that_the_broker_does_not_hold_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 4)
    waiting = Inbox()
    for _ in range(10):
        waiting.put_event(event(0))
    assert waiting.backlog == 4
    assert len(caplog.records) == 1, "said once, not for each"
    waiting.put_event(event(1))
    waiting.put_event(event(1, "security"))
    assert waiting.backlog == 6, "what the broker holds back is always taken"


def test_security_is_taken_before_the_answers_of_pagers_and_both_before_the_rest() -> None:
    waiting = Inbox()
    kinds = ("greet", "answer", "answer", "security", "greet", "security")
    for kind in kinds:
        waiting.put_event(event(1, kind))
    taken = []
    while waiting.backlog:
        taken.append([one.arrival.topic.rpartition("/")[2] for one in waiting.take(10)[0]])
    assert taken == [["security"] * 2, ["answer"] * 2, ["greet"] * 2]


def test_a_pager_that_answers_without_end_keeps_no_press_of_others_waiting() -> None:
    waiting = Inbox()
    for kind in ("answer", "answer", "help"):
        waiting.put_event(event(1, kind))
    taken, urgent = [], []
    for _ in range(3):
        waiting.put_event(event(1, "answer"))
        taken.append([one.arrival.topic.rpartition("/")[2] for one in waiting.take(2)[0]])
        urgent.append(waiting.urgent())
    assert taken == [["answer"] * 2, ["help"], ["answer"] * 2]
    assert urgent == [False, True, False], "what else is to be done has its turn too"
