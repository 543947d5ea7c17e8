"""Every face of the kiosk's screen, in every language, on every display: nothing is cut and all can be read.

The sentence is for two metres. On the official 7" display (800x480, 0.18 mm a line) a capital of 20 px is
3.6 mm: 6 minutes of arc, which an eye of 0.8 reads. So 1/24 of the height is the least, on any display from
there on; names and short sentences are far larger. What is touched is for an arm's length: 11 px, 2 mm.
Displays below that size are read by who stands before them, and need no more than their arm's length.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from kiosk.screen.messages import Filming
from tests.rig.faces import faces
from tests.rig.screen import Screen

pytestmark = pytest.mark.browser
LOOK = Path(__file__).with_name("look.js").read_text()
LANGUAGES = ("en", "ca", "sr", "it", "pt")
# Each face must also have room for what is said of a camera.
WATCHES = Filming(watches=True, seconds=30)
# As long as it may be.
OWN = (
    "For your safety and that of our staff this shop is filmed. "
    "Ask at the till for the manager, or write to privacy@shop.eu."
)
MORE = {"a notice of the shop's own": {"filming": Filming(watches=True, seconds=30, notice=OWN)}}
# Width and height, and the least capital of the sentence, of any word, and the least side of what is touched.
DISPLAYS = {
    (360, 640): (20, 9, 44),
    (480, 320): (13, 9, 44),
    (800, 480): (20, 11, 56),
    (1024, 600): (25, 11, 56),
    (1280, 800): (33.3, 12, 56),
    (1920, 1080): (45, 15, 56),
    (600, 1024): (25, 11, 56),
}


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: "x".join(map(str, display)))
def test_nothing_scrolls_or_is_cut_and_all_can_be_read_and_hit(
    screen: Screen, page: Page, display: tuple[int, int]
) -> None:
    sentence, word, side = DISPLAYS[display]
    page.set_viewport_size({"width": display[0], "height": display[1]})
    page.emulate_media(reduced_motion="reduce")
    page.goto(screen.address)
    wrong: list[str] = []

    def look(where: str) -> None:
        seen: dict[str, Any] = page.evaluate(LOOK)
        wrong.extend(f"{where}: {each}" for each in seen["cut"])
        for what, least in (("sentence", sentence), ("word", word), ("side", side)):
            if seen[what] is not None and seen[what] < least:
                wrong.append(f"{where}: the least {what} has {seen[what]} px; allowed are {least} and more")

    for face, more in (faces() | MORE).items():
        for language in LANGUAGES:
            view = screen.panel.show(language=language, **({"filming": WATCHES} | more))
            page.wait_for_function("n => document.documentElement.dataset.news === n", arg=str(view.news))
            look(f"{face} in {language}")
    screen.panel.close()
    page.wait_for_function("() => document.documentElement.dataset.mode === 'lost'")
    look("no panel")
    assert wrong == []
