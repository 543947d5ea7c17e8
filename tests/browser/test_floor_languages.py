"""The associate's phone in Catalan, from the door to the end of a call, and typed feedback with one thumb."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_playwright import CreateContextCallback

from tests.browser.floor_rig import Floor, serious

pytestmark = pytest.mark.browser


@pytest.fixture
def catalan(new_context: CreateContextCallback) -> BrowserContext:
    # A card that still comes in has other colours.
    return new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, locale="ca-ES", reduced_motion="reduce"
    )


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def come_in(floor: Floor, context: BrowserContext, name: str) -> Page:
    someone = floor.rig.people[name]
    page = context.new_page()
    page.goto(f"{floor.rig.url}/floor/")
    expect(page.get_by_role("heading", name="Qui ets?")).to_be_visible()
    assert serious(page) == [] and fits(page)
    page.get_by_role("link", name=name, exact=True).tap()
    expect(page.get_by_text("El teu PIN")).to_be_visible()
    assert serious(page) == [] and fits(page)
    for digit in someone.pin or "":
        page.locator(f"[data-digit='{digit}']").tap()
    page.get_by_label("Inicia la sessió", exact=True).tap()
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    return page


def test_a_catalan_phone_speaks_catalan_from_the_door_to_the_end_of_a_call(
    floor: Floor, catalan: BrowserContext
) -> None:
    page = come_in(floor, catalan, "Ana")
    expect(page.locator("html")).to_have_attribute("lang", "ca")
    expect(page.locator(".link-words")).to_have_text("Se’t pot avisar")
    expect(page.get_by_role("heading", name="Ningú no t’espera")).to_be_visible()
    assert serious(page) == [] and fits(page)

    request = floor.press()
    card = page.locator("article[data-waiting]")
    expect(card.get_by_role("heading", name="Emprovador")).to_be_visible()
    expect(card).to_contain_text("Per què tu: treballa a ")
    expect(card).to_contain_text("parla català")
    assert serious(page) == [] and fits(page)
    page.get_by_role("button", name="Hi vaig").tap()
    expect(page.locator("article")).to_contain_text("Hi estàs anant")
    page.get_by_role("button", name="Ja hi soc").tap()
    page.locator("summary", has_text="Fet").tap()
    assert serious(page) == [] and fits(page)
    page.get_by_role("button", name="S’ha ajudat").tap()
    expect(page.get_by_role("heading", name="Ningú no t’espera")).to_be_visible()
    # The log says what every rule says, in English.
    assert floor.lines(request, "resolved") == ["Helped."]

    page.get_by_role("button", name="Srpski").tap()
    expect(page.get_by_role("heading", name="Niko te ne čeka")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "sr-Latn")


def test_what_a_shopper_said_is_typed_in_with_one_thumb(floor: Floor, catalan: BrowserContext) -> None:
    page = come_in(floor, catalan, "Ana")
    page.get_by_role("link", name="Anota què t’ha dit un client").tap()
    expect(page.get_by_role("heading", name="Què ens ha dit un client")).to_be_visible()
    assert serious(page) == [] and fits(page)
    page.locator(".pick", has_text="Per telèfon").tap()
    page.locator(".pick", has_text="Molt malament").tap()
    page.get_by_label("Les seves paraules exactes").fill("Ningú no va agafar el telèfon.")
    page.get_by_label("Codi de la petició").fill("ZZZ-ZZZ")
    page.get_by_role("button", name="Desa").tap()
    expect(page.get_by_role("alert")).to_contain_text("no té el codi ZZZ-ZZZ; comprova’l o deixa’l buit.")
    expect(page.get_by_label("Codi de la petició")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Les seves paraules exactes")).to_have_value("Ningú no va agafar el telèfon.")
    expect(page.get_by_role("radio", name="Molt malament")).to_be_checked()
    assert serious(page) == [] and fits(page)

    page.get_by_label("Codi de la petició").fill("")
    page.get_by_role("button", name="Desa").tap()
    expect(page.get_by_role("status")).to_have_text("Desat, amb el teu nom. Gràcies.")
    assert serious(page) == [] and fits(page)
    said = floor.rig.read("SELECT reason FROM interaction WHERE kind = 'feedback' AND reason IS NOT NULL")
    assert ("Ningú no va agafar el telèfon.",) in said
    page.locator("a.button", has_text="Torna als avisos").tap()
    expect(page.get_by_role("heading", name="Ningú no t’espera")).to_be_visible()
