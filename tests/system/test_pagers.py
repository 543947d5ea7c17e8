"""Hardware pagers that are nothing but mosquitto_sub and mosquitto_pub, at a store that really works."""

import datetime as dt
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from broker import codec, topics
from broker.events import PageAnswered, SecurityRequested, new_id
from broker.messages import Receipt
from broker.pages import Page
from broker.topics import Channel, of_device
from deploy.provision import ACTOR, writing
from edge.handling import commanding
from edge.people.store import set_presence
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system
NAMES = ("pager-1", "pager-2", "pager-3")


class Pager:
    """Listens with one mosquitto_sub; each word is a mosquitto_pub of its own."""

    def __init__(self, rig: Rig, name: str, folder: Path) -> None:
        self.name, self._heard = name, folder / f"{name}.heard"
        own = rig.directory / "devices" / name
        self._link = [
            "-V",
            "5",
            "-h",
            "127.0.0.1",
            "-p",
            str(rig.config.broker.port),
            "--cafile",
            str(own / "ca.crt"),
        ]
        self._link += ["--cert", str(own / "tls.crt"), "--key", str(own / "tls.key")]
        wanted = [topics.pager_page(STORE, name), of_device(STORE, name, Channel.RECEIPT)]
        # With line buffers: its word that it subscribed is to be seen at once.
        command = [
            "stdbuf",
            "-oL",
            "mosquitto_sub",
            *self._link,
            "-i",
            f"{name}-ear",
            "-d",
            "-q",
            "1",
            "-F",
            "%t %p",
        ]
        with open(self._heard, "wb") as heard:
            self.process = subprocess.Popen([*command, *(w for t in wanted for w in ("-t", t))], stdout=heard)
        wait_for(lambda: b"SUBACK" in self._heard.read_bytes(), f"The subscription of {name}")

    def say(self, topic: str, payload: bytes) -> None:
        command = ["mosquitto_pub", *self._link, "-i", f"{self.name}-mouth-{uuid4()}", "-q", "1", "-t", topic]
        subprocess.run([*command, "-s"], input=payload, check=True, timeout=15)

    def press(self, content: Any, kind: str) -> str:
        """An event of now; its id."""
        id_ = new_id(0)
        self.say(topics.event(STORE, self.name, kind), codec.encode_event(id_, content, kind))
        return str(id_)

    def answer(self, request: str, says: str) -> str | None:
        """The sentence of the refusal, or None once it is receipted."""
        about = msgspec.convert({"request": request, "answer": says}, PageAnswered)
        id_ = self.press(about, "answer")

        def receipt() -> Receipt | None:
            return next(
                (r for r in self.receipts() if id_ in [*map(str, r.ids), *(x.id for x in r.refused)]), None
            )

        got = wait_for(receipt, f"The receipt of {self.name}")
        return got.refused[0].reason if got.refused else None

    def receipts(self) -> list[Receipt]:
        return [
            codec.decode(payload, Receipt)
            for payload in self._on(of_device(STORE, self.name, Channel.RECEIPT))
        ]

    def pages(self) -> list[Page]:
        return [codec.decode(payload, Page) for payload in self._on(topics.pager_page(STORE, self.name))]

    def _on(self, topic: str) -> list[bytes]:
        lines = self._heard.read_bytes().splitlines()
        return [line.partition(b" ")[2] for line in lines if line.startswith(f"{topic} ".encode())]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A store at work. Igor (security) and Sofia (supervisor) hold a pager each, Ana the third."""
    rig = Rig.make(tmp_path / "store", ("kiosk-1", *NAMES))
    with writing(rig.config) as conn:
        now = dt.datetime.now(dt.UTC)
        for name, pager in (("Igor", "pager-1"), ("Sofia", "pager-2"), ("Ana", "pager-3")):
            commanding.hand_out(conn, STORE, ACTOR, pager, True, rig.people[name].id, now)
        for name in ("Igor", "Sofia"):
            set_presence(conn, STORE, rig.people[name].id, "available", now)
    rig.start_broker_program()
    rig.start("worker")
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start")
    yield rig
    rig.stop()


@pytest.fixture
def pagers(rig: Rig, tmp_path: Path) -> Iterator[list[Pager]]:
    found = [Pager(rig, name, tmp_path) for name in NAMES]
    yield found
    for one in found:
        one.process.terminate()
        one.process.wait()


def test_security_at_a_kiosk_reaches_the_pagers_and_one_holder_stops_the_paging(
    rig: Rig, pagers: list[Pager], tmp_path: Path
) -> None:
    igor, sofia, ana = pagers
    kiosk = Pager(rig, "kiosk-1", tmp_path)
    try:
        request = kiosk.press(SecurityRequested("hold"), "security")
        first = wait_for(sofia.pages, "The supervisor's page")[0]
        assert wait_for(igor.pages, "The guard's page")[0].text == first.text == "Come at once: Shoes"
        assert str(first.request) == request and first.silent and not first.drill and first.age_ms < 5000
        assert ana.pages() == [], "It was not her who was called."

        def page_of(name: str) -> str:
            query = "select state from page where person = :who order by round limit 1"
            return str(rig.read(query, who=rig.people[name].id)[0][0])

        wait_for(lambda: page_of("Igor") == page_of("Sofia") == "sent", "The word of the broker")
        assert igor.answer(request, "delivered") is None and igor.answer(request, "seen") is None
        assert (page_of("Igor"), page_of("Sofia")) == ("seen", "sent")
        assert ana.answer(request, "coming") == "pager-3 was not called about this request."
        assert (
            kiosk.answer(request, "coming") == "kiosk-1 is not a pager at the desk; only pagers answer pages."
        )

        wait_for(lambda: [one.round for one in igor.pages()][-1] == 1, "The second round", 20)
        assert igor.answer(request, "coming") is None
        told = wait_for(
            lambda: [one for one in sofia.pages() if one.state == "ended"], "The end at the other"
        )
        assert (told[0].why, told[0].name, told[0].text) == ("acknowledged", "Igor", "Igor is coming: Shoes")
        assert sofia.answer(request, "coming") == "Igor is already coming."
        assert rig.read("select state, owner from interaction where id = :id", id=request) == [
            ("acknowledged", rig.people["Igor"].id)
        ]
        assert rig.read("select kind from timer where request = :id and kind = 'escalate'", id=request) == []
        assert igor.answer(request, "there") is None
        words = [row[0] for row in rig.read("select words from timeline where interaction = :id", id=request)]
        assert "Igor is coming." in words and "Igor is there." in words
        assert "Igor is called on pager-1, which is not heard at this moment." in words
    finally:
        kiosk.process.terminate()
        kiosk.process.wait()
