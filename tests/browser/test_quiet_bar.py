"""The bar at the foot of a page: a thumb that is held calls security, and hardly anything shows."""

import base64
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_playwright import CreateContextCallback

from tests.browser.floor_rig import Floor, SignIn, waiting
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser

# What this browser was asked to vibrate, and every sound that it began to play.
WATCH = """(() => {
  window.felt = [];
  Object.defineProperty(navigator, "vibrate", { value: (ms) => window.felt.push(ms), configurable: true });
  window.played = 0;
  for (const kind of [OscillatorNode, AudioBufferSourceNode]) {
    const start = kind.prototype.start;
    kind.prototype.start = function (...given) { window.played += 1; return start.apply(this, given); };
  }
})()"""
# Where two pictures differ by more than the browser's own noise at round corners: left, top, right, bottom.
DIFFERS = """async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const board = new OffscreenCanvas(image.width, image.height).getContext("2d");
    board.drawImage(image, 0, 0);
    return board.getImageData(0, 0, image.width, image.height);
  }));
  const found = [];
  for (let n = 0; n < one.data.length; n += 1) {
    const [x, y] = [Math.floor(n / 4) % one.width, Math.floor(n / 4 / one.width)];
    if (Math.abs(one.data[n] - other.data[n]) > 8) found.push([x, y]);
  }
  const across = found.map(([x]) => x), down = found.map(([, y]) => y);
  return found.length ? [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)] : [];
}"""
STILL = """(() => Object.defineProperty(Navigator.prototype, "vibrate", { value: undefined }))()"""


class Thumb:
    """One thumb on a page, as the browser's own touches."""

    def __init__(self, page: Page) -> None:
        self._page, self._touches = page, page.context.new_cdp_session(page)
        box = page.locator("#quiet").bounding_box()
        assert box is not None and box["width"] == 360 and box["height"] >= 48
        self.x, self.y = box["x"] + 60, box["y"] + 20

    def at(self, *points: tuple[float, float], kind: str = "touchStart") -> None:
        given = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self._touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": given})

    def lift(self) -> None:
        self._touches.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def hold(self, ms: int, along: Callable[[], object] = lambda: None) -> None:
        self.at((self.x, self.y))
        self._page.wait_for_timeout(ms // 2)
        along()
        self._page.wait_for_timeout(ms - ms // 2)
        self.lift()


@pytest.fixture
def alarms(floor: Floor) -> Iterator[Callable[[], list[str]]]:
    """The ids of security requests that were called since the test began; all are over at its end."""
    query = "SELECT id FROM interaction WHERE kind = 'security' AND device = 'phone' ORDER BY received_at"
    before = {row[0] for row in floor.rig.read(query)}

    def called() -> list[str]:
        return [row[0] for row in floor.rig.read(query) if row[0] not in before]

    yield called
    for request in called():
        assert floor.state(request)[0] in ("cancelled", "resolved")


def differs(page: Page, before: bytes, after: bytes) -> list[int]:
    """Where these pictures of a page differ; nothing where they are the same."""
    browser = page.context.browser
    assert browser is not None
    blank = browser.new_page()
    found = blank.evaluate(DIFFERS, [base64.b64encode(one).decode() for one in (before, after)])
    blank.context.close()
    return list(found)


def only_the_line(page: Page, before: bytes, after: bytes) -> bool:
    """Whether the pictures differ in the line on the bar, and nowhere else."""
    box, found = page.locator("#quiet .holdbar-line").bounding_box(), differs(page, before, after)
    assert box is not None and found
    left, top, right, bottom = found
    across = box["x"] <= left and right <= box["x"] + box["width"]
    return across and box["y"] <= top and bottom <= box["y"] + box["height"]


def take_back(page: Page, floor: Floor, name: str = "Ana") -> None:
    page.goto(f"{floor.rig.url}/floor/quiet")
    back = page.locator("section", has=page.get_by_role("heading", name="It was a mistake"))
    back.get_by_label("Your PIN").fill(floor.rig.people[name].pin or "")
    back.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Nothing of yours is open.")).to_be_visible()
    expect(page.locator("#quiet")).to_have_attribute("data-state", "")


def test_a_thumb_that_is_held_calls_security_and_only_the_line_on_the_bar_changes(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    sofia, ana, marc = phone("Sofia"), phone("Ana"), phone("Marc")
    ana.evaluate(WATCH)
    seen, title, others = ana.screenshot(), ana.title(), marc.screenshot()
    Thumb(ana).hold(1_800)
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "sent")
    assert only_the_line(ana, seen, ana.screenshot()) and ana.title() == title
    assert differs(marc, others, marc.screenshot()) == []
    waiting(sofia)
    (request,) = alarms()
    sofia.get_by_role("button", name="I’m coming").tap()
    wait_for(lambda: floor.state(request)[0] == "acknowledged", "The answer")
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "coming")
    expect(ana.get_by_role("heading", name="Sofia is coming")).to_be_visible()
    assert ana.evaluate("[window.felt, window.played]") == [[60], 0]
    take_back(ana, floor)
    assert floor.lines(request, "cancelled") == ["Ana needs nobody any more."]


def test_nothing_at_all_can_be_seen_while_it_is_held_and_the_line_breaks_once_the_store_has_it(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    phone("Sofia")
    ana = phone("Ana")
    before, held, answers = ana.screenshot(), [], []

    def keep(route: Route) -> None:
        answers.append(route)

    ana.route("**/floor/quiet/call", keep)
    thumb = Thumb(ana)
    thumb.hold(2_000, lambda: held.append(ana.screenshot()))
    wait_for(lambda: bool(answers) or bool(ana.wait_for_timeout(20)), "The call")
    # The store has not said so yet.
    assert [differs(ana, before, one) for one in (held[0], ana.screenshot())] == [[], []]
    ana.unroute("**/floor/quiet/call")
    # The first try ran out of its time, or goes through now; the next is the same call.
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "sent", timeout=15_000)
    assert len(alarms()) == 1
    take_back(ana, floor)


def test_a_shorter_touch_a_scroll_a_stray_thumb_and_a_pocket_do_nothing(
    phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    ana = phone("Ana")
    thumb, before = Thumb(ana), ana.screenshot()
    thumb.hold(1_000)
    for x, y in ((thumb.x, thumb.y - 80), (thumb.x + 60, thumb.y)):
        # Onto the page above, or along the bar.
        thumb.hold(1_800, lambda x=x, y=y: thumb.at((x, y), kind="touchMove"))
    # From the page above onto the bar.
    thumb.at((thumb.x, thumb.y - 200))
    thumb.at((thumb.x, thumb.y), kind="touchMove")
    ana.wait_for_timeout(1_800)
    thumb.lift()
    # Several fingers, or cloth.
    thumb.at((thumb.x, thumb.y), (thumb.x + 120, thumb.y - 300))
    ana.wait_for_timeout(1_800)
    thumb.lift()
    ana.locator("#quiet").click()
    ana.wait_for_timeout(500)
    assert alarms() == [] and ana.evaluate("localStorage.getItem('floorbell-calls')") is None
    ana.evaluate("scrollTo(0, 0)")
    assert differs(ana, before, ana.screenshot()) == []


def test_a_thumb_that_shakes_and_a_key_that_is_held_call(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    phone("Sofia")
    ana = phone("Ana")
    thumb = Thumb(ana)
    thumb.hold(1_900, lambda: thumb.at((thumb.x + 25, thumb.y - 8), kind="touchMove"))
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "sent")
    ana.locator("#quiet").focus()
    ana.keyboard.down("Enter")
    ana.wait_for_timeout(1_800)
    ana.keyboard.up("Enter")
    wait_for(lambda: bool(floor.lines(alarms()[0], "pressed_again")), "The second call")
    assert floor.lines(alarms()[0], "pressed_again") == [
        "Ana called security from a phone again: more urgent."
    ]
    take_back(ana, floor)


def test_without_a_connection_it_is_kept_over_pages_and_sent_once(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    sofia, ana = phone("Sofia"), phone("Ana")
    ana.evaluate(WATCH)
    ana.context.set_offline(True)
    Thumb(ana).hold(1_800)
    ana.wait_for_timeout(6_000)
    assert alarms() == [] and ana.evaluate("window.felt") == []
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "")
    ana.context.set_offline(False)
    waiting(sofia)
    expect(ana.locator("#quiet")).to_have_attribute("data-state", "sent")
    assert ana.evaluate("window.felt") == [60]
    (request,) = alarms()
    (late,) = floor.lines(request, "kept")
    assert re.fullmatch(r"Ana did this \d+ s earlier; their phone had no connection\.", late)
    take_back(ana, floor)


def test_an_answer_that_is_lost_five_times_is_one_request(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    phone("Sofia")
    ana = phone("Ana")
    tried: list[str] = []

    def lose(route: Route) -> None:
        assert route.fetch().status == 204
        tried.append(route.request.post_data or "")
        route.abort()

    ana.route("**/floor/quiet/call", lose, times=5)
    Thumb(ana).hold(1_800)
    kept = "localStorage.getItem('floorbell-calls')"
    wait_for(lambda: ana.evaluate(kept) is None, "The confirmation")
    assert len(tried) == 5 and len({re.sub("&kept_s=.*", "", one) for one in tried}) == 1
    (request,) = alarms()
    assert floor.lines(request, "pressed_again") == []
    take_back(ana, floor)


def test_it_goes_out_before_other_taps_that_are_kept(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    phone("Sofia")
    ana = phone("Ana")
    ana.context.set_offline(True)
    ana.get_by_role("button", name="Call a supervisor to Shoes").tap()
    expect(ana.locator(".kept")).to_be_visible()
    Thumb(ana).hold(1_800)
    sent: list[str] = []
    ana.on("request", lambda one: sent.append(one.url.rpartition("/floor/")[2]))
    ana.context.set_offline(False)
    expect(ana.locator(".kept")).to_have_count(0, timeout=15_000)
    assert [one for one in sent if one in ("quiet/call", "supervisor")][:2] == ["quiet/call", "supervisor"]
    take_back(ana, floor)
    ana.goto(f"{floor.rig.url}/floor/")
    ana.get_by_role("button", name="Not needed any more").tap()
    expect(ana.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()


def test_where_nothing_vibrates_the_line_alone_says_so_on_every_page(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    phone("Sofia")
    ana = phone("Ana")
    ana.add_init_script(STILL)
    ana.goto(f"{floor.rig.url}/floor/quiet")
    expect(ana.locator("[data-vibrates]")).to_be_hidden()
    for page in ("colleagues", "feedback", "incidents", "quiet"):
        ana.goto(f"{floor.rig.url}/floor/{page}")
        before = ana.screenshot()
        Thumb(ana).hold(1_800)
        expect(ana.locator("#quiet")).to_have_attribute("data-state", "sent")
        assert only_the_line(ana, before, ana.screenshot())
        take_back(ana, floor)
    assert len(alarms()) == 4


def test_trying_it_calls_nobody(floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]) -> None:
    ana = phone("Ana")
    ana.goto(f"{floor.rig.url}/floor/quiet")
    ana.evaluate(WATCH)
    bar = ana.locator("#quiet-try")
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    ana.mouse.move(box["x"] + 50, box["y"] + 20)
    ana.mouse.down()
    expect(bar).to_have_attribute("data-state", "sent")
    ana.mouse.up()
    assert ana.evaluate("window.felt") == [60] and alarms() == []


def test_are_you_safe_is_one_tap_each_way_without_a_sound(
    floor: Floor, phone: SignIn, alarms: Callable[[], list[str]]
) -> None:
    sofia, ana = phone("Sofia"), phone("Ana")
    ana.evaluate(WATCH)
    Thumb(ana).hold(1_800)
    waiting(sofia)
    sofia.get_by_role("button", name="Ask: are you safe?").tap()
    expect(sofia.get_by_text("Sofia asked Ana: no answer yet")).to_be_visible()
    expect(ana.get_by_role("heading", name="Sofia: all well with you?")).to_be_visible()
    ana.get_by_role("button", name="No", exact=True).tap()
    expect(sofia.get_by_text("Ana answered: not safe")).to_be_visible()
    expect(ana.get_by_role("heading", name="Sofia: all well with you?")).to_have_count(0)
    assert ana.evaluate("[window.felt, window.played]") == [[60], 0]
    take_back(ana, floor)


def test_without_scripts_two_taps_call(
    floor: Floor, phone: SignIn, new_context: CreateContextCallback, alarms: Callable[[], list[str]]
) -> None:
    ana = phone("Ana")
    cookies = ana.context.cookies()
    plain = new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    plain.add_cookies(cookies)  # type: ignore[arg-type]
    page = plain.new_page()
    page.goto(f"{floor.rig.url}/floor/colleagues")
    page.get_by_role("button", name="Call security without a sound", exact=True).click()
    assert alarms() == []
    page.get_by_role("button", name="Yes, without a sound").click()
    assert len(alarms()) == 1
    take_back(ana, floor)
