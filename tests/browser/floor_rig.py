"""A store with a worker and pages, a kiosk that presses, and phones of 360 px in a real browser."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from broker import codec, topics
from broker.events import HelpRequested, SecurityRequested, new_id
from deploy.provision import add_person
from edge.db.engine import connect
from edge.paging import timers
from edge.paging.timers import Timer
from tests.rig.store import STORE, Rig, Someone, listens, wait_for

KIOSK = "kiosk-1"
# As long as a name may be, without a space to break it at.
LONG_NAME = ("Maximiliana" + "Wolfeschlegelsteinhausenbergerdorff" * 2)[:80]
SignIn = Callable[[str], Page]


class Floor:
    """The running store, as its shoppers and its database see it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._kiosk = rig.session(KIOSK, lambda delivery: None)
        self._kiosk.start()
        wait_for(lambda: self._kiosk.connected, "The kiosk's connection")

    def press(self, security: bool = False) -> str:
        """A shopper presses for help, or somebody holds the security button; the request's id."""
        kind = "security" if security else "help"
        content = SecurityRequested("hold") if security else HelpRequested("fitting-room", "ca")
        event: UUID = new_id(int(dt.datetime.now(dt.UTC).timestamp() * 1000))
        payload = codec.encode_event(event, content, kind)
        assert self._kiosk.publish(topics.event(STORE, KIOSK, kind), payload) is not None
        return str(event)

    def state(self, request: str) -> tuple[str, str | None]:
        """The request's state and its owner's name."""
        query = "SELECT state, name FROM interaction i LEFT JOIN person p ON p.id = owner WHERE i.id = :id"
        ((state, owner),) = self.rig.read(query, id=request)
        return state, owner

    def arrival_is_due(self, request: str) -> None:
        """As if the time in which somebody should have arrived, or answered, had passed."""
        engine = connect(self.rig.config.database_url, write=True)
        late = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        with engine.begin() as conn:
            timers.set_due(conn, STORE, request, Timer.ARRIVAL, late)
        engine.dispose()

    def lines(self, request: str, *whats: str) -> list[str]:
        """What the timeline says of these, in order."""
        query = "SELECT what, words FROM timeline WHERE interaction = :id ORDER BY id"
        return [words for what, words in self.rig.read(query, id=request) if what in whats]

    def sign_in(self, context: BrowserContext, name: str) -> Page:
        """A new phone of this context, signed in and reachable."""
        someone = self.rig.people[name]
        page = context.new_page()
        page.goto(f"{self.rig.url}/floor/")
        page.get_by_role("link", name=name, exact=True).click()
        for digit in someone.pin or "":
            page.locator(f"[data-digit='{digit}']").click()
        page.get_by_label("Sign in", exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(page.locator("#link")).to_have_attribute("data-link", "connected")
        return page

    def close(self) -> None:
        self._kiosk.stop()
        self.rig.stop()


def open_floor(directory: Path) -> Floor:
    """A new store with its broker, worker and pages running."""
    rig = Rig.make(directory)
    now = dt.datetime.now(dt.UTC)
    long = add_person(rig.config, LONG_NAME, "associate", now, zones=("tills",), pin="2499")
    rig.people[long.name] = Someone(long.name, "associate", "2499", long.id)
    rig.start_broker()
    for program in ("worker", "web"):
        rig.start(program)
    wait_for(lambda: listens(rig.config.web.port), "The pages' start")
    wait_for(lambda: rig.log_of("worker").count(" is connected.") == 2, "The worker's start")
    return Floor(rig)


def waiting(phone: Page) -> None:
    expect(phone.locator("article[data-waiting]")).to_have_count(1)


def accept(phone: Page) -> None:
    phone.get_by_role("button", name="I’m coming").tap()


def close(phone: Page) -> None:
    """Done, helped: nothing is left open for the next test."""
    phone.locator("summary", has_text="Done").tap()
    phone.get_by_role("button", name="Helped").tap()
    expect(phone.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()


def serious(page: Page) -> list[str]:
    """What axe finds, in light and dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [
            f"{scheme}: {one['id']}: {one['nodes'][0]['html']}"
            for one in Axe().run(page).response["violations"]
        ]
    return found
