"""A shopper says on their own phone how they were helped: in Portuguese and without scripts."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from pytest_playwright import CreateContextCallback

from deploy.demo.shop import MANAGER
from tests.browser.conftest import Demo
from tests.browser.test_round import PATIENCE_MS, PINS
from tests.rig.phone import Phone

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def shopper(new_context: CreateContextCallback) -> BrowserContext:
    return new_context(
        locale="pt-PT", java_script_enabled=False, viewport={"width": 360, "height": 740}, has_touch=True
    )


class Helped:
    """A press at the demo's kiosk and the associate who answers it. `code` is what the kiosk shows."""

    def __init__(self, demo: Demo, kiosk_page: Page) -> None:
        kiosk_page.goto(demo.address)
        kiosk = kiosk_page.locator("[data-case]:visible")
        # It may still be asking, for a minute, how an earlier test's help was; a press is taken all the same.
        reference = kiosk.locator("[data-reference]")
        expect(kiosk.locator("[data-sentence]")).not_to_be_empty()
        earlier = reference.text_content() or ""
        kiosk.locator(".key-help").first.click(delay=80)
        expect(reference).to_contain_text("Your code: ")
        expect(reference).not_to_have_text(earlier)
        self.code = reference.inner_text().removeprefix("Your code: ")
        self._port = int(demo.address.rpartition(":")[2])

    def finish(self) -> None:
        """One of those who were called comes and helps."""
        for name in ("Marta", "Luka", "Bia"):
            phone = Phone(self._port)
            _, names = phone.get("/floor/sign-in")
            person = re.search(rf'href="/floor/sign-in/([0-9a-f-]{{36}})"(?:(?!</a>).)*{name}', names, re.S)
            assert person is not None
            phone.sign_in(person[1], PINS[name] or "")
            _, pages = phone.get("/floor/")
            if self.code in pages:
                break
        (request,) = set(re.findall(r"/floor/requests/([0-9a-f-]{36})/acknowledge", pages))
        for what, form in (("acknowledge", {}), ("resolve", {"outcome": "helped"})):
            status, _ = phone.post(f"/floor/requests/{request}/{what}", **form)
            assert status == 303


def serious(page: Page) -> list[str]:
    """What axe finds, in light and dark. It needs scripts of its own, so the page is one that has them."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [
            f"{scheme}: {one['id']}: {one['nodes'][0]['html']}"
            for one in Axe().run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    return found


def test_a_portuguese_shopper_says_once_how_it_was_without_scripts(
    demo: Demo, shopper: BrowserContext, page: Page, new_context: CreateContextCallback
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    helped = Helped(demo, page)
    phone = shopper.new_page()
    read = new_context(locale="pt-PT", viewport={"width": 360, "height": 740}).new_page()

    phone.goto(f"{demo.address}/f/")
    expect(phone.get_by_role("heading", name="Como foi a ajuda?")).to_be_visible()
    phone.get_by_label("O seu código").fill("ZZZ-ZZZ")
    phone.get_by_role("button", name="Continuar").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Não encontrámos nenhum pedido com este código")
    phone.get_by_label("O seu código").fill(helped.code.lower().replace("-", " "))
    phone.get_by_role("button", name="Continuar").tap()
    expect(phone.get_by_role("heading", name="O seu pedido ainda está em aberto.")).to_be_visible()
    read.goto(phone.url)
    assert serious(read) == []

    helped.finish()
    phone.reload()
    read.reload()
    assert serious(read) == []
    for width in (360, 768, 1440):
        phone.set_viewport_size({"width": width, "height": 740})
        assert phone.get_by_role("button", name="Enviar").evaluate(
            "() => document.documentElement.scrollWidth <= innerWidth"
        )
    phone.set_viewport_size({"width": 360, "height": 740})
    phone.get_by_role("radio", name="Muito bem").tap()
    phone.get_by_role("group", name=re.compile("Como|Percebemos")).nth(1).get_by_role("radio").first.tap()
    phone.get_by_label("Quer acrescentar alguma coisa?").fill("A Marta foi ótima.")
    phone.get_by_role("button", name="Enviar").tap()

    expect(phone.get_by_role("heading", name="Obrigado. A loja tem a sua resposta.")).to_be_visible()
    expect(phone.get_by_label("A sua resposta")).to_contain_text("Muito bem")
    expect(phone.get_by_label("A sua resposta")).to_contain_text("A Marta foi ótima.")
    expect(phone.get_by_role("button")).to_have_count(0)
    read.reload()
    assert serious(read) == []
    phone.get_by_role("link", name="Català").tap()
    expect(phone.get_by_role("heading", name="Gràcies. La botiga té la seva resposta.")).to_be_visible()


def test_a_telephone_call_is_typed_in_and_every_score_has_its_reason(
    demo: Demo, complaints: list[str], page: Page
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{demo.address}/manage/sign-in")
    page.get_by_label("Name").fill(MANAGER.name)
    page.get_by_label("Password").fill(MANAGER.password or "")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    page.get_by_role("link", name="Feedback", exact=True).first.click()
    page.get_by_role("link", name="Type in feedback").click()
    assert serious(page) == []
    page.get_by_role("radio", name="By telephone").check(force=True)
    page.get_by_role("radio", name="Unhappy", exact=True).check(force=True)
    page.get_by_label("Their exact words").fill("Nobody picked up the telephone.")
    page.get_by_label("Where it was").select_option(label="Tills")
    page.get_by_role("button", name="Save").click()
    row = page.locator(".opinion", has_text="Nobody picked up the telephone.")
    expect(row).to_contain_text("by telephone · Tills · typed in by Helen")
    expect(row).to_contain_text("Counted: written by one person.")
    assert serious(page) == []
    for path in ("/manage/feedback", "/manage/feedback/new"):
        page.goto(demo.address + path)
        for width in (360, 768, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{demo.address}/manage/feedback")
    # Others of the same minute may stand before it: what is typed in is told to the minute.
    row.get_by_role("link").click()
    expect(page.locator(".timeline")).to_contain_text("Told by telephone; typed in by Helen.")
    # Whoever leafs faster than the streams of former pages end is told 503 by one, and asks again.
    assert [said for said in complaints if "503" not in said] == []


def test_a_wrong_address_says_so_in_the_shoppers_words_and_can_be_read_by_everyone(
    demo: Demo, shopper: BrowserContext, page: Page
) -> None:
    phone = shopper.new_page()
    phone.goto(f"{demo.address}/f/nonsense?language=sr")
    expect(phone.get_by_role("heading", name="Ovde nema šta da se oceni.")).to_be_visible()
    phone.get_by_role("link", name="Unesite kod").tap()
    expect(phone.get_by_label("Vaš kod")).to_be_visible()
    for path in ("/f/nonsense", "/f/"):
        page.goto(f"{demo.address}{path}?language=it")
        assert serious(page) == []
