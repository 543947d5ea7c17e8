"""A silent request in a store at work: who may not know of it sees, reads and hears exactly what they did.

It is raised by a kiosk's held button, by the bar of a phone, by a second PIN and by a device that only has
mosquitto_pub. Screens are compared pixel by pixel, answers byte by byte, streams and topics entry by entry.
"""

import contextlib
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from broker.events import new_id
from deploy.demo import shop
from deploy.demo.control import Hand
from deploy.demo.stage import person_ids, port_file, socket_of
from deploy.demo.visitor import Browser as Phone
from deploy.provision import ACTOR, add_device, writing
from edge.config import EdgeConfig, load_config
from edge.handling import granting, staffing
from edge.people.passwords import hash_pin
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.web.shopper import sign_of
from tests.rig.demo import running
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser
PAGER, SECOND_PIN, TRUSTED = "pager-1", "9307", "whoever may know"
AT, NEIGHBOUR = "kiosk-fitting-rooms", "kiosk-entrance"
HOLD_S = 1.8
# What another program may read besides the security scope's.
ADDRESSES = (
    "/floor", "/interactions", "/interactions?kind=security", "/interactions.csv", "/feedback", "/people",
    "/incidents", "/evidence", "/zones", "/troubles", "/refused-messages", "/changes", "/drills",
    "/policies", "/outside/messages", "/reports/answers", "/reports/ratings",
)  # fmt: skip
# Measurements of the process itself, of who listens to it, and of what goes by with time.
_MOMENTS = re.compile(rb'"(?:at|heard_at|signed_in_at|presence_at|reachable)":[^,}]*')
RESTLESS = ("process_", "floorbell_device_heartbeat_age", "floorbell_streams_open")


class Ear:
    """Reads a stream until its connection ends. `heard` are its events as they came; beats are counted."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        asked = urllib.request.Request(address, headers={"Accept": "text/event-stream", **headers})
        self._answer = urllib.request.urlopen(asked, timeout=60)
        self.heard: list[str] = []
        self.beats = 0
        self._thread = threading.Thread(target=self._read, name="ear", daemon=True)
        self._thread.start()

    def close(self) -> None:
        # The reader sits in the same buffer's lock: closing the socket under it is what wakes it.
        self._answer.fp.raw._sock.shutdown(2)
        self._thread.join(5)

    def _read(self) -> None:
        what = ""
        with contextlib.suppress(OSError, ValueError):
            for raw in self._answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    what = line[7:]
                elif line.startswith("data: ") and what == "beat":
                    self.beats += 1
                elif line.startswith("data: "):
                    self.heard.append(f"{what} {line[6:]}")


@dataclass
class Shop:
    """A demo at work, and everything in it that may not know of a silent request. `token` may do everything
    but security's, `trusted` that too; `hears` is the file of whatever the broker gives to a device that asks
    for everything."""

    folder: Path
    address: str
    config: EdgeConfig
    ids: dict[str, str]
    token: str
    trusted: str
    pages: dict[str, Page]
    luka: str
    hears: Path

    def pictures(self) -> dict[str, bytes]:
        return {name: page.screenshot(animations="disabled") for name, page in self.pages.items()}

    def read(self, path: str) -> bytes:
        asked = urllib.request.Request(self.address + path, headers=self.bearer)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def answers(self) -> dict[str, bytes]:
        found = {path: self.read(f"/api/v1{path}") for path in ADDRESSES}
        # That somebody signed in, and when a phone was last heard, is no secret.
        found |= {path: _MOMENTS.sub(b"", found[path]) for path in ("/floor", "/people")}
        lines = self.read("/metrics").decode().splitlines()
        calm = [line for line in lines if not any(name in line for name in RESTLESS)]
        return found | {line.rpartition(" ")[0]: line.encode() for line in calm}

    def ears(self, after: int | None = None) -> dict[str, Ear]:
        """The program's stream, that of one that may know, and that of an associate's phone; behind a cursor,
        what they replay."""
        behind = {} if after is None else {"Last-Event-ID": str(after)}
        return {
            TRUSTED: Ear(
                f"{self.address}/api/v1/stream", {"Authorization": f"Bearer {self.trusted}"} | behind
            ),
            "the program": Ear(f"{self.address}/api/v1/stream", self.bearer | behind),
            "Luka's phone": Ear(f"{self.address}/floor/stream", {"Cookie": self.luka} | behind),
        }

    def topics(self) -> list[str]:
        """What the broker gave away; the server's own heartbeat comes all the time."""
        lines = self.hears.read_text().splitlines()
        return [line for line in lines if not line.startswith("floorbell/v1/demo/edge/")]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with writing(self.config) as conn:
            return [tuple(row) for row in conn.exec_driver_sql(query)]

    def security(self) -> list[str]:
        query = "SELECT id FROM interaction WHERE kind = 'security' AND state = 'raised'"
        return [str(id_) for (id_,) in self.rows(query)]


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("silent")
    with running(folder) as address:
        config = load_config(folder / "edge.toml")
        ids, now = person_ids(config), datetime.now(UTC)
        plain, trusted = tokens.fresh(), tokens.fresh()
        second = hash_pin(SECOND_PIN)
        add_device(config, PAGER, "tills", None, now)
        with writing(config) as conn:
            for name, secret, kept in (("Displays", plain, {"security"}), ("Guards", trusted, set())):
                scopes = [scope for scope in SCOPES if scope not in kept]
                granting.grant(conn, shop.STORE, ACTOR, name, scopes, tokens.key_of(secret), now)
            staffing.set_second_pin(conn, shop.STORE, ACTOR, ids["Bia"], second, now)
        pages = {
            f"the screen of {name}": _page(
                browser, f"http://127.0.0.1:{port_file(folder, name).read_text()}/"
            )
            for name in (AT, NEIGHBOUR)
        }
        pages["the shopper's phone"] = _page(browser, f"{address}/f/{sign_of(_helped(folder, address, ids))}")
        for name in ("Marta", "Luka"):
            pages[f"{name}'s phone"] = _signed_in(browser, address, ids[name], name)
        cookies = pages["Luka's phone"].context.cookies()
        luka = "; ".join(f"{one['name']}={one['value']}" for one in cookies)
        hears = folder / "hears"
        with open(hears, "w") as file:
            listening = subprocess.Popen(_mosquitto("sub", folder, config, "-t", "#", "-v"), stdout=file)
        yield Shop(folder, address, config, ids, plain, trusted, pages, luka, hears)
        listening.terminate()
        listening.wait(10)


def _page(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce").new_page()
    page.goto(address)
    return page


def _signed_in(browser: Browser, address: str, id_: str, name: str) -> Page:
    page = _page(browser, f"{address}/floor/sign-in/{id_}")
    for digit in next(one.pin for one in shop.PEOPLE if one.name == name) or "":
        page.locator(f"[data-digit='{digit}']").click()
    page.get_by_label("Sign in", exact=True).click()
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    return page


def _helped(folder: Path, address: str, ids: dict[str, str]) -> str:
    """A shopper's request at the tills, which is over: its page can be opened."""
    hand = Hand(socket_of(folder, "kiosk-tills"))
    phone, board = carried(address, ids["Bia"], _pin("Bia"))
    hand.press("till")
    time.sleep(0.1)
    hand.release("till")
    config = load_config(folder / "edge.toml")

    def raised() -> list[str]:
        with writing(config) as conn:
            return [
                str(row[0]) for row in conn.exec_driver_sql("SELECT id FROM interaction WHERE kind = 'help'")
            ]

    (request,) = wait_for(raised, "The press")
    board = phone.post(f"/floor/requests/{request}/acknowledge", board, {})
    phone.post(f"/floor/requests/{request}/resolve", board, {"outcome": "helped"})
    return request


def carried(address: str, person: str, pin: str) -> tuple[Phone, str]:
    """A phone that its person has just signed in on, and that answers: one that did not would be told of."""
    phone = Phone(address)
    board = phone.sign_in_on_the_floor(person, pin)
    phone.answer_once(board)
    return phone, board


def _pin(name: str) -> str:
    return next(one.pin for one in shop.PEOPLE if one.name == name) or ""


def _mosquitto(what: str, folder: Path, config: EdgeConfig, *more: str) -> list[str]:
    own = folder / "devices" / PAGER
    keys = ("--cafile", own / "ca.crt", "--cert", own / "tls.crt", "--key", own / "tls.key")
    to = ("-V", "5", "-h", "127.0.0.1", "-p", config.broker.port, "-i", f"{PAGER}-{what}")
    return [f"mosquitto_{what}", *map(str, (*to, *keys)), *more]


def by_kiosk(at_work: Shop) -> None:
    hand = Hand(socket_of(at_work.folder, AT))
    hand.press("security")
    time.sleep(HOLD_S)
    hand.release("security")


def by_phone(at_work: Shop) -> None:
    phone, board = carried(at_work.address, at_work.ids["Bia"], _pin("Bia"))
    phone.post("/floor/quiet/call", board, {"id": str(uuid4())})


def by_second_pin(at_work: Shop) -> None:
    carried(at_work.address, at_work.ids["Bia"], SECOND_PIN)


def by_mosquitto_pub(at_work: Shop) -> None:
    event = {"id": str(new_id(time.time_ns() // 1_000_000)), "kind": "security", "data": {"trigger": "panic"}}
    topic = f"floorbell/v1/{shop.STORE}/{PAGER}/event/security"
    said = ("-q", "1", "-t", topic, "-m", json.dumps(event))
    subprocess.run(_mosquitto("pub", at_work.folder, at_work.config, *said), check=True, timeout=20)


@pytest.mark.parametrize("raise_it", [by_kiosk, by_phone, by_second_pin, by_mosquitto_pub])
def test_whoever_may_not_know_of_it_sees_reads_and_hears_what_they_did(
    at_work: Shop, raise_it: Callable[[Shop], None]
) -> None:
    settled(at_work)
    ((cursor,),) = at_work.rows("SELECT max(cursor) FROM feed")
    live = at_work.ears()
    before, read, topics = at_work.pictures(), at_work.answers(), at_work.topics()

    raise_it(at_work)
    (request,) = wait_for(at_work.security, "The call")
    # Others' steps, and the kiosk's own next words, have their time; all hands are called only after 10 s.
    time.sleep(3)
    same(before, at_work.pictures(), "while security is called")
    assert read == at_work.answers()
    people = at_work.rows(
        f"SELECT p.role FROM page g JOIN person p ON p.id = g.person WHERE request = '{request}'"
    )
    assert {role for (role,) in people} == {"security", "supervisor"}

    omar, board = carried(at_work.address, at_work.ids["Omar"], _pin("Omar"))
    assert f'data-request="{request}"' in board
    board = omar.post(f"/floor/requests/{request}/acknowledge", board, {})
    same(before, at_work.pictures(), "while somebody is coming")
    omar.post(f"/floor/requests/{request}/resolve", board, {"outcome": "handled"})
    time.sleep(1)
    same(before, at_work.pictures(), "when it is over")
    assert read == at_work.answers()

    replayed = at_work.ears(int(str(cursor)))
    time.sleep(1.5)
    heard = {
        f"{name}, {how}": ear.heard
        for how, ears in (("live", live), ("again", replayed))
        for name, ear in ears.items()
    }
    for ear in (*live.values(), *replayed.values()):
        ear.close()
    for how in ("live", "again"):
        assert any(request in line for line in heard.pop(f"{TRUSTED}, {how}")), "the streams tell nothing"
    assert all(ear.beats for ear in live.values())
    told = [(who, line) for who, lines in heard.items() for line in lines if not _of_devices(line)]
    assert told == []
    said = [line for line in at_work.topics()[len(topics) :] if PAGER not in line]
    assert said == [], "the broker gave it to another device"
    # The only device that is told anything is the one on which it was raised, and it shows nothing.
    calls = at_work.rows("SELECT topic, payload FROM outgoing WHERE topic LIKE '%/call'")
    mine = [(str(topic), json.loads(bytes(body))) for topic, body in calls if request.encode() in bytes(body)]  # type: ignore[call-overload]
    ((device,),) = at_work.rows(f"SELECT device FROM interaction WHERE id = '{request}'")
    assert {topic.split("/")[3] for topic, _ in mine} <= {device}
    assert all(call["display"] == "discreet" for _, call in mine)


def _of_devices(line: str) -> bool:
    return line.startswith(("device ", "presence "))


def settled(at_work: Shop) -> None:
    """Nothing moves of itself: two looks, a moment apart, are the same."""
    moves: set[str] = set()

    def still() -> bool:
        before = at_work.pictures() | at_work.answers()
        time.sleep(1.5)
        after = at_work.pictures() | at_work.answers()
        moves.clear()
        moves.update(name for name in before if before[name] != after[name])
        return not moves

    try:
        wait_for(still, "A moment in which nothing moves", 40)
    except AssertionError as error:
        raise AssertionError(f"{error} These move: {moves}.") from None


def same(before: dict[str, bytes], after: dict[str, bytes], when: str) -> None:
    """Pixel by pixel; a picture that differs is kept for whoever looks into it."""
    other = [name for name in before if before[name] != after[name]]
    for name in other:
        for when_, pictures in (("before", before), ("after", after)):
            Path(f"/tmp/silent-{name.replace(' ', '-')}-{when_}.png").write_bytes(pictures[name])
    assert other == [], f"They look otherwise {when}."
