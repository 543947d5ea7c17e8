"""What a phone's page sounds like, how few taps it takes, and that everything on it fits."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserType, Page, expect

from tests.browser.floor_rig import LONG_NAME, Floor, SignIn, accept, close, serious, waiting

pytestmark = pytest.mark.browser
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

# The hertz of every tone that is really started, and every vibration.
LISTEN = """() => {
    window.tones = [];
    window.vibrations = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) {
        if (this.context.state === "running") tones.push(this.frequency.value);
        return start.call(this, at);
    };
    Navigator.prototype.vibrate = (pattern) => vibrations.push(pattern.length);
}"""
# Whatever can be touched and is smaller than 44 pixels, and how far the page is too wide.
MISFITS = """() => {
    const small = [...document.querySelectorAll("a, button, summary, input:not([type=hidden]), textarea")]
        .filter((one) => one.checkVisibility())
        .map((one) => [one.getBoundingClientRect(), one.textContent.trim() || one.id])
        .filter(([box]) => box.width < 44 || box.height < 44)
        .map(([box, name]) => `${name}: ${box.width} x ${box.height}`);
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    return wide > 0 ? [...small, `${wide} pixels too wide`] : small;
}"""


def heard(page: Page, what: str) -> list[Any]:
    found: list[Any] = page.evaluate(f"() => window.{what}.splice(0)")
    return found


def test_help_and_security_sound_different_and_security_sounds_until_somebody_answers(
    floor: Floor, phone: SignIn
) -> None:
    # A supervisor: called at once for security, for help after half a minute.
    # On a page that nobody has touched.
    sofia = phone("Sofia").context.new_page()
    sofia.goto(f"{floor.rig.url}/floor/")
    sofia.evaluate(LISTEN)
    expect(sofia.locator("#sound")).to_have_text("Sound off: touch the screen")
    expect(sofia.locator("#sound")).to_be_visible()
    alarm = floor.press(security=True)
    waiting(sofia)
    assert heard(sofia, "tones") == []
    sofia.get_by_role("heading", name="Sofia").tap()
    expect(sofia.locator("#sound")).to_be_hidden()
    # The next round, ten seconds later.
    sofia.wait_for_function("() => window.tones.length >= 9")
    security = heard(sofia, "tones")
    assert sorted(set(security)) == [220, 330]
    sofia.wait_for_function("() => window.tones.length >= 9")
    assert heard(sofia, "tones") == security
    # The first one was felt, not heard.
    felt = heard(sofia, "vibrations")
    assert set(felt) == {11} and len(felt) >= 3
    accept(sofia)
    close(sofia)

    ana = phone("Ana")
    ana.evaluate(LISTEN)
    # The taps of her PIN have allowed it.
    expect(ana.locator("#sound")).to_be_hidden()
    request = floor.press()
    ana.wait_for_function("() => window.tones.length >= 4")
    assert set(heard(ana, "tones")) == {784, 1047}
    assert heard(ana, "vibrations") == [3]
    accept(ana)
    close(ana)
    assert [floor.state(one)[0] for one in (alarm, request)] == ["resolved", "resolved"]


def test_a_request_is_closed_with_an_outcome_and_a_note_in_three_taps(floor: Floor, phone: SignIn) -> None:
    ana = phone("Ana")
    request = floor.press()
    waiting(ana)
    accept(ana)
    ana.get_by_role("button", name="I’m here").tap()
    expect(ana.get_by_text("You are there")).to_be_visible()
    ana.evaluate("() => { window.taps = 0; addEventListener('pointerdown', () => (taps += 1), true); }")
    ana.locator("summary", has_text="Done").tap()
    ana.get_by_label("A note, if it helps").tap()
    ana.keyboard.type("Wanted size 38.")
    ana.get_by_role("button", name="Helped").tap()
    expect(ana.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()
    assert ana.evaluate("() => window.taps") == 3
    query = "SELECT outcome, note FROM interaction WHERE id = :id"
    assert floor.rig.read(query, id=request) == [("helped", "Wanted size 38.")]


def test_everything_fits_a_small_phone_and_a_thumb_even_with_the_longest_names_and_notes(
    floor: Floor, phone: SignIn
) -> None:
    ana, other = phone("Ana"), phone(LONG_NAME)
    assert ana.evaluate(MISFITS) == []
    floor.press()
    waiting(ana)
    ana.locator("summary", has_text="I can’t come").tap()
    assert ana.evaluate(MISFITS) == []
    accept(ana)
    expect(ana.get_by_text("You are on your way")).to_be_visible()
    for summary in ("Done", "Hand over", "Colleagues"):
        ana.locator("summary", has_text=summary).tap()
    expect(ana.locator("#colleagues")).to_contain_text(LONG_NAME)
    assert ana.evaluate(MISFITS) == []
    ana.get_by_label("What they need to know").fill("ø" * 140)
    ana.get_by_role("button", name=LONG_NAME).tap()
    expect(ana.get_by_text("It stays yours until")).to_be_visible()
    waiting(other)
    assert ana.evaluate(MISFITS) == [] and other.evaluate(MISFITS) == []
    assert serious(ana) == [] and serious(other) == []
    other.context.set_offline(True)
    accept(other)
    expect(other.locator("[data-tap]")).to_be_visible()
    assert other.evaluate(MISFITS) == []
    other.context.set_offline(False)
    expect(other.get_by_text("You are on your way")).to_be_visible()
    expect(ana.get_by_role("heading", name=f"{LONG_NAME} is coming")).to_be_visible()
    assert ana.evaluate(MISFITS) == [] and other.evaluate(MISFITS) == []
    close(other)


def test_chromium_finds_nothing_that_keeps_the_page_from_being_installed(
    floor: Floor, browser_type: BrowserType, browser_type_launch_args: dict[str, Any], tmp_path: Path
) -> None:
    # Not incognito, as the other contexts are: there nothing can be installed.
    context = browser_type.launch_persistent_context(tmp_path, **browser_type_launch_args)
    igor = context.new_page()
    said: list[str] = []
    igor.on("console", lambda message: said.append(message.text))
    igor.goto(f"{floor.rig.url}/floor/")
    tools = context.new_cdp_session(igor)
    found = tools.send("Page.getAppManifest")
    assert found["errors"] == [] and found["url"] == f"{floor.rig.url}/floor/manifest.webmanifest"
    answer = igor.request.get(found["url"])
    assert answer.headers["content-type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["start_url"], manifest["display"]) == ("/floor/", "standalone")
    for icon in manifest["icons"]:
        size = igor.evaluate(
            """async (src) => {
                const image = new Image();
                image.src = src;
                await image.decode();
                return `${image.naturalWidth}x${image.naturalHeight}`;
            }""",
            icon["src"],
        )
        assert icon["sizes"] in (size, "any"), icon
    # A phone's browser asks the same before it offers to install.
    errors = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] == []
    assert said == []
    context.close()
