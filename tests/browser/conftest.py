"""The demo store under Debian's Chromium. One store for all tests; each leaves nothing open behind it."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from pytest_playwright import CreateContextCallback

from tests.browser.floor_rig import Floor, SignIn, open_floor
from tests.rig.screen import Screen

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Demo:
    address: str


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.fail("Chromium is not installed; on Debian: apt-get install chromium.")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    return {"executable_path": program, "args": [*quiet, "--disable-sync", "--no-first-run"]}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo."""
    from broker.mosquitto import free_port

    folder = tmp_path_factory.mktemp("browser")
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", "--data", str(folder), "--port", str(free_port())],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    found = re.search(r"Open\s+(http://\S+)/", said)
    if found is None:
        pytest.fail(f"The demo did not start: {said}")
    yield Demo(found[1])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser's console complains of; a page that breaks its own policy shows here."""
    said: list[str] = []

    def watch(page: Page) -> None:
        page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))

    context.on("page", watch)
    yield said


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    """The kiosk's screen program beside a panel that the test plays."""
    screen = Screen(tmp_path)
    yield screen
    screen.close()


@pytest.fixture(scope="session")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """A store of its own for the phones' tests; each leaves nothing open behind it."""
    running = open_floor(tmp_path_factory.mktemp("floor") / "store")
    yield running
    running.close()


@pytest.fixture
def phone(floor: Floor, new_context: CreateContextCallback) -> SignIn:
    """A phone of their own for whoever is named."""

    def sign_in(name: str) -> Page:
        context = new_context(viewport={"width": 360, "height": 740}, has_touch=True, locale="en-GB")
        return floor.sign_in(context, name)

    return sign_in
