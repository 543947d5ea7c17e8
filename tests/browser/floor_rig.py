"""A store with a worker and pages, a kiosk that presses, and phones of 360 px in a real browser."""

import datetime as dt
from pathlib import Path
from uuid import UUID

from playwright.sync_api import BrowserContext, Page, expect

from broker import codec, topics
from broker.events import HelpRequested, SecurityRequested, new_id
from tests.rig.store import PASSWORD, STORE, Rig, listens, wait_for

__all__ = ["PASSWORD", "Floor", "open_floor"]
KIOSK = "kiosk-1"


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

    def lines(self, request: str, *whats: str) -> list[str]:
        """What the timeline says of these, in order."""
        query = "SELECT what, words FROM timeline WHERE interaction = :id ORDER BY id"
        return [words for what, words in self.rig.read(query, id=request) if what in whats]

    def sign_in(self, context: BrowserContext, name: str) -> Page:
        """A new phone of this context, signed in and reachable."""
        someone = self.rig.people[name]
        page = context.new_page()
        page.goto(f"{self.rig.url}/floor/")
        page.get_by_role("link", name=name).click()
        for digit in someone.pin or "":
            page.locator(f"[data-digit='{digit}']").click()
        page.get_by_label("Sign in", exact=True).click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        expect(page.locator("#link")).to_have_attribute("data-link", "connected")
        return page

    def close(self) -> None:
        self._kiosk.stop()
        self.rig.stop()


def open_floor(directory: Path) -> Floor:
    """A new store with its broker, worker and pages running."""
    rig = Rig.make(directory)
    rig.start_broker()
    for program in ("worker", "web"):
        rig.start(program)
    wait_for(lambda: listens(rig.config.web.port), "The pages' start")
    wait_for(lambda: rig.log_of("worker").count(" is connected.") == 2, "The worker's start")
    return Floor(rig)
