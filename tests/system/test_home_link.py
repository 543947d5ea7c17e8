"""The bridge's connection at a real broker: what is refused there, and that it is said in a sentence."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.bridge.link import Link, LinkFault
from edge.home_assistant.settings import HomeAssistant
from edge.secret_files import FileFault
from tests.rig.home import PASSWORD, HomeBroker
from tests.rig.receiver import Certificate
from tests.rig.store import listens, wait_for

pytestmark = pytest.mark.system
WILL = ("floorbell/shop/status", b"offline")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[..., HomeBroker]]:
    made: list[HomeBroker] = []

    def begin(tls: Certificate | None = None) -> HomeBroker:
        made.append(HomeBroker(tmp_path / "home", "shop", tls))
        made[-1].start()
        wait_for(lambda: listens(made[-1].port), "the broker's start", 60)
        return made[-1]

    yield begin
    for one in made:
        one.stop()


def link(folder: Path, port: int, password: str = PASSWORD, mode: int = 0o600, **settings: Any) -> Link:
    secret = folder / "home.txt"
    secret.write_text(f"{password}\n")
    secret.chmod(mode)
    given = {"tls": False, "username": "floorbell", "password_file": "home.txt"} | settings
    home = HomeAssistant("127.0.0.1", port, **given)
    return Link(home, folder, "floorbell-shop", WILL, ("homeassistant/status", "floorbell/shop/+/+"))


def refused(one: Link) -> str:
    """The sentence with which it does not connect."""
    with pytest.raises((LinkFault, FileFault)) as said:
        one.open()
    assert not one.connected and "\n" not in str(said.value) and PASSWORD not in str(said.value)
    return str(said.value)


def test_a_wrong_password_is_said_and_so_is_a_file_that_others_may_read(
    home: Callable[..., HomeBroker], tmp_path: Path
) -> None:
    port = home().port
    said = refused(link(tmp_path, port, "guessed"))
    assert said.startswith(f"Home Assistant's broker at 127.0.0.1:{port} refuses the connection: ")
    assert refused(link(tmp_path, port, mode=0o644)).startswith("home.txt may be read by others (mode 0644)")
    (tmp_path / "home.txt").unlink()
    one = link(tmp_path, port)
    (tmp_path / "home.txt").unlink()
    assert refused(one) == "home.txt cannot be read: No such file or directory."


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "127.0.0.1:1 cannot be reached: " in refused(link(tmp_path, 1))


def test_what_the_user_may_not_write_is_named(home: Callable[..., HomeBroker], tmp_path: Path) -> None:
    one = link(tmp_path, home().port)
    one.open()
    one.tell("floorbell/shop/kiosk-1/help", b"free")
    one.tell("light/kitchen/set", b"on")
    found: list[str] = []
    wait_for(lambda: found.extend(one.refusals()) or found, "the refusal", 60)
    assert len(found) == 1 and "does not take light/kitchen/set: Not authorized." in found[0]
    # What it told is its own: it does not come back.
    assert one.heard() == []
    one.close()


def test_with_tls_only_the_ca_that_is_named_counts(home: Callable[..., HomeBroker], tmp_path: Path) -> None:
    secured, other = (Certificate(tmp_path / name, "127.0.0.1") for name in ("tls", "other"))
    port = home(secured).port
    secured_settings = {"tls": True, "certificate": str(secured.ca)}
    one = link(tmp_path, port, **secured_settings)
    one.open()
    assert one.connected
    one.close(WILL)
    assert not one.connected
    assert "cannot be reached: " in refused(link(tmp_path, port, tls=True, certificate=str(other.ca)))
    assert "cannot be reached: " in refused(link(tmp_path, port, tls=True))
    assert "nothing.pem, cannot be used" in refused(link(tmp_path, port, tls=True, certificate="nothing.pem"))


def test_a_connection_that_ends_is_noticed(home: Callable[..., HomeBroker], tmp_path: Path) -> None:
    broker = home()
    one = link(tmp_path, broker.port)
    one.open()
    broker.stop()
    wait_for(lambda: not one.connected, "the end", 60)
    one.close(WILL)
