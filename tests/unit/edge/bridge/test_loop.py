"""What the bridge keeps at Home Assistant's broker, with a broker that only remembers."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.errors import SettingsError
from edge.bridge.link import Heard, Link, LinkFault
from edge.bridge.loop import Bridge
from edge.config import EdgeConfig
from edge.home_assistant.settings import HomeAssistant
from tests.unit.edge.conftest import STORE, Clock, SmallStore

OWN = f"floorbell/{STORE}/status"
CONFIG = f"homeassistant/device/floorbell_{STORE}_kiosk-1/config"


class FakeLink(Link):
    """Remembers what it was given to tell."""

    def __init__(self) -> None:
        self.up, self.fault, self.end = False, "", ""
        self.told: list[tuple[str, bytes]] = []
        self.kept: dict[str, bytes] = {}
        self.come: list[Heard] = []
        self.refused: list[str] = []

    @property
    def connected(self) -> bool:
        return self.up

    def open(self) -> None:
        if self.fault:
            raise LinkFault(self.fault)
        self.up = True
        kept = ((topic, said) for topic, said in self.kept.items() if topic.startswith("floorbell/"))
        self.come = [Heard(topic, said, True) for topic, said in kept if topic != OWN]

    def tell(self, topic: str, payload: bytes) -> None:
        self.told.append((topic, payload))
        self.kept[topic] = payload
        if not payload:
            del self.kept[topic]

    def heard(self) -> list[Heard]:
        come, self.come = self.come, []
        return come

    def refusals(self) -> list[str]:
        return self.refused

    def close(self, last: tuple[str, bytes] | None = None) -> None:
        if last is not None:
            self.tell(*last)
        self.up = False


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def bridge(small_store: SmallStore, clock: Clock, tmp_path: Path, link: FakeLink) -> Iterator[Bridge]:
    made = begin(small_store, clock, tmp_path, link)
    yield made
    made.close()


def begin(
    small: SmallStore,
    clock: Clock,
    folder: Path,
    link: FakeLink,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> Bridge:
    home = HomeAssistant("home.shop.example")
    config = EdgeConfig(STORE, "Shop", database=small.url, home_assistant=home, directory=str(folder))
    return Bridge(config, clock, monotonic, link)


def test_without_a_section_it_does_not_begin(small_store: SmallStore) -> None:
    with pytest.raises(SettingsError, match=r"^edge\.toml has no \[home_assistant\], so there is nobody"):
        Bridge(EdgeConfig(STORE, "Shop", database=small_store.url))


def test_what_has_not_changed_is_told_once_and_that_anything_is_known_comes_last(
    bridge: Bridge, link: FakeLink
) -> None:
    bridge.turn()
    assert link.told[-1] == (OWN, b"online") and CONFIG in link.kept
    link.told.clear()
    bridge.turn()
    assert link.told == []


def test_everything_is_told_again_once_home_assistant_has_started(bridge: Bridge, link: FakeLink) -> None:
    bridge.turn()
    first = sorted(link.told)
    link.told.clear()
    link.come = [Heard("homeassistant/status", b"offline", False)]
    bridge.turn()
    assert link.told == []
    link.come = [Heard("homeassistant/status", b"online", False)]
    bridge.turn()
    assert sorted(link.told) == first


def test_what_an_earlier_run_left_of_a_kiosk_that_is_gone_is_taken_away_description_first(
    bridge: Bridge, link: FakeLink
) -> None:
    old = f"homeassistant/device/floorbell_{STORE}_old/config"
    link.kept = {old: b"{}", f"floorbell/{STORE}/old/help": b"free", f"floorbell/{STORE}/old/camera": b"ok"}
    bridge.turn()
    assert not any("old" in topic for topic in link.kept)
    assert next(topic for topic, said in link.told if not said) == old


def test_somebody_elses_word_under_a_topic_of_ours_does_not_stand(bridge: Bridge, link: FakeLink) -> None:
    bridge.turn()
    topic = f"floorbell/{STORE}/kiosk-1/help"
    link.kept[topic] = b"here"
    link.come = [Heard(topic, b"here", False)]
    bridge.turn()
    assert link.kept[topic] == b"free"


def test_that_another_store_of_this_name_is_there_is_said_once(
    bridge: Bridge, link: FakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    link.kept = {f"floorbell/{STORE}/old/help": b"free"}
    bridge.turn()
    assert not caplog.records
    for payload in (b"", b"free", b""):
        link.come = [Heard(f"floorbell/{STORE}/till-9/help", payload, False)]
        bridge.turn()
    (said,) = caplog.records
    assert "Two stores of one name cannot share it" in said.message


@pytest.mark.parametrize("name", ["x" * 65_000, "", "Old", "a_b"])
def test_a_topic_that_names_no_kiosk_is_taken_away_alone(bridge: Bridge, link: FakeLink, name: str) -> None:
    link.kept = {f"floorbell/{STORE}/{name}/help": b"free"}
    bridge.turn()
    assert {topic for topic, said in link.told if not said} == {f"floorbell/{STORE}/{name}/help"}


def test_while_the_database_cannot_be_read_nothing_is_known(
    bridge: Bridge, link: FakeLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge.turn()
    from edge.errors import StorageError
    from edge.home_assistant import kiosks

    def gone(*_: object) -> None:
        raise StorageError("The disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(kiosks, "read", gone)
        bridge.turn()
        assert link.kept[OWN] == b"offline" and CONFIG in link.kept
    bridge.turn()
    assert link.kept[OWN] == b"online"


def test_trouble_is_said_once_and_tries_come_at_longer_and_longer_intervals(
    small_store: SmallStore, clock: Clock, tmp_path: Path, link: FakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    at, tries = 0.0, []
    bridge = begin(small_store, clock, tmp_path, link, lambda: at)
    link.fault = "It refuses the connection: Not authorized."
    link.open = lambda: tries.append(at) or FakeLink.open(link)  # type: ignore[method-assign,func-returns-value]
    for second in range(400):
        at = float(second)
        bridge.turn()
    assert 6 <= len(tries) <= 14
    link.fault = ""
    at = 1000.0
    bridge.turn()
    assert [record.message for record in caplog.records] == [
        "It refuses the connection: Not authorized.",
        "Home Assistant is told again.",
    ]
    bridge.close()


def test_a_connection_that_ends_at_once_is_not_begun_anew_every_second(
    small_store: SmallStore, clock: Clock, tmp_path: Path, link: FakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    at, begun = 0.0, []
    bridge = begin(small_store, clock, tmp_path, link, lambda: at)
    for second in range(200):
        at = float(second)
        bridge.turn()
        if link.up:
            begun.append(second)
            link.up, link.end = False, "It ended the connection: Session taken over."
    assert 4 <= len(begun) <= 12
    assert {record.message for record in caplog.records if record.levelno >= logging.WARNING} == {link.end}
    bridge.close()


def test_one_that_stood_for_a_while_is_begun_anew_soon(
    small_store: SmallStore, clock: Clock, tmp_path: Path, link: FakeLink
) -> None:
    at = 0.0
    bridge = begin(small_store, clock, tmp_path, link, lambda: at)
    for day in range(5):
        at = day * 86_400.0
        while not link.up:
            bridge.turn()
            at += 0.1
        assert at - day * 86_400 < 2
        at += 3600
        link.up = False
        bridge.turn()
    bridge.close()


def test_what_the_broker_does_not_take_is_said_once(
    bridge: Bridge, link: FakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    link.refused = ["It does not take a topic: Not authorized."]
    bridge.turn()
    bridge.turn()
    assert [record.message for record in caplog.records] == ["It does not take a topic: Not authorized."]
