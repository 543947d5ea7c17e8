"""Apprise, in a child of its own, against a receiver that is here: `json://` is one of its own kinds."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.messenger import shouting
from edge.outside.channels import Channel
from edge.outside.rules import Outcome
from tests.rig import receiver as ways
from tests.rig.receiver import OK, Answer, Receiver, status

from .conftest import Post, secret_file

Receive = Callable[..., Receiver]


def address(there: Receiver) -> str:
    return f"json://localhost:{there.port}/secret-word"


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (OK, Outcome.ACCEPTED, "The provider took it."),
        (status(401), Outcome.FAILED, "did not take it (HTTP 401)"),
        (status(500), Outcome.FAILED, "did not take it (HTTP 500)"),
        (ways.close_silently, Outcome.UNKNOWN, "no line to the provider, or it broke"),
    ],
)
def test_what_the_provider_answers_is_told_and_no_more(
    receive: Receive, answer: Answer, outcome: Outcome, words: str
) -> None:
    there = receive(answer)
    ended = shouting.send(address(there), "A title", "Some words", urgent=True, within_s=10, private=True)
    assert ended.outcome is outcome and words in ended.words and "secret-word" not in ended.words
    (call,) = there.calls
    assert call.said["title"] == "A title" and call.said["message"] == "Some words"


def test_a_provider_that_drips_is_cut_off_with_its_child(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shouting, "BEGIN_S", 3.0)
    there = address(receive(ways.drip_body))
    ended = shouting.send(there, "A title", "Words", urgent=False, within_s=1, private=True)
    assert ended.outcome is Outcome.UNKNOWN and "did not answer within 4 seconds" in ended.words


def test_a_provider_inside_is_reached_only_where_that_is_allowed(receive: Receive) -> None:
    there = receive(OK, OK, OK)
    for inside in (address(there), f"json://127.0.0.1:{there.port}/x"):
        ended = shouting.send(inside, "A title", "Words", urgent=False, within_s=10)
        assert ended.outcome is Outcome.FAILED and "set allow_private = true" in ended.words, inside
    assert there.calls == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433"])
def test_nor_is_one_that_is_told_by_a_datagram_and_looks_nothing_up(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.setblocking(False)
        inside = f"rsyslog://{host}:{there.getsockname()[1]}"
        ended = shouting.send(inside, "A title", "Words", urgent=False, within_s=10)
        assert ended.outcome is Outcome.FAILED and "set allow_private = true" in ended.words
        with pytest.raises(BlockingIOError):
            there.recv(1000)


def test_an_address_of_no_kind_that_apprise_knows_is_named_without_being_quoted() -> None:
    ended = shouting.send("secret-word://nothing", "A title", "Words", urgent=False, within_s=10)
    assert ended.outcome is Outcome.FAILED and "does not know this kind" in ended.words


def test_each_address_of_a_file_is_told_and_tried_by_itself(post: Post, receive: Receive) -> None:
    good, bad = receive(), receive(status(500), OK)
    file = secret_file(post.folder, "boss.txt", f"{address(good)}\n{address(bad)}\n")
    messenger = post.open(Channel("boss", "apprise", file, allow_private=True))
    post.tests("boss")
    post.land(messenger)
    assert [(row.part, row.state) for row in post.deliveries()] == [(1, "accepted"), (2, "waiting")]
    post.clock.forward(2)
    post.land(messenger)
    assert [row.state for row in post.deliveries()] == ["accepted", "accepted"]
    assert (len(good.calls), len(bad.calls)) == (1, 2)
    assert "secret-word" not in repr([tuple(row) for row in post.deliveries()]) + repr(post.tries())


def test_the_messenger_itself_never_loads_apprise() -> None:
    code = "import sys, edge.messenger.loop; sys.exit('apprise' in sys.modules)"
    root = str(Path(__file__).parents[4])
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": root}).returncode == 0
