"""The topic table."""

import pytest

from broker import topics
from broker.errors import ContractError
from broker.topics import Address, Channel


@pytest.mark.parametrize("channel", [c for c in Channel if c is not Channel.EVENT])
def test_a_devices_topic_is_read_back_as_it_was_built(channel: Channel) -> None:
    topic = topics.of_device("shop", "tills-1", channel)
    assert topics.parse(topic) == Address("shop", "tills-1", channel)


def test_an_event_topic_carries_its_kind() -> None:
    topic = topics.event("shop", "tills-1", "help")
    assert topic == "floorbell/v1/shop/tills-1/event/help"
    assert topics.parse(topic) == Address("shop", "tills-1", Channel.EVENT, "help")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "floorbell",
        "floorbell/v2/shop/tills-1/state",
        "floorbell/v1/shop/tills-1",
        "floorbell/v1/shop/tills-1/event",
        "floorbell/v1/shop/tills-1/event/help/more",
        "floorbell/v1/shop/tills-1/state/more",
        "floorbell/v1/shop/Tills/state",
        "floorbell/v1/shop/tills-1/event/Help",
        "floorbell/v1/shop/tills-1/unknown",
        "floorbell/v1/shop/+/state",
        "floorbell/v1//tills-1/state",
        topics.edge_state("shop"),
        topics.edge_heartbeat("shop"),
        topics.feed("shop"),
        topics.pager_page("shop", "belt-1"),
    ],
)
def test_any_other_topic_is_refused_with_its_name(topic: str) -> None:
    with pytest.raises(ContractError, match="is not a device's topic") as refused:
        topics.parse(topic)
    assert repr(topic) in refused.value.reason


def test_a_very_long_topic_is_cut_in_the_sentence() -> None:
    with pytest.raises(ContractError) as refused:
        topics.parse("x" * 60_000)
    assert len(refused.value.reason) < 250


@pytest.mark.parametrize("name", ["a", "0", "shop-1", "a" * 32])
def test_a_good_name_is_given_back(name: str) -> None:
    assert topics.check_name(name, "The zone's name") == name


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a/b", "a+", "#", "é", "a" * 33, "a\n"])
def test_a_bad_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(ContractError, match=r"The zone's name is .* allowed is 1 to 32") as refused:
        topics.check_name(name, "The zone's name")
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize("name", ["edge", "feed", "pager", "edge-worker", "edge-2"])
def test_a_device_cannot_take_the_servers_names(name: str) -> None:
    with pytest.raises(ContractError, match="are taken"):
        topics.check_device_name(name)
