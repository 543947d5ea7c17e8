"""The kiosk's screen in a real browser: the real program, and a panel that speaks the real protocol."""

import time
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from kiosk.screen.messages import Asking
from tests.rig.panel import OPEN
from tests.rig.screen import Screen

pytestmark = pytest.mark.browser
LOST = "has lost its connection to the kiosk"


def coming(**more: Any) -> dict[str, Any]:
    return {
        "state": "on_the_way",
        "text": "coming",
        "args": {"name": "Marta"},
        "name": "Marta",
        "reference": "K7F-2QD",
        "since_s": time.monotonic() - 12,
        "keys": OPEN,
        **more,
    }


def tap(page: Page, name: str) -> None:
    """As a person taps: after the keys have stood still for a moment."""
    page.wait_for_timeout(450)
    page.get_by_role("button", name=name, exact=True).click()


def test_a_shopper_chooses_catalan_asks_for_help_and_is_told_who_comes(
    screen: Screen, complaints: list[str], page: Page
) -> None:
    page.set_viewport_size({"width": 800, "height": 480})
    page.goto(screen.address)
    sentence = page.get_by_role("heading")
    expect(sentence).to_have_text("Press a button if you need help.")
    tap(page, "Català")
    assert screen.panel.touched("language").value == "ca"
    screen.panel.show(language="ca")
    expect(sentence).to_have_text("Premi un botó si necessita ajuda.")
    expect(page.locator("html")).to_have_attribute("lang", "ca")
    tap(page, "Emprovador")
    assert screen.panel.touched("key").key == "fitting-room"
    screen.panel.show(**coming(language="ca"))
    expect(sentence).to_have_text("Marta ve cap aquí.")
    expect(page.locator(".name")).to_have_text("Marta")
    expect(page.locator(".code")).to_contain_text("K7F-2QD")
    first = page.locator(".age").inner_text()
    expect(page.locator(".age")).not_to_have_text(first)
    expect(page.get_by_role("button", name="Português")).to_be_visible()
    tap(page, "Cancel·lar")
    assert screen.panel.touched("key").key == "cancel"
    assert complaints == []


def test_a_page_that_reloads_shows_the_present_truth_at_once(screen: Screen, page: Page) -> None:
    page.goto(screen.address)
    screen.panel.show(**coming(language="it"))
    expect(page.get_by_role("heading")).to_have_text("Marta sta arrivando.")
    page.reload()
    assert page.get_by_role("heading").inner_text() == "Marta sta arrivando."


def test_smileys_then_two_questions_then_thanks_that_are_true(
    screen: Screen, complaints: list[str], page: Page
) -> None:
    page.goto(screen.address)
    link, ends_s = "https://shop.example/feedback/abc", time.monotonic() + 60
    asking = Asking(request="r", code="K7F-2QD", link=link, ends_s=ends_s)
    screen.panel.show(state="resolved", text="resolved", asking=asking)
    expect(page.get_by_role("heading")).to_have_text("How was the help you got?")
    expect(page.locator("svg.qr")).to_be_visible()
    expect(page.locator(".phone")).to_contain_text("K7F-2QD")
    expect(page.get_by_role("progressbar", name="Time left")).to_be_visible()
    tap(page, "Happy")
    assert screen.panel.touched("score").value == "3"
    for question, words, answer in (("wait", "How was the wait?", "Short"), ("manner", "How were", "Kindly")):
        asked = Asking(request="r", score=3, questions=[question], ends_s=ends_s)
        screen.panel.show(state="resolved", text="feedback.saved", asking=asked)
        expect(page.get_by_role("heading")).to_contain_text(words)
        expect(page.get_by_text("Your answer is saved here and is being sent.")).to_be_visible()
        tap(page, answer)
        assert screen.panel.touched("answer").question == question
    screen.panel.show(state="resolved", text="feedback.thanks", asking=Asking(request="r", score=3))
    expect(page.get_by_role("heading")).to_have_text("The store has your answer. Thank you.")
    assert complaints == []


def test_a_second_tap_of_the_same_finger_does_not_answer_what_has_just_appeared(
    screen: Screen, page: Page
) -> None:
    page.clock.install()
    page.goto(screen.address)
    expect(page.get_by_role("heading")).to_have_text("Press a button if you need help.")
    # The page's own clock stands, so that the tap comes at once however slow the machine is.
    page.clock.pause_at(page.evaluate("Date.now() + 100"))
    screen.panel.show(asking=Asking(ends_s=time.monotonic() + 60))
    expect(page.get_by_role("heading")).to_have_text("How was your visit?")
    page.locator(".key-score").first.click()
    page.clock.run_for(500)
    page.get_by_role("button", name="Unhappy", exact=True).click()
    # Touches arrive in their order: one that the first tap had sent would be the first.
    assert screen.panel.touched("score").value == "2"


def test_a_panel_that_is_killed_is_said_to_be_away_and_nothing_can_be_touched(
    screen: Screen, page: Page
) -> None:
    page.goto(screen.address)
    expect(page.get_by_role("button", name="Till", exact=True)).to_be_visible()
    screen.panel.close()
    expect(page.get_by_role("heading")).to_contain_text(LOST)
    expect(page.get_by_text("Ovaj ekran je izgubio vezu sa kioskom.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    screen.new_panel()
    screen.panel.show(**coming())
    expect(page.get_by_role("heading")).to_have_text("Marta is on the way.")


def test_a_screen_program_that_is_killed_leaves_no_old_truth_on_the_page(screen: Screen, page: Page) -> None:
    page.goto(screen.address)
    screen.panel.show(**coming())
    expect(page.get_by_role("heading")).to_have_text("Marta is on the way.")
    screen.kill()
    expect(page.get_by_role("heading")).to_contain_text(LOST)
    expect(page.get_by_role("button")).to_have_count(0)
    screen.start()
    expect(page.get_by_role("heading")).to_have_text("Marta is on the way.")


def test_everything_can_be_done_with_a_keyboard_and_the_focus_stays(screen: Screen, page: Page) -> None:
    page.goto(screen.address)
    expect(page.get_by_role("button", name="Find an item")).to_be_visible()
    page.wait_for_timeout(450)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Find an item")).to_be_focused()
    page.keyboard.press("Enter")
    assert screen.panel.touched("key").key == "find-item"
    screen.panel.show(language="pt")
    expect(page.get_by_role("button", name="Encontrar um artigo")).to_be_focused()
    expect(page.locator("h1")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_face_of_the_screen(
    screen: Screen, new_context: CreateContextCallback, scheme: Any
) -> None:
    page = new_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    page.goto(screen.address)
    asking = Asking(request="r", code="K7F-2QD", link="https://shop.example/f/abc", ends_s=1.0)
    faces: list[dict[str, Any]] = [
        {"note": "greet.1"},
        {"offer": True},
        coming(state="sent", text="sent", name=None),
        coming(),
        coming(state="here", text="here"),
        {"state": "cancelled", "text": "cancelled", "reference": "K7F-2QD"},
        {"state": "missed", "text": "missed"},
        {"state": "unreachable", "text": "unreachable"},
        {"state": "resolved", "text": "resolved", "asking": asking},
        {"text": "feedback.saved", "asking": Asking(score=1, questions=["wait"])},
    ]
    found: list[str] = []
    for more in faces:
        view = screen.panel.show(**more)
        page.wait_for_function(
            "number => document.documentElement.dataset.news === number", arg=str(view.news)
        )
        found += serious(page)
    screen.panel.close()
    expect(page.get_by_role("heading")).to_contain_text(LOST)
    assert found + serious(page) == []


def serious(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


COUNT_SCENES = """
window.scenes = 0;
window.EventSource = class extends EventSource {
  constructor(...a) { super(...a); this.addEventListener("scene", () => { window.scenes += 1; }); }
};
"""


def test_a_tap_counts_although_the_screen_changes_under_the_finger(screen: Screen, page: Page) -> None:
    page.add_init_script(COUNT_SCENES)
    page.goto(screen.address)
    key = page.get_by_role("button", name="Fitting room")
    expect(key).to_be_visible()
    page.wait_for_timeout(450)
    key.hover()
    page.mouse.down()
    before = page.evaluate("scenes")
    screen.panel.show(language="ca")
    page.wait_for_function("before => scenes > before", arg=before)
    page.mouse.up()
    assert screen.panel.touched("key").key == "fitting-room"
    expect(page.locator("html")).to_have_attribute("lang", "ca")


def test_a_finger_that_stays_holds_the_screen_for_a_moment_only(screen: Screen, page: Page) -> None:
    page.goto(screen.address)
    page.get_by_role("button", name="Fitting room").hover()
    page.mouse.down()
    screen.panel.show(language="ca")
    expect(page.locator("html")).to_have_attribute("lang", "ca")
    page.mouse.up()
