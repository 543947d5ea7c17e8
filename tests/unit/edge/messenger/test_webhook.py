"""One try at a receiver that fails in every way a real one does: how it ends, and that it always ends."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.messenger import webhook
from edge.messenger.files import Endpoint
from edge.outside.rules import Outcome
from edge.outside.store import Ended
from tests.rig import receiver as ways
from tests.rig.receiver import KEY, OK, Answer, Certificate, Receiver, status

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WITHIN_S = 0.6
Receive = Callable[..., Receiver]


def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def post(there: Receiver | int, *, scheme: str = "http", within_s: float = WITHIN_S, **more: Any) -> Ended:
    port = there if isinstance(there, int) else there.port
    endpoint = Endpoint(scheme, "localhost", port, "/floorbell?from=shop", KEY)
    more = {"private": True, "find": here} | more
    return webhook.send(endpoint, "an-id", b'{"type":"test"}', NOW, within_s=within_s, **more)


def test_what_is_sent_is_signed_over_its_id_its_time_and_its_body(receive: Receive) -> None:
    there = receive()
    assert post(there).outcome is Outcome.ACCEPTED
    (call,) = there.calls
    assert call.path == "/floorbell?from=shop" and call.id == "an-id" and call.said == {"type": "test"}
    assert call.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert call.signed_with(KEY) and not call.signed_with(b"another key")


def test_the_signature_is_the_one_of_the_published_example() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    import base64

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (OK, Outcome.ACCEPTED, "The receiver took it (200 OK)."),
        (status(500), Outcome.FAILED, "did not take it (500"),
        (status(429), Outcome.FAILED, "did not take it (429"),
        (status(410, "Gone"), Outcome.REFUSED, "refuses this message for good (410 Gone)"),
        (
            status(302, "Found", Location="http://127.0.0.1:1/"),
            Outcome.FAILED,
            "a redirect; none is followed",
        ),
        (ways.hang, Outcome.UNKNOWN, "did not answer within 0.6 seconds; whether it took"),
        (ways.drip, Outcome.UNKNOWN, "did not answer within 0.6 seconds"),
        (ways.drip_body, Outcome.UNKNOWN, "did not answer within 0.6 seconds"),
        (ways.close_mid_answer, Outcome.UNKNOWN, "hung up before its answer was whole"),
        (ways.close_silently, Outcome.UNKNOWN, "not known"),
        (ways.nonsense, Outcome.UNKNOWN, "not known"),
        (ways.flood, Outcome.ACCEPTED, "The receiver took it"),
        (ways.long_header, Outcome.UNKNOWN, "not known"),
    ],
)
def test_every_way_to_fail_ends_in_time_and_says_what_is_known(
    receive: Receive, answer: Answer, outcome: Outcome, words: str
) -> None:
    there = receive(answer)
    ended = post(there)
    assert (ended.outcome, words in ended.words) == (outcome, True), ended
    assert len(there.calls) == 1


def test_a_receiver_that_refuses_the_connection_is_a_failure() -> None:
    there = Receiver()
    there.close()
    ended = post(there.port)
    assert ended.outcome is Outcome.FAILED and "cannot be reached" in ended.words


def test_retry_after_is_read_in_seconds_and_as_a_date(receive: Receive) -> None:
    there = receive(
        status(429, Retry_After="120"),
        status(503, Retry_After="Mon, 02 Mar 2026 10:05:00 GMT"),
        status(503, Retry_After="soon"),
        status(503, Retry_After="-5"),
    )
    assert [post(there).wait_s for _ in range(4)] == [120, 300, None, None]


def test_a_certificate_counts_only_from_the_named_authority_for_this_name_and_in_time(
    receive: Receive, tmp_path: Path
) -> None:
    good, other = Certificate(tmp_path / "good"), Certificate(tmp_path / "other", "guard.example")
    old = Certificate(tmp_path / "old", until_days=-1)
    for made, ca, outcome, words in (
        (good, good, Outcome.ACCEPTED, "took it"),
        (good, None, Outcome.FAILED, "certificate is not valid"),
        (good, other, Outcome.FAILED, "certificate is not valid"),
        (other, other, Outcome.FAILED, "Hostname mismatch"),
        (old, old, Outcome.FAILED, "expired"),
    ):
        there = receive(tls=made)
        ended = post(there, scheme="https", within_s=5, certificate=str(ca.ca) if ca else None)
        assert ended.outcome is outcome and words in ended.words, ended
        assert len(there.calls) == (outcome is Outcome.ACCEPTED)


def test_a_handshake_that_nobody_answers_is_cut(tmp_path: Path) -> None:
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    ended = post(listener.getsockname()[1], scheme="https")
    listener.close()
    assert ended.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "not an address",
    ],
)
def test_a_name_that_leads_to_a_private_address_is_sent_nothing(receive: Receive, address: str) -> None:
    there, asked = receive(), list[str]()

    def find(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34", address]

    ended = post(there, private=False, find=find)
    assert ended.outcome is Outcome.FAILED and "private address" in ended.words
    assert there.calls == [] and asked == ["localhost"]


def test_a_name_is_looked_up_once_and_never_again_for_the_connection(receive: Receive) -> None:
    there, asked = receive(), list[str]()

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    assert post(there, find=rebinding).outcome is Outcome.ACCEPTED
    assert asked == ["localhost"] and there.calls[0].headers["host"] == f"localhost:{there.port}"


def test_a_name_without_an_address_is_a_failure() -> None:
    assert "has no address" in post(9, find=lambda _host, _port: []).words
