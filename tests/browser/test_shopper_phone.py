"""The page behind a kiosk's code, on the shopper's own phone: 360 px, in Portuguese, without scripts."""

import datetime as dt
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect
from pytest_playwright import CreateContextCallback

from deploy.provision import writing
from edge.db.tables import interaction
from edge.web.shopper import sign_of
from tests.browser.conftest import Demo
from tests.browser.floor_rig import Floor, SignIn, accept, close, serious, waiting
from tests.browser.test_round import sign_in_on_the_phone

pytestmark = pytest.mark.browser
NARROW: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture
def shopper(new_context: CreateContextCallback) -> BrowserContext:
    return new_context(locale="pt-PT", java_script_enabled=False, viewport=NARROW, has_touch=True)


@pytest.fixture
def read(browser: Browser) -> Callable[[str], list[str]]:
    """What is wrong with the page at an address: axe needs scripts of its own."""

    def faults(address: str) -> list[str]:
        page = browser.new_page(locale="pt-PT", viewport=NARROW)
        page.goto(address)
        found = serious(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("scrolls sideways")
        page.close()
        return found

    return faults


@pytest.fixture
def helped(floor: Floor, phone: SignIn) -> str:
    """A request that somebody has come for; its id."""
    ana = phone("Ana")
    request = floor.press()
    waiting(ana)
    accept(ana)
    close(ana)
    return request


def seen_by_a_camera(picture: bytes) -> str:
    """What a phone reads in a picture of a QR code."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    around = cv2.copyMakeBorder(pixels, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
    # OpenCV's other detector does not read one code in seventy.
    return cv2.QRCodeDetectorAruco().detectAndDecode(around)[0]


def held_near(code: Locator) -> bytes:
    """A picture of the code alone, large and sharp: on the demo's page the kiosk's display is very small."""
    drawn = code.evaluate("svg => svg.outerHTML")
    near = code.page.context.new_page()
    near.set_content(f'<div style="width: 600px; background: #fff">{drawn}</div>')
    picture = near.locator("svg").screenshot()
    near.close()
    return picture


def test_the_code_on_the_kiosks_screen_opens_the_page_in_portuguese(
    demo: Demo, page: Page, shopper: BrowserContext, read: Callable[[str], list[str]]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(demo.address)
    phone = page.frame_locator("#phone")
    # She speaks it, so she is called.
    sign_in_on_the_phone(phone, "Bia")
    page.get_by_role("tab", name="Entrance").click()
    screen = page.frame_locator("[data-case]:visible [data-display] iframe")
    screen.get_by_role("button", name="Português").click()
    key = screen.get_by_role("button", name="Encontrar um artigo")
    expect(key).to_be_visible()
    # The screen takes a touch that comes with new keys for the end of the one before it.
    page.wait_for_timeout(600)
    key.click()
    expect(phone.locator("article[data-waiting]")).to_contain_text("Português")
    phone.get_by_role("button", name="I’m coming").click()
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Helped").click()
    code = screen.locator("svg.qr")
    expect(code).to_be_visible()
    link = seen_by_a_camera(held_near(code))
    assert link.startswith(f"{demo.address}/f/")

    own = shopper.new_page()
    own.goto(link)
    expect(own.locator("html")).to_have_attribute("lang", "pt-PT")
    expect(own.get_by_role("heading", name="Como foi a ajuda?")).to_be_visible()
    assert read(link) == []
    own.get_by_role("radio", name="Bem", exact=True).tap()
    own.get_by_role("button", name="Enviar").tap()
    expect(own.get_by_role("heading", name="Obrigado. A loja tem a sua resposta.")).to_be_visible()
    assert read(link) == []


def test_a_second_answer_is_told_that_the_first_one_stands(
    floor: Floor, helped: str, shopper: BrowserContext
) -> None:
    link = f"{floor.rig.url}/f/{sign_of(helped)}?language=pt"
    first, second = shopper.new_page(), shopper.new_page()
    for own in (first, second):
        own.goto(link)
    first.get_by_role("radio", name="Muito bem").tap()
    first.get_by_role("button", name="Enviar").tap()
    expect(first.get_by_role("heading", name="Obrigado.")).to_be_visible()
    second.get_by_role("radio", name="Muito mal").tap()
    second.get_by_role("button", name="Enviar").tap()
    expect(second.get_by_role("status")).to_have_text(
        "Cada pedido tem uma só resposta: vale a primeira que foi enviada."
    )
    expect(second.get_by_label("A sua resposta")).to_contain_text("Muito bem")
    assert floor.rig.read("SELECT score FROM feedback WHERE about = :id", id=helped) == [(4,)]


def test_after_two_weeks_the_link_and_the_code_have_expired(
    floor: Floor, helped: str, shopper: BrowserContext, read: Callable[[str], list[str]]
) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=15)
    ((code,),) = floor.rig.read("SELECT reference FROM interaction WHERE id = :id", id=helped)
    with writing(floor.rig.config) as conn:
        old = sa.update(interaction).where(interaction.c.id == helped)
        conn.execute(old.values(raised_at=long_ago, closed_at=long_ago))
    link = f"{floor.rig.url}/f/{sign_of(helped)}?language=pt"
    own = shopper.new_page()
    own.goto(link)
    expect(own.get_by_role("heading", name="Não há nada para avaliar aqui.")).to_be_visible()
    assert read(link) == []
    own.get_by_role("link", name="Introduzir um código").tap()
    own.get_by_label("O seu código").fill(code)
    own.get_by_role("button", name="Continuar").tap()
    expect(own.get_by_role("alert")).to_contain_text("nos últimos 14 dias")
    expect(own.get_by_label("O seu código")).to_have_value(code)
