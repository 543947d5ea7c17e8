"""A real kiosk, its real screen and a real browser: what a held security button leaves to be seen."""

import datetime as dt
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from broker import identity, mosquitto
from kiosk.config import Screen
from kiosk.screen import program as screen_program
from tests.rig.panel import until
from tests.system.kiosk_rig import SECURITY, STORE, RunningKiosk, settings

pytestmark = pytest.mark.browser


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[tuple[RunningKiosk, str]]:
    """A kiosk without a store to reach, and the address of its screen."""
    now = dt.datetime.now(dt.UTC)
    store, device = tmp_path / "store", tmp_path / "identity"
    identity.make_store(store, STORE, ["127.0.0.1"], now)
    request = identity.make_request(device, "kiosk-1")
    certificate, ca, _ = identity.sign_request(store, request, "kiosk-1", now)
    identity.install_certificate(device, certificate, ca)
    config = settings(device, mosquitto.free_port(), tmp_path / "outbox", screen=Screen())
    config = msgspec.structs.replace(config, languages=["en", "ca", "sr", "it", "pt"])
    port, stop = mosquitto.free_port(), threading.Event()
    running = RunningKiosk(config)
    assert running.error is None, running.error
    showing = threading.Thread(target=screen_program.run, args=(config, port, stop), daemon=True)
    showing.start()
    yield running, f"http://127.0.0.1:{port}/"
    stop.set()
    showing.join(10)
    running.close()


def test_a_held_security_button_is_stored_and_changes_not_one_pixel(
    kiosk: tuple[RunningKiosk, str], tmp_path: Path, page: Page
) -> None:
    running, address = kiosk
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    expect(page.get_by_role("heading")).to_have_text(re.compile("Help is slower now"), timeout=20_000)
    before, html = page.screenshot(), page.content()
    running.press(SECURITY, 0.8)
    until(lambda: b'"hold"' in b"".join(path.read_bytes() for path in (tmp_path / "outbox").glob("*.db*")))
    page.wait_for_timeout(1000)
    assert page.content() == html
    assert page.screenshot() == before


def test_a_language_touched_on_the_screen_is_the_kiosks(kiosk: tuple[RunningKiosk, str], page: Page) -> None:
    _, address = kiosk
    page.goto(address)
    page.get_by_role("button", name="Català").click()
    expect(page.locator("html")).to_have_attribute("lang", "ca")
    expect(page.get_by_role("button", name="Català")).to_have_attribute("aria-pressed", "true")
