"""The screen's own copies of the design: they may not drift from the store's pages, nor hold words."""

import colorsys
import re
from pathlib import Path

import pytest

import edge
import kiosk.screen
from kiosk.display import State
from kiosk.lamps import PATTERNS

SCREEN = Path(kiosk.screen.__file__).parent
STORE = Path(edge.__file__).parent / "web"


def values(path: Path) -> list[dict[str, str]]:
    """The custom properties for light, then for dark."""
    light, dark = path.read_text().split("@media (prefers-color-scheme: dark)")
    return [dict(re.findall(r"(--[\w-]+):\s*([^;]+);", part)) for part in (light, dark)]


def test_every_value_of_the_design_is_the_stores() -> None:
    own, store = values(SCREEN / "static/tokens.css"), values(STORE / "static/css/tokens.css")
    for scheme in (0, 1):
        assert own[scheme]
        assert own[scheme].items() <= store[scheme].items()


def test_every_value_that_the_screen_uses_and_that_is_no_own_one_is_there() -> None:
    css = (SCREEN / "static/screen.css").read_text()
    used, own = set(re.findall(r"var\((--[\w-]+)", css)), set(re.findall(r"(--[\w-]+):", css))
    assert used - own <= set(values(SCREEN / "static/tokens.css")[0])


@pytest.mark.parametrize("state", ["raised", "acknowledged", "attended", "resolved", "cancelled", "missed"])
def test_every_state_has_the_shape_that_it_has_on_the_stores_pages(state: str) -> None:
    drawn = [
        re.search(rf'name == "{state}" %}}(.*)', path.read_text())
        for path in (SCREEN / "templates/shapes.html", STORE / "templates/_marks.html")
    ]
    assert drawn[0] and drawn[1] and drawn[0][1] == drawn[1][1]


def hue(red: float, green: float, blue: float) -> float:
    """In degrees around the circle of colours."""
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


@pytest.mark.parametrize("state", [state for state in PATTERNS if state not in (State.IDLE, State.CANCELLED)])
def test_the_lamp_has_the_colour_that_the_state_has_on_every_page(state: State) -> None:
    css = (SCREEN / "static/screen.css").read_text()
    rules = re.findall(r"^(.*data-state.*?) {.*?--tone: var\((--[\w-]+)\)", css, re.MULTILINE)
    tone = next(tone for where, tone in rules if f'"{state}"' in where)
    written = values(SCREEN / "static/tokens.css")[0][tone].removeprefix("#")
    on_page = hue(*(int(written[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    for step in PATTERNS[state].steps:
        away = abs(hue(*step.colour) - on_page) % 360
        assert min(away, 360 - away) < 20


@pytest.mark.parametrize("path", sorted((SCREEN / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_words_of_its_own(path: Path) -> None:
    bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)
    bare = re.sub(r"<title>Floorbell</title>|<[^>]*>", "", bare, flags=re.DOTALL)
    assert re.findall(r"[^\W\d]+", bare) == []


@pytest.mark.parametrize("path", sorted((SCREEN / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_attribute_that_is_read_aloud_holds_words_of_its_own(path: Path) -> None:
    for name, value in re.findall(r'\b(aria-label|title|alt|placeholder)="([^"]*)"', path.read_text()):
        assert re.fullmatch(r"\{\{[^}]*\}\}", value), (name, value)


def test_the_script_holds_no_words_for_people() -> None:
    script = (SCREEN / "static/screen.js").read_text()
    assert not re.search(r"(textContent|innerText|innerHTML)\s*=\s*[\"'`][A-Za-z]", script)
