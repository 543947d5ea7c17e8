"""Every page there is, in light and dark, narrow and wide: whole, quiet and readable by everyone.

A new address of the application belongs into VISITS, or into NO_PAGES with what it is instead.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page

from deploy.demo.shop import MANAGER, PEOPLE, VISITOR
from deploy.demo.stage import person_ids
from edge import create_app
from edge.config import EdgeConfig
from edge.web.admission import PUBLIC
from tests.browser.conftest import Demo, WorkedIn
from tests.rig import furnished

pytestmark = pytest.mark.browser

NO_PAGES = {
    "static": "files",
    "door.open_door": "leads to the floor",
    "health.alive": "a word for machines",
    "health.ready": "a word for machines",
    "wellknown.security_txt": "text",
    "metrics.scrape": "numbers for machines",
    "floor.manifest": "JSON",
    "floor.pages_part": "a part of floor.pages",
    "floor.presence_part": "a part of floor.pages",
    "floor.stream": "a stream",
    "floor.locked_state": "JSON",
    "floor.worker": "a script",
    "manage.home": "leads to the live floor",
    "manage.sign_in_asked": "JSON",
    "manage.export_csv": "a file",
    "manage.export_xlsx": "a file",
    "manage.people_template": "a file",
    "manage.incidents_csv": "a file",
    "manage.evidence_video": "bytes",
    "manage.evidence_access_copy": "bytes",
    "manage.drills_result": "a file",
    "manage.stream": "a stream",
    "manage.strip": "a part of the desk",
    "api.document": "JSON",
    "api.devices_document": "YAML",
}
VISITS: dict[str, tuple[str, ...]] = {
    "floor.names": ("/floor/sign-in",),
    "floor.pin": ("/floor/sign-in/{person}", "/floor/sign-in/{long_named}"),
    "floor.pages": ("/floor/",),
    "floor.colleagues": ("/floor/colleagues",),
    "floor.feedback": ("/floor/feedback",),
    "floor.looks": ("/floor/looks",),
    "floor.incident_list": ("/floor/incidents",),
    "floor.incident_new": ("/floor/incidents/new",),
    "floor.incident_one": ("/floor/incidents/{complaint}",),
    "floor.locked": ("/floor/locked",),
    "floor.own": ("/floor/own",),
    "floor.quiet": ("/floor/quiet", "/floor/quiet?done=take_back"),
    "floor.sure": ("/floor/quiet/sure",),
    "manage.sign_in_page": ("/manage/sign-in",),
    "manage.first_admin": ("/manage/first",),
    "manage.own": ("/manage/own",),
    "manage.own_factor": ("/manage/own/second-factor",),
    "manage.own_passkey": ("/manage/own/passkeys/new",),
    "manage.own_proof": ("/manage/own/proof",),
    "manage.floor": ("/manage/floor",),
    "manage.log": ("/manage/log", "/manage/log?kind=security", "/manage/log?q=nothing+of+the+kind"),
    "manage.interaction": tuple(
        f"/manage/log/{{{one}}}"
        for one in ("waiting", "alarm", "mine", "told", "done", "rated", "missed", "greeted", "called")
    ),
    "manage.incidents": ("/manage/incidents", "/manage/incidents?state=closed&q=nothing"),
    "manage.incidents_new": ("/manage/incidents/new", "/manage/incidents/new?about={told}"),
    "manage.incidents_one": tuple(
        f"/manage/incidents/{{{one}}}" for one in ("case", "case_closed", "complaint")
    ),
    "manage.evidence": ("/manage/evidence", "/manage/evidence?state=purged"),
    "manage.evidence_clip": tuple(
        f"/manage/evidence/{{{one}}}" for one in ("sealed", "told_of", "mismatched", "gone", "purged")
    ),
    "manage.evidence_bundle": tuple(
        f"/manage/evidence/exports/{{{one}}}" for one in ("exported", "asked", "exported_case")
    ),
    "manage.evidence_access": ("/manage/access-requests",),
    "manage.evidence_access_new": ("/manage/access-requests/new",),
    "manage.evidence_access_one": tuple(
        f"/manage/access-requests/{{{one}}}" for one in ("access", "access_answered", "access_closed")
    ),
    "manage.evidence_access_clip": tuple(
        f"/manage/access-requests/{{{one}}}/clips/{{sealed}}" for one in ("access", "access_answered")
    ),
    "manage.charts": ("/manage/charts", "/manage/charts?from=2020-01-01&to=2020-01-02"),
    "manage.feedback": ("/manage/feedback", "/manage/feedback?judged=burst"),
    "manage.feedback_new": ("/manage/feedback/new",),
    "manage.people": ("/manage/people",),
    "manage.people_add": ("/manage/people/add",),
    "manage.people_one": ("/manage/people/{person}", "/manage/people/{long_named}"),
    "manage.people_import": ("/manage/people/import",),
    "manage.devices": ("/manage/devices",),
    "manage.devices_updates": ("/manage/updates",),
    "manage.device_one": tuple(
        f"/manage/device/{one}" for one in ("kiosk-tills", "kiosk-entrance", "pager-1", "pager-2", "pager-3")
    ),
    "manage.device_aside": ("/manage/set-aside/{number}",),
    "manage.zones": ("/manage/zones",),
    "manage.policy": ("/manage/policy",),
    "manage.policy_one": ("/manage/policy/help", "/manage/policy/security"),
    "manage.outside": ("/manage/outside", "/manage/outside?state=accepted&channel=patrol"),
    "manage.outside_one": ("/manage/outside/{outside}", "/manage/outside/{outside_waits}"),
    "manage.drills": ("/manage/drills",),
    "manage.drills_one": ("/manage/drills/{drill_failed}", "/manage/drills/{drill_asked}"),
    "manage.reach": ("/manage/reach",),
    "manage.changes": ("/manage/changes", "/manage/changes?what=policy"),
    "manage.tokens": ("/manage/tokens",),
    "shopper.find": ("/f/", "/f/?language=sr"),
    "shopper.ask": ("/f/{open_sign}", "/f/{done_sign}"),
    "api.index": ("/api/v1/",),
    "api.api_page": ("/api/v1/docs",),
    "api.devices_page": ("/api/v1/docs/devices",),
}
# What a fresh store shows before its first day.
EMPTY = (
    "/manage/floor", "/manage/log", "/manage/incidents", "/manage/charts", "/manage/feedback",
    "/manage/evidence", "/manage/access-requests", "/manage/people", "/manage/devices",
    "/manage/device/kiosk-tills", "/manage/updates", "/manage/changes",
    "/manage/tokens", "/manage/outside", "/manage/drills", "/manage/reach",
    "/floor/", "/floor/colleagues", "/floor/looks", "/floor/incidents",
)  # fmt: skip
# What looks different to whoever may not change it, and on the phone of one who is called silently.
SUPERVISED = (
    "/manage/people", "/manage/people/{person}", "/manage/zones", "/manage/policy", "/manage/policy/help",
    "/manage/device/kiosk-tills", "/manage/device/pager-2", "/manage/updates", "/manage/incidents/{case}",
    "/floor/",
    "/floor/incidents",
    "/floor/incidents/{case}", "/floor/incidents/{case_closed}", "/floor/incidents/new?request={alarm}",
)  # fmt: skip
# The phone of a supervisor who hears of troubles, looks, and asks a caller; and the caller's own.
WALKING, CALLER = ("/floor/", "/floor/incidents"), ("/floor/", "/floor/looks")
REFUSED = {
    "/manage/nothing-here": 404,
    "/manage/log?score=9": 400,
    "/manage/log/nothing": 404,
    "/manage/tokens": 403,
    "/manage/outside": 403,
    "/manage/evidence": 403,
    "/manage/access-requests": 403,
    "/manage/incidents?state=lost": 400,
    "/manage/incidents/nothing": 404,
    "/floor/nothing-here": 404,
    "/f/nonsense": 404,
}
WIDTHS = (360, 768, 1440)
SCHEMES = ("light", "dark")
# Pictures are hidden from readers, or say what they show; so are drawings of canvas.
WORDLESS = """() => [...document.querySelectorAll('img, svg, canvas')].filter((one) =>
    !one.closest('[aria-hidden="true"]') && !one.closest('[role="img"][aria-label]')
    && !one.getAttribute("alt")
).map((one) => `no words for ${one.outerHTML.slice(0, 80)}`)"""
# What runs out of its own box, and neither scrolls there nor is for ears alone.
RUNS_OUT = """async () => {
    // What draws itself anew at another width has done so by the second frame.
    for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
    return [...document.querySelectorAll('body *')].filter((one) => {
    const style = getComputedStyle(one);
    return one.checkVisibility() && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1
        && !['auto', 'scroll'].includes(style.overflowX) && style.textOverflow !== 'ellipsis'
        && style.clipPath === 'none' && !one.matches('input, textarea, :has(> iframe)')
        && !one.closest('svg, select');
}).map((one) => `runs out by ${one.scrollWidth - one.clientWidth} px: ${one.outerHTML.slice(0, 160)}`);
}"""
OPEN_ALL = "() => document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
# Only these depend on the scheme.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
AXE = """async (only) => (
    await axe.run({resultTypes: ['violations'], iframes: false, ...(only && {runOnly: only})})
).violations.map(
    (one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary.slice(0, 200)}`)"""


class House:
    """A served store, and a browser's page for each of its people."""

    def __init__(self, address: str, names: dict[str, str], browsers: dict[str, BrowserContext]) -> None:
        self.address = address
        self._names = names
        self.said: list[str] = []
        self.pages = {who: context.new_page() for who, context in browsers.items()}
        for page in self.pages.values():
            listen(page, self.said)

    def faults(self, who: str, where: str, status: int = 200) -> list[str]:
        """What is wrong with this page in any of its dresses."""
        page = self.pages[who]
        answer = page.goto(self.address + where.format_map(self._names))
        got = answer.status if answer else None
        found = look_at(page) if got == status else [f"answered {got}"]
        # A browser notes each refused page by itself.
        return [f"{where}: {one}" for one in [*found, *self.heard()] if f"status of {status}" not in one]

    def heard(self) -> list[str]:
        """What the consoles have said since it was asked last."""
        said = list(self.said)
        self.said.clear()
        return said

    def close(self) -> None:
        for page in self.pages.values():
            page.context.close()


def listen(page: Page, said: list[str]) -> None:
    """Write down what the console complains of; a page that breaks its own policy shows here."""
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))


def look_at(page: Page) -> list[str]:
    found: list[str] = []
    page.evaluate(OPEN_ALL)
    if (headings := page.locator("h1").count()) != 1:
        found.append(f"{headings} main headings")
    if not page.title().strip():
        found.append("no title")
    found += page.evaluate(WORDLESS)
    page.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{width}: {one}" for one in page.evaluate(RUNS_OUT)]
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append(f"{width} {scheme}: scrolls sideways")
            if width == 768:
                continue  # laid out as one of the other two
            found += [
                f"{width} {scheme}: {one}"
                for one in page.evaluate(AXE, OF_COLOURS if scheme == "dark" else None)
            ]
    return found


def signed_in(browser: Browser, address: str, desk: str, phone: str, person: str) -> BrowserContext:
    """The browser of somebody at the desk and of somebody, by their id too, on the floor."""
    known = {member.name: member for member in PEOPLE}
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/manage/sign-in")
    page.get_by_label("Name").fill(desk)
    page.get_by_label("Password").fill(known[desk].password or "")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/manage/floor")
    page.goto(f"{address}/floor/sign-in/{person}")
    for digit in known[phone].pin or "":
        page.locator(f"[data-digit='{digit}']").click()
    page.get_by_label("Sign in", exact=True).click()
    page.wait_for_url("**/floor/")
    page.close()
    return context


@pytest.fixture(scope="module")
def fresh(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    config = furnished.empty(tmp_path_factory.mktemp("fresh"))
    with furnished.served(config) as address:
        ids = person_ids(config)
        staff = signed_in(browser, address, MANAGER.name, VISITOR.name, ids[VISITOR.name])
        house = House(address, ids, {"staff": staff})
        yield house
        house.close()


@pytest.fixture(scope="module")
def house(browser: Browser, worked_in: WorkedIn) -> Iterator[House]:
    address, names = worked_in.address, worked_in.names
    browsers = {
        "stranger": browser.new_context(reduced_motion="reduce"),
        "staff": signed_in(browser, address, MANAGER.name, VISITOR.name, names[VISITOR.name]),
        "supervisor": signed_in(browser, address, "Nadia", "Omar", names["Omar"]),
        "walking": signed_in(browser, address, "Nadia", "Nadia", names["Nadia"]),
        "caller": signed_in(browser, address, "Nadia", "Luka", names["Luka"]),
    }
    house = House(address, names, browsers)
    yield house
    house.close()


def test_every_address_of_the_application_is_visited_here(tmp_path: Path) -> None:
    app = create_app(EdgeConfig(store="trial", title="The trial store", directory=str(tmp_path)))
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        # Of the API, which answers programs in JSON, few addresses are pages.
        if "GET" in rule.methods and (not rule.endpoint.startswith("api.") or rule.endpoint in VISITS)
    }
    assert pages - NO_PAGES.keys() == VISITS.keys()


@pytest.mark.parametrize("endpoint", VISITS)
def test_a_page_is_whole_quiet_and_can_be_read_by_everyone(house: House, endpoint: str) -> None:
    who = "stranger" if endpoint in PUBLIC else "staff"
    assert [fault for where in VISITS[endpoint] for fault in house.faults(who, where)] == []


def test_so_is_what_a_supervisor_sees(house: House) -> None:
    assert [fault for where in SUPERVISED for fault in house.faults("supervisor", where)] == []


def test_so_is_what_is_told_to_whoever_walks_the_floor(house: House) -> None:
    found = [fault for where in WALKING for fault in house.faults("walking", where)]
    page = house.pages["walking"]
    page.goto(f"{house.address}/floor/")
    for card in (".card-trouble", ".card-security .safe", ".observe"):
        assert page.locator(card).count() > 0, card
    assert found == []


@pytest.mark.parametrize("language", ["Català", "Srpski", "Italiano", "Português"])
def test_the_cards_have_room_in_every_language(house: House, language: str) -> None:
    page, found = house.pages["walking"], []
    page.set_viewport_size({"width": 360, "height": 800})
    for where in (*WALKING, "/floor/locked"):
        page.goto(f"{house.address}/floor/")
        page.get_by_role("button", name=language).click()
        page.wait_for_load_state()
        page.goto(house.address + where)
        page.evaluate(OPEN_ALL)
        found += [f"{where}: {one}" for one in page.evaluate(RUNS_OUT)]
    page.goto(f"{house.address}/floor/")
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state()
    assert found == []


def test_so_is_what_a_caller_sees(house: House) -> None:
    assert [fault for where in CALLER for fault in house.faults("caller", where)] == []
    page = house.pages["caller"]
    page.goto(f"{house.address}/floor/")
    assert page.locator(".card-asks").count() == 1


def test_so_is_each_refusal(house: House) -> None:
    assert [f for where, status in REFUSED.items() for f in house.faults("supervisor", where, status)] == []


def test_so_is_a_store_before_its_first_day(fresh: House) -> None:
    assert [fault for where in EMPTY for fault in fresh.faults("staff", where)] == []


def test_so_is_what_a_form_answers(house: House) -> None:
    """What was given once, what was typed wrong, and what is only looked at so far."""
    page = house.pages["staff"]
    found: list[str] = []

    def go(where: str) -> None:
        page.set_viewport_size({"width": 1440, "height": 800})
        page.goto(house.address + where)

    def press(name: str) -> None:
        page.get_by_role("button", name=name).click()
        page.wait_for_load_state()
        found.extend(f"after '{name}': {one}" for one in look_at(page))

    go("/manage/people/add")
    page.get_by_label("Name", exact=True).fill("Nora")
    press("Add and show the PIN")
    go("/manage/people/add")
    page.get_by_label("Name", exact=True).fill("Nora")
    press("Add and show the PIN")
    for content in (b"name;role\nPau;boss\n", b"name;role;zones\nPau;associate;tills\nBia;associate;\n"):
        go("/manage/people/import")
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": content}
        page.get_by_label("File, up to").set_input_files(file)  # type: ignore[arg-type]
        press("Look at it first")
    go("/manage/policy/help")
    page.get_by_label("After seconds").nth(1).fill("20")
    press("Preview")
    page.get_by_label("After seconds").nth(1).fill("soon")
    press("Save")
    go("/manage/tokens")
    page.get_by_label("Name of the program").fill("Wall display")
    page.get_by_role("checkbox").first.check()
    press("Make it")
    go("/manage/feedback/new")
    page.get_by_role("radio", name="By letter").check(force=True)
    page.get_by_role("radio", name="Happy", exact=True).check(force=True)
    page.get_by_label("Code of their request").fill("ZZZ-ZZZ")
    press("Save")
    # Each refused form is noted by the browser itself.
    assert [one for one in [*found, *house.heard()] if "Failed to load resource" not in one] == []


def test_so_is_the_demo(demo: Demo, page: Page) -> None:
    said: list[str] = []
    listen(page, said)
    page.goto(demo.address)
    assert look_at(page) + said == []
