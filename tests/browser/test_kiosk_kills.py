"""A kiosk, its screen and its browser as real processes, and kill -9 while buttons and keys are pressed."""

import datetime as dt
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from playwright.sync_api import Page, expect

from broker import identity, mosquitto
from deploy.demo.control import Hand
from deploy.errors import DeployError
from kiosk.outbox import Outbox
from tests.rig.panel import until

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"Content-Type": "application/json", "X-Floorbell-Screen": "touch"}


class Corner:
    """The three processes, without a store to reach."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = mosquitto.free_port()
        self.hand = Hand(folder / "hand")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        now = dt.datetime.now(dt.UTC)
        store, device = folder / "store", folder / "identity"
        identity.make_store(store, "shop", ["127.0.0.1"], now)
        request = identity.make_request(device, "kiosk-1")
        identity.install_certificate(device, *identity.sign_request(store, request, "kiosk-1", now)[:2])
        (folder / "kiosk.toml").write_text(
            'store = "shop"\ndevice = "kiosk-1"\nzone = "shoes"\nlanguages = ["en", "ca"]\n[screen]\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {mosquitto.free_port()}\nidentity = "identity"\n'
            '[[button]]\nname = "till"\npin = 17\naction = "help"\ntopic = "till"\ntouch = true\n'
            '[[button]]\nname = "cancel"\npin = 27\naction = "cancel"\ntouch = true\n'
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self, name: str) -> None:
        config = str(self._folder / "kiosk.toml")
        python = [sys.executable, "-m"]
        profile = f"--user-data-dir={self._folder / 'profile'}"
        commands = {
            "kiosk": [
                *python,
                "deploy.demo.kiosk",
                "--config",
                config,
                "--socket",
                str(self._folder / "hand"),
            ],
            "screen": [*python, "kiosk", "screen", "--config", config, "--port", str(self.port), "--verbose"],
            "browser": [_chromium(), "--headless", "--no-sandbox", "--disable-gpu", profile, self.address],
        }
        self._processes[name] = subprocess.Popen(
            commands[name],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=(self._folder / f"{name}.log").open("ab"),
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def press(self, button: str) -> None:
        self.hand.press(button)
        time.sleep(0.05)
        self.hand.release(button)

    def touch(self, key: str) -> int:
        """As the page touches: the status of the answer."""
        page = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            page.request("POST", "/touch", json.dumps({"what": "key", "key": key}), HEADERS)
            return page.getresponse().status
        finally:
            page.close()

    def shows(self, state: str) -> bool:
        return self.hand.look().shown.state == state

    def pages(self) -> int:
        """How often a browser has loaded the page and its script."""
        return (self._folder / "screen.log").read_text().count("GET /static/screen.js")

    def ready(self) -> bool:
        """Whether both can be pressed."""
        try:
            return self.hand.look().shown.state != "starting" and "<button" in self.page()
        except (DeployError, OSError):
            return False

    def page(self) -> str:
        page = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            page.request("GET", "/")
            return page.getresponse().read().decode()
        except OSError:
            return ""
        finally:
            page.close()

    def stored(self) -> Counter[str]:
        """The outbox by kind, each press counted, once the kiosk has ended by itself."""
        process = self._processes.pop("kiosk")
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        outbox = Outbox(self._folder / "outbox", uuid4(), time.monotonic())
        events, more = outbox.open_events()
        outbox.close()
        assert not more
        found = Counter[str]()
        for event in events:
            found[event.kind] += msgspec.json.decode(event.payload)["data"].get("count", 1)
        return found

    def close(self) -> None:
        for name in list(self._processes):
            self.kill(name)


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None
    return found


@pytest.fixture
def corner(tmp_path: Path) -> Iterator[Corner]:
    made = Corner(tmp_path)
    try:
        made.start("kiosk")
        made.start("screen")
        until(made.ready)
        yield made
    finally:
        made.close()


def test_screens_that_are_killed_in_the_moment_of_a_touch_cost_neither_it_nor_a_press(corner: Corner) -> None:
    for _ in range(4):
        corner.press("till")
        until(lambda: corner.shows("saved"))
        until(lambda: corner.touch("cancel") == 204)
        corner.kill("screen")
        until(lambda: corner.shows("cancelled"))
        corner.press("till")
        until(lambda: corner.shows("saved"))
        corner.press("cancel")
        until(lambda: corner.shows("cancelled"))
        corner.start("screen")
        until(corner.ready)
    assert corner.stored() == {"help": 8, "cancel": 8}


def test_browsers_that_are_killed_leave_the_screen_to_the_next_one(corner: Corner, page: Page) -> None:
    for _ in range(3):
        before = corner.pages()
        corner.start("browser")
        until(lambda: corner.pages() > before)  # noqa: B023
        corner.press("till")
        corner.kill("browser")
        until(lambda: corner.shows("saved"))
        page.goto(corner.address)
        expect(page.locator("html")).to_have_attribute("data-state", "saved")
        corner.press("cancel")
        until(lambda: corner.shows("cancelled"))
        expect(page.get_by_role("heading")).to_contain_text("You cancelled")
    assert corner.stored() == {"help": 3, "cancel": 3}


def test_a_kiosk_that_is_killed_is_missed_on_its_screen_and_comes_back_with_what_it_had_saved(
    corner: Corner, page: Page
) -> None:
    page.goto(corner.address)
    page.wait_for_timeout(450)
    page.get_by_role("button", name="Till", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-state", "saved")
    corner.kill("kiosk")
    expect(page.get_by_role("heading")).to_contain_text("has lost its connection to the kiosk")
    expect(page.get_by_role("button")).to_have_count(0)
    assert corner.touch("cancel") == 503
    corner.start("kiosk")
    expect(page.locator("html")).to_have_attribute("data-state", "saved", timeout=15_000)
    corner.press("till")
    until(lambda: "pressed again" in corner.hand.look().shown.sentence)
    assert corner.stored() == {"help": 2}
