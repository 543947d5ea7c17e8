"""A browser comes to trust the store by the CA of the page /trust, and opens its pages without a warning."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Error, expect

from broker import phones
from broker.mosquitto import free_port
from edge.web.trust import fingerprint
from tests.rig.demo import QUIET, chromium
from tests.rig.store import Rig, listens, wait_for

pytestmark = pytest.mark.browser
NAME = "floorbell.local"


@dataclass(frozen=True)
class Served:
    rig: Rig
    trust_port: int

    @property
    def ca(self) -> Path:
        return phones.ca_path(self.rig.config.identity_path)

    @property
    def pages(self) -> str:
        return f"https://{NAME}:{self.rig.config.web.port}/"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    rig = Rig.make(tmp_path_factory.mktemp("trusting") / "shop", devices=(), hosts=("127.0.0.1", NAME))
    port = free_port()
    rig.configure(
        lambda text: text.replace("[web]", f'[web]\ntls = "store"\ntrust_port = {port}').replace(
            "secure_cookies = false", "secure_cookies = true"
        )
    )
    try:
        rig.start("web")
        wait_for(lambda: listens(rig.config.web.port) and listens(port), "The pages' start", 60)
        yield Served(rig, port)
    finally:
        rig.stop()


@pytest.fixture
def launch(browser_type: BrowserType, tmp_path: Path) -> Iterator[Any]:
    """A Chromium whose user trusts these CAs; the store's name leads here."""
    opened: list[Browser] = []

    def launch(*trusted: Path) -> Browser:
        home = tmp_path / f"home-{len(opened)}"
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True)
        if trusted and shutil.which("certutil") is None:
            pytest.skip("There is no certutil here; on Debian: apt-get install libnss3-tools.")
        for number, ca in enumerate(trusted):
            store = ["certutil", "-d", f"sql:{database}"]
            if not number:
                subprocess.run([*store, "-N", "--empty-password"], check=True, capture_output=True)
            add = [*store, "-A", "-n", f"ca-{number}", "-t", "C,,", "-i", str(ca)]
            subprocess.run(add, check=True, capture_output=True)
        leads_here = f"--host-resolver-rules=MAP {NAME} 127.0.0.1, MAP bank.example 127.0.0.1"
        browser = browser_type.launch(
            executable_path=chromium(), args=[*QUIET, leads_here], env={**os.environ, "HOME": str(home)}
        )
        opened.append(browser)
        return browser

    yield launch
    for browser in opened:
        browser.close()


def test_before_the_ca_is_installed_the_pages_are_refused(served: Served, launch: Any) -> None:
    page = launch().new_page()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto(served.pages)


def test_with_what_the_trust_page_gives_the_pages_open_and_their_stream_runs(
    served: Served, launch: Any, tmp_path: Path
) -> None:
    page = launch().new_page()
    page.goto(f"http://127.0.0.1:{served.trust_port}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Let this phone trust The trial store")
    shown = page.locator(".code").inner_text().replace("\n", ":")
    assert shown == fingerprint(served.ca.read_text())
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Get the certificate").first.click()
    got = tmp_path / "floorbell-ca.crt"
    fetched.value.save_as(got)
    trusting = launch(got).new_page()
    complaints: list[str] = []
    trusting.on("pageerror", lambda error: complaints.append(str(error)))
    answer = trusting.goto(served.pages)
    assert answer is not None and answer.security_details()["issuer"] == "Floorbell trial pages"  # type: ignore[index, typeddict-item]
    trusting.goto(f"{served.pages}floor/")
    trusting.get_by_role("link", name="Ana", exact=True).click()
    for digit in served.rig.people["Ana"].pin or "":
        trusting.locator(f"[data-digit='{digit}']").click()
    trusting.get_by_label("Sign in", exact=True).click()
    # 'stopped': the stream runs, and says that no worker does here.
    runs = re.compile("connected|stopped")
    expect(trusting.locator("#link")).to_have_attribute("data-link", runs, timeout=60_000)
    cookies = {one["name"]: one for one in trusting.context.cookies()}
    assert all(one["secure"] for one in cookies.values()) and "floorbell_floor" in cookies
    assert complaints == []
    with pytest.raises(Error, match="ERR_CERT_"):
        trusting.goto(f"https://bank.example:{served.rig.config.web.port}/")
