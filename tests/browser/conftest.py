"""The demo store under Debian's Chromium. One store for all tests; each leaves nothing open behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from pytest_playwright import CreateContextCallback

from tests.browser.floor_rig import Floor, SignIn, open_floor
from tests.rig import furnished
from tests.rig.demo import QUIET, chromium, running
from tests.rig.screen import Screen


@dataclass(frozen=True)
class Demo:
    address: str


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return {"executable_path": chromium(), "args": list(QUIET)}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo."""
    with running(tmp_path_factory.mktemp("browser")) as address:
        yield Demo(address)


@dataclass(frozen=True)
class WorkedIn:
    """`names` are what addresses of this store name; see furnish()."""

    address: str
    names: dict[str, str]


@pytest.fixture(scope="session")
def worked_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkedIn]:
    """A store after some days of work. Its web program runs alone: no press comes in."""
    config = furnished.empty(tmp_path_factory.mktemp("worked-in"))
    names = furnished.furnish(config)
    with furnished.served(config) as address:
        yield WorkedIn(address, names)


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
