"""The rendered configuration, and which of the broker's log lines a person sees."""

from pathlib import Path

import pytest

from broker import mosquitto
from broker.brokerlog import BrokerLog
from broker.errors import ContractError
from broker.mosquitto import Settings


@pytest.fixture
def rendered(tmp_path: Path) -> tuple[list[str], list[str]]:
    configuration, access = mosquitto.render(Settings("shop", tmp_path, "10.0.0.5", 8884, max_queued=7))
    return configuration.splitlines(), access.splitlines()


def test_there_is_one_listener_and_it_asks_for_a_certificate(rendered: tuple[list[str], list[str]]) -> None:
    lines, _ = rendered
    assert [line for line in lines if line.startswith(("listener", "port", "bind_address"))] == [
        "listener 8884 10.0.0.5"
    ]
    for line in ("allow_anonymous false", "require_certificate true", "use_identity_as_username true"):
        assert line in lines
    assert "tls_version tlsv1.2" in lines
    assert not any("websockets" in line for line in lines)


def test_every_limit_is_explicit(rendered: tuple[list[str], list[str]]) -> None:
    settings = dict(line.split(" ", 1) for line in rendered[0] if not line.startswith("#"))
    assert settings["max_queued_messages"] == "7"
    for limit in (
        "max_inflight_messages",
        "max_queued_bytes",
        "max_packet_size",
        "max_connections",
        "max_keepalive",
    ):
        assert int(settings[limit]) > 0


def test_nothing_is_remembered_across_a_restart(rendered: tuple[list[str], list[str]]) -> None:
    assert "persistence false" in rendered[0]


def test_a_device_writes_and_reads_only_below_its_own_name(rendered: tuple[list[str], list[str]]) -> None:
    _, access = rendered
    devices = access[: access.index("")]
    assert all(line.startswith("pattern ") for line in devices)
    writes = {line.removeprefix("pattern write ") for line in devices if line.startswith("pattern write ")}
    base = "floorbell/v1/shop/%u"
    assert writes == {f"{base}/event/+", f"{base}/state", f"{base}/heartbeat", f"{base}/witness"}
    assert not any("readwrite" in line or "#" in line for line in access)


def test_the_web_program_only_listens_for_the_feed(rendered: tuple[list[str], list[str]]) -> None:
    _, access = rendered
    assert access[access.index("user edge-web") + 1 :] == [
        "topic read floorbell/v1/shop/feed",
        "topic read floorbell/v1/shop/edge/heartbeat",
    ]


def test_a_store_with_a_wildcard_for_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        mosquitto.render(Settings("+", tmp_path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Denied PUBLISH from tills-1 (d0, q1, r0, m5, 'floorbell/v1/shop/x/state', ...)",
            "refused: Denied PUBLISH from tills-1 (d0, q1, r0, m5, 'floorbell/v1/shop/x/state', ...)",
        ),
        (
            "tills-1 1 floorbell/v1/shop/+/receipt",
            "refused: tills-1 subscribes to floorbell/v1/shop/+/receipt",
        ),
        ("tills-1 0 #", "refused: tills-1 subscribes to #"),
        (
            "Client tills-1 already connected, closing old connection.",
            "Client tills-1 already connected, closing old connection.",
        ),
        ("mosquitto version 2.0.11 running", "mosquitto version 2.0.11 running"),
        (
            "Outgoing messages are being dropped for client edge-worker.",
            "Outgoing messages are being dropped for client edge-worker.",
        ),
    ],
)
def test_what_a_person_should_know_is_said(line: str, said: str) -> None:
    assert BrokerLog("shop").worth_saying(f"1700000000: {line}\n".encode()) == said


@pytest.mark.parametrize(
    "raw",
    [
        b"1700000000: Received PUBLISH from tills-1 (d0, q1, r0, m5, 'floorbell/v1/shop/tills-1/state', ...)",
        b"1700000000: Sending PUBACK to tills-1 (m5, rc0)",
        b"1700000000: \tfloorbell/v1/shop/tills-1/receipt (QoS 1)",
        b"1700000000: tills-1 1 floorbell/v1/shop/tills-1/receipt",
        b"1700000000: tills-1 1 floorbell/v1/shop/edge/state",
        b"1700000000: edge-worker 1 floorbell/v1/shop/+/event/+",
        b"1700000000: ",
        b"",
    ],
)
def test_what_goes_on_all_day_is_not(raw: bytes) -> None:
    assert BrokerLog("shop").worth_saying(raw + b"\n") is None


def test_a_client_of_an_older_protocol_is_pointed_out() -> None:
    raw = b"1700000000: New client connected from 10.0.0.9:50123 as tills-1 (p%d, c1, k60, u'tills-1').\n"
    assert BrokerLog("shop").worth_saying(raw % 2) == (
        "not MQTT v5: New client connected from 10.0.0.9:50123 as tills-1 (p2, c1, k60, u'tills-1')."
    )
    assert (BrokerLog("shop").worth_saying(raw % 5) or "").startswith("New client connected")


def test_a_foreign_subscription_is_named_by_its_certificate_not_by_its_chosen_client_id() -> None:
    log = BrokerLog("shop")
    log.worth_saying(
        b"1700000000: New client connected from 10.0.0.9:50123 as tills-1 (p5, c1, k60, u'shoes-1').\n"
    )
    assert log.worth_saying(b"1700000000: tills-1 1 floorbell/v1/shop/shoes-1/receipt\n") is None
    assert (
        log.worth_saying(b"1700000000: tills-1 1 floorbell/v1/shop/tills-1/receipt\n")
        == "refused: shoes-1 subscribes to floorbell/v1/shop/tills-1/receipt"
    )


def test_of_strangers_some_lines_a_minute_are_said_and_the_others_counted() -> None:
    now = [0.0]
    log = BrokerLog("shop", monotonic=lambda: now[0])
    line = b"1700000000: OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading"
    said = [log.worth_saying(line) for _ in range(500)]
    assert sum(one is not None for one in said) == 20
    assert log.worth_saying(b"1700000000: New client connected from 10.0.0.5:1 as k (p5, c1, k5, u'k').")
    now[0] = 60.0
    assert str(log.worth_saying(line)).endswith("(480 more such lines in the minute before)")
