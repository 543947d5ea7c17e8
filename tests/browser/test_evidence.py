"""Yesterday's security request at the desk: its clip is looked at, held, exported, downloaded and proved."""

import base64
import datetime as dt
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from deploy.demo import shop
from deploy.provision import writing
from edge.handling import incidents
from tests.browser.test_desk_log import sign_in_at_the_desk
from tests.browser.test_round import PATIENCE_MS
from tests.rig import film, footage, furnished
from tests.rig.footage import Shot

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
# More than a piece of 2 MiB, so that the browser has to ask again.
SECONDS, WIDTH, HEIGHT = 4, 640, 360


PLAY = """async (video) => {
    const happened = (name) => new Promise((done, fail) => {
        video.addEventListener(name, done, {once: true});
        video.addEventListener('error', () => fail(video.error.message), {once: true});
    });
    await video.play();
    if (!video.ended) await happened('ended');
    return [video.currentTime, video.videoWidth];
}"""


@dataclass(frozen=True)
class Store:
    address: str
    alarm: str
    case: str


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with its web and its vault program, and a clip of yesterday in it."""
    config = furnished.empty(tmp_path_factory.mktemp("evidence"))
    now = dt.datetime.now(dt.UTC)
    yesterday = now.astimezone().replace(hour=12, minute=0) - dt.timedelta(days=1)
    video = film.fragmented(SECONDS, WIDTH, HEIGHT, grain=60)
    assert len(video) > 5_000_000
    with writing(config) as conn:
        alarm = furnished.request(
            conn, yesterday, "entrance", "hold", kind="security", state="missed", silent=True, closed_at=now
        )
        at = yesterday - dt.timedelta(seconds=SECONDS / 2)
        shot = Shot(shop.STORE, "kiosk-entrance", "entrance", alarm, at, video, SECONDS, WIDTH, HEIGHT)
        footage.seal(conn, config.vault_path, shot, now)
        case = incidents.of_request(conn, shop.STORE, alarm, now)
    with furnished.served(config) as address, furnished.vault(config):
        yield Store(address, alarm, case)


def test_a_manager_looks_holds_exports_and_proves(
    store: Store, page: Page, context: BrowserContext, complaints: list[str], tmp_path: Path
) -> None:
    sign_in_at_the_desk(page, store.address)
    page.goto(f"{store.address}/manage/log?kind=security")
    page.locator(f'[data-id="{store.alarm}"] a').click()
    page.get_by_role("heading", name="Clip", exact=True).wait_for()
    page.locator("#h-clips ~ * a").click()

    expect(page.locator("video")).to_have_count(0)
    page.get_by_label("Reason for looking").fill("The police have asked")
    page.get_by_role("button", name="Look at the clip").click()
    played = page.locator("video").evaluate(PLAY)
    assert played == [pytest.approx(SECONDS, abs=0.3), WIDTH]

    page.get_by_label("Reason for the hold").fill("Police case 12")
    page.get_by_role("button", name="Hold it").click()
    expect(page.locator(".holds")).to_contain_text("Held by Helen")
    # The look goes on.
    expect(page.locator("video")).to_have_count(1)

    page.get_by_label("Reason for the export").fill("For the police")
    page.get_by_role("button", name="Export").click()
    button = page.get_by_role("button", name="Download the bundle")
    expect(button).to_be_visible()
    with page.expect_download() as fetched:
        button.click()
    bundle = tmp_path / "bundle.zip"
    fetched.value.save_as(bundle)
    said = re.findall(r"(--\w+) (\S+)", page.locator("pre.keep").inner_text())
    done = verified(bundle, *(word for pair in said for word in pair))
    assert done.stdout.startswith("ok:") and done.returncode == 0
    # Without what was written down, nothing is proved.
    assert "unknown key" in verified(bundle).stdout
    with zipfile.ZipFile(bundle) as archive:
        (copy,) = (archive.read(name) for name in archive.namelist() if name.endswith("working.mp4"))
    assert plays(context, copy) == [pytest.approx(SECONDS, abs=0.3), WIDTH]

    page.goto(page.url)
    deeds = page.locator(".custody tbody tr td:nth-child(2)").all_inner_texts()
    assert deeds == ["Downloaded", "Exported"]
    page.locator(".clips tbody a").click()
    deeds = page.locator(".custody tbody tr td:nth-child(2)").all_inner_texts()
    assert deeds == ["Exported", "Held", "Looked at", "Sealed"]
    assert complaints == []


def test_an_incident_goes_from_its_page_to_the_police_in_one_button_and_a_reason(
    store: Store, page: Page, complaints: list[str], tmp_path: Path
) -> None:
    sign_in_at_the_desk(page, store.address)
    page.goto(f"{store.address}/manage/incidents/{store.case}")
    page.get_by_role("link", name="Export for the police or a court").click()
    page.get_by_label("For whom and why").fill("Police, file 12")
    page.get_by_role("button", name="Export for the police or a court").click()
    button = page.get_by_role("button", name="Download the bundle")
    expect(button).to_be_visible()
    with page.expect_download() as fetched:
        button.click()
    bundle = tmp_path / "bundle.zip"
    fetched.value.save_as(bundle)
    said = re.findall(r"(--\w+) (\S+)", page.locator("pre.keep").inner_text())
    known = [word for pair in said for word in pair]
    done = verified(bundle, *known)
    assert done.stdout.startswith("ok:") and done.returncode == 0
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert json.loads(files["incident.json"])["purpose"] == "Police, file 12"
    files["incident.json"] = files["incident.json"].replace(b"file 12", b"file 13")
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    assert "altered: incident.json" in verified(bundle, *known).stdout
    assert complaints == []


def plays(context: BrowserContext, video: bytes) -> object:
    """As a file that was taken out of a bundle, on a page of its own."""
    page = context.new_page()
    page.set_content(f'<video muted src="data:video/mp4;base64,{base64.b64encode(video).decode()}"></video>')
    try:
        return page.locator("video").evaluate(PLAY)
    finally:
        page.close()


def verified(bundle: Path, *known: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.cli", "evidence", "verify", str(bundle), *known]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
