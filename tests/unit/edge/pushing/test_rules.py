"""What a push says, and what the answers of push services mean."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from edge.pushing import rules
from edge.pushing.rules import DISCREET, PLAIN_BYTES, TRIAL, Matter, Outcome

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HELP = Matter("help", "r-1", "Shoes")


@pytest.mark.parametrize("kind", sorted(DISCREET))
def test_what_is_discreet_says_neither_what_nor_where_nor_which(kind: str) -> None:
    said = rules.said("push-1", Matter(kind, "r-2", "Jewellery", drill=True), NOW)
    assert set(json.loads(said)) == {"push", "tag", "at", "what"} and json.loads(said)["what"] == "open"
    assert not any(word in said.decode() for word in (kind, "Jewellery", "r-2"))


def test_help_says_what_and_where_and_never_who() -> None:
    said = json.loads(rules.said("push-1", HELP, NOW))
    assert (said["what"], said["place"], said["drill"]) == ("help", "Shoes", False)
    assert set(said) == {"push", "tag", "at", "what", "place", "drill", "request"}


def test_the_push_service_sees_no_difference_between_security_and_anything_else() -> None:
    alarm, until = Matter("security", "r-2", "Jewellery"), NOW + rules.WORTH
    long = Matter("help", "r-3", "Ж" * 80, drill=True)
    assert {len(rules.said("p" * 36, one, NOW)) for one in (HELP, alarm, long, Matter(TRIAL, "s"))} == {
        PLAIN_BYTES
    }
    heads = [rules.headers(one, until, NOW) for one in (HELP, alarm)]
    assert len({one.pop("Topic") for one in heads}) == 2 and heads[0] == heads[1]
    assert heads[0]["TTL"] == "60" and heads[0]["Urgency"] == "high"


def test_a_later_push_about_the_same_request_takes_the_place_of_the_earlier_one() -> None:
    assert rules.topic(HELP) == rules.topic(Matter("help", "r-1", "Elsewhere"))
    assert len(rules.topic(HELP)) == 32 and rules.topic(HELP).replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Outcome.SENT),
        (200, Outcome.UNKNOWN),
        (202, Outcome.UNKNOWN),
        (307, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (404, Outcome.GONE),
        (410, Outcome.GONE),
        (413, Outcome.REFUSED),
        (429, Outcome.FAILED),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
    ],
)
def test_only_201_is_sent(status: int, outcome: Outcome) -> None:
    assert rules.ended(status, str(status), None).outcome is outcome


def test_it_is_tried_again_after_growing_pauses_and_not_after_the_page_is_worth_nothing() -> None:
    until, now, at = NOW + rules.WORTH, NOW, []
    for number in range(1, 20):
        found = rules.next_at(until, number, None, now)
        if found is None:
            break
        at.append((found - NOW).total_seconds())
        now = found
    assert at == [1, 3, 7, 15, 25, 35, 45, 55]


def test_a_service_that_asks_for_more_time_than_there_is_is_not_asked_again() -> None:
    until = NOW + rules.WORTH
    assert rules.next_at(until, 1, 20, NOW) == NOW + timedelta(seconds=20)
    assert rules.next_at(until, 1, 60, NOW) is None and rules.next_at(until, 1, 1e12, NOW) is None
    assert rules.next_at(until, 1, 0, NOW) == NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/x",
        "https:///x",
        "https://me:secret@push.example/x",
        "https://push.example:0/x",
        "https://push.example/ x",
        "https://push.exämple/x",
        "https://[::1/x",
        "https://push.example/" + "x" * 1000,
        "javascript:alert(1)",
        "",
    ],
)
def test_what_is_no_address_of_a_push_service_is_refused(endpoint: str) -> None:
    assert rules.parts(endpoint) is None


def test_an_ordinary_address_is_taken() -> None:
    assert rules.parts("https://fcm.googleapis.com/fcm/send/abc:def?x=1") is not None
