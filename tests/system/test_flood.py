"""Every door is flooded by strangers, and security is paged meanwhile. With figures: `make faults`."""

import json
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.alarms import post
from tests.faults.booth import HOLD_S, Booth
from tests.faults.flood import flooding
from tests.faults.staff import Desk
from tests.rig.phone import Phone, Told
from tests.rig.store import Rig, listens, wait_for

pytestmark = [pytest.mark.system, pytest.mark.faults]


def test_security_pages_while_every_door_is_flooded(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path)
    booth, pages = Booth(rig, "kiosk-1", window_s=1), []
    Desk(rig, "present").make_present()
    more = threading.Event()

    def told(one: Told) -> None:
        if one.event == "page":
            pages.append(json.loads(one.data)["request"])
            more.set()

    def paged(requests: int) -> bool:
        return len(set(pages)) >= requests

    igor, ana = Phone(rig.config.web.port), Phone(rig.config.web.port)
    try:
        rig.start_broker_program()
        for name in ("worker", "vault", "web"):
            rig.start(name)
        for port in (rig.config.vault.port, rig.config.web.port):
            wait_for(lambda port=port: listens(port), "The start of the programs", 60)
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start", 60)
        booth.start()
        igor.sign_in(rig.people["Igor"].id, "2414")
        ana.sign_in(rig.people["Ana"].id, "2411")
        listening = igor.listen(told)
        wait_for(listening.ready.is_set, "Igor's stream", 60)
        with flooding(rig, seed=5, seconds=60.0, rate=150, open_=120) as flood:
            booth.touch().press("security", HOLD_S + 0.2)
            wait_for(lambda: paged(1), "The page of the kiosk's request", 60)
            form = {"id": str(uuid4()), "person": rig.people["Ana"].id}
            assert post(rig, ana, "/floor/quiet/call", form) == 204
            wait_for(lambda: paged(2), "The page of the phone's request", 60)
            assert flood.poll() is None
    finally:
        rig.stop()
