"""What every program of a store writes to its log while everything happens there: nothing that is secret."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.logs import FIELDS
from deploy.demo.control import Hand
from tests.rig import kiosk as kiosks
from tests.rig.phone import Phone
from tests.rig.receiver import OK, SECRET, Receiver
from tests.rig.store import PASSWORD, Rig, wait_for

pytestmark = pytest.mark.system
PROGRAMS = ("mosquitto", "worker", "web", "vault", "messenger", "kiosk-1")
WRONG_PIN, WRONG_PASSWORD, TOKEN = "7391", "sesame sesame", "fb_never-was-one"

# What a machine that is too slow at the moment may have a program say, whatever happens in the store.
BUSY = re.compile(r"^edge-\w+( is connected|: )|^The server's clock jumped|cannot be reached|did not answer")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig.make(tmp_path / "store")
    made.configure(lambda text: text + '\n[log]\nformat = "json"\n')
    yield made
    made.stop()


def said(rig: Rig) -> list[dict[str, str]]:
    """Every line of every program."""
    return [json.loads(line) for program in PROGRAMS for line in rig.log_of(program).splitlines()]


def pressed(rig: Rig, hand: Hand, button: str, kind: str) -> str:
    """Press a button of the kiosk; the id of the request that comes of it, once somebody is called."""
    hand.press(button)
    query = (
        "SELECT interaction.id FROM interaction JOIN page ON page.request = interaction.id WHERE kind = :kind"
    )
    found = wait_for(lambda: rig.read(query, kind=kind), f"the page of {kind}", 60)
    hand.release(button)
    return str(found[0][0])


def test_no_name_no_secret_and_no_call_of_security_comes_into_any_log(rig: Rig) -> None:
    there = Receiver(OK)
    (rig.directory / "guards.toml").write_text(f'url = "{there.url}"\nsecret = "{SECRET}"\n')
    (rig.directory / "guards.toml").chmod(0o600)
    channel = 'name = "guards"\nkind = "webhook"\nfile = "guards.toml"\nallow_private = true\n'
    rig.configure(lambda text: f"{text}\n[[outside.channel]]\n{channel}")
    rig.start_broker_program()
    for program in PROGRAMS[1:-1]:
        rig.start(program)
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "the worker's start", 60)
    wait_for(lambda: rig.read("SELECT 1 FROM outside_channel"), "the messenger's start", 60)
    path = kiosks.configure(rig, "kiosk-1")
    path.write_text(f'{path.read_text()}\n[log]\nformat = "json"\n')
    hand = kiosks.start(rig, "kiosk-1")

    ana, igor = rig.people["Ana"], rig.people["Igor"]
    phone, guard, desk = (Phone(rig.config.web.port) for _ in range(3))
    wait_for(lambda: _answers(rig), "the web program's start", 60)
    phone.get(f"/floor/sign-in/{ana.id}")
    assert phone.post("/floor/sign-in", person=ana.id, pin=WRONG_PIN)[0] == 403
    phone.sign_in(ana.id, ana.pin or "")
    guard.sign_in(igor.id, igor.pin or "")
    desk.get("/manage/sign-in")
    assert desk.post("/manage/sign-in", name="Mira", password=WRONG_PASSWORD)[0] == 403
    desk.sign_in_at_desk("Mira", PASSWORD)
    assert _asks(rig, TOKEN) == 401
    helped = pressed(rig, hand, "find-item", "help")
    assert phone.post(f"/floor/requests/{helped}/acknowledge")[0] < 400
    wait_for(lambda: "Ana" in str(hand.look()), "the name on the kiosk", 60)
    before = said(rig)

    silent = pressed(rig, hand, "security", "security")
    assert guard.post(f"/floor/requests/{silent}/acknowledge")[0] < 400
    wait_for(lambda: there.calls, "the message outside", 60)
    wait_for(lambda: rig.read("SELECT 1 FROM outside_delivery WHERE state = 'accepted'"), "its note", 60)
    lines = said(rig)
    new = [line for line in lines if line not in before]
    assert [line for line in new if not BUSY.search(line["message"])] == []

    for line in lines:
        assert {"time", "level", "program", "logger", "message"} <= line.keys()
        assert line.keys() <= {"time", "level", "program", "logger", "message", "trace", *FIELDS}
    text = "\n".join(rig.log_of(program) for program in PROGRAMS)
    pins = [person.pin for person in rig.people.values() if person.pin]
    for secret in (*rig.people, *pins, PASSWORD, WRONG_PIN, WRONG_PASSWORD, TOKEN, SECRET, silent):
        assert secret not in text, secret
    there.close()


def _answers(rig: Rig) -> bool:
    try:
        Phone(rig.config.web.port).get("/healthz")
    except OSError:
        return False
    return True


def _asks(rig: Rig, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", rig.config.web.port, timeout=20)
    connection.request("GET", "/api/v1/floor", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    answer.read()
    assert answer.headers["X-Request-Id"]
    connection.close()
    return answer.status
