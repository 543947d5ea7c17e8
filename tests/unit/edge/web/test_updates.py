"""Updates at the desk: rolled out, stopped, called back, and said in words that are true."""

from uuid import UUID, uuid4

import msgspec
import pytest

from broker.events import ReleaseMoved
from broker.messages import DeviceState
from broker.release import File, Manifest
from edge.audit.store import Actor
from edge.config import Vault
from edge.devices import store as devices
from edge.handling import updating
from edge.handling.telling import Telling
from edge.updates import store as updates

from .conftest import STORE, Browser, Shop


@pytest.fixture
def carrying(shop: Shop) -> Shop:
    """Two kiosks that take releases, a release, and a vault to fetch it from."""
    now, config = shop.clock.now, shop.services.config
    shop.services.config = msgspec.structs.replace(config, vault=Vault(address="localhost"))

    def work(conn):  # type: ignore[no-untyped-def]
        for name in ("kiosk-1", "kiosk-2"):
            devices.register(conn, STORE, name, "shoes", None, now)
            said = DeviceState("online", version="0.1.0", updates=True)
            devices.save_status(conn, STORE, name, said, now)
        manifest = Manifest("floorbell-release-1", "0.2.0", now, [File("x", 1, "0" * 64)])
        updating.add(conn, STORE, Actor("x", "command"), manifest, "a" * 64, 1000, "b" * 64, now)

    shop.write(work)
    return shop


def begin(visitor: Browser, **more: str):  # type: ignore[no-untyped-def]
    form = {"version": "0.2.0", "first": "kiosk-2", "minutes": "0", "batch": "5"} | more
    visitor.get("/manage/updates")
    return visitor.post("/manage/updates/roll-out", **form)


def says(shop: Shop, name: str, stage: str, reason: str = "") -> None:
    def work(conn):  # type: ignore[no-untyped-def]
        telling, now = Telling(STORE), shop.services.clock()
        updating.look(conn, telling, "https://x", "", now)
        newest = updates.newest(conn, STORE, 1)[0]
        order, _ = updates.orders(conn, newest.id, name)
        moved = ReleaseMoved(UUID(order), "0.2.0", stage, reason)  # type: ignore[arg-type]
        updating.heard(conn, telling, name, moved, now, now)
        updating.look(conn, telling, "https://x", "", now)
        telling.flush(conn, now)

    shop.services.writer.run(work)


def test_a_release_is_rolled_out_and_each_kiosk_is_said_to_be_where_it_says_it_is(
    carrying: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    assert begin(visitor).status_code == 303
    page = visitor.get("/manage/updates").text
    assert "goes first" in page and page.count("not told yet") == 2
    says(carrying, "kiosk-2", "trying")
    page = visitor.get("/manage/updates").text
    assert "tries it" in page and "healthy</td>" not in page and page.count("not told yet") == 1
    says(carrying, "kiosk-2", "healthy")
    says(carrying, "kiosk-1", "rolled_back", "It did not say that it runs.")
    page = visitor.get("/manage/updates").text
    assert (
        "stopped by itself" in page
        and "runs what ran before" in page
        and "It did not say that it runs." in page
    )


def test_a_kiosk_that_was_only_told_is_shown_so_when_it_is_stopped(carrying: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    begin(visitor)

    def tell(conn):  # type: ignore[no-untyped-def]
        telling = Telling(STORE)
        updating.look(conn, telling, "https://x", "", carrying.services.clock())

    carrying.services.writer.run(tell)
    assert "<span>told</span>" in visitor.get("/manage/updates").text
    ((made,),) = carrying.read("SELECT id FROM rollout")
    visitor.post("/manage/updates/stop", rollout=made)
    page = visitor.get("/manage/updates").text
    assert "told, and had not said that it has it when this ended" in page and "<span>told</span>" not in page


def test_the_page_says_whom_a_roll_out_waits_for_and_how_a_release_gets_here(
    carrying: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    begin(visitor)
    now = carrying.clock.now
    assert "Nobody begins" not in visitor.get("/manage/updates").text
    carrying.write(lambda conn: devices.save_status(conn, STORE, "kiosk-2", DeviceState("offline"), now))
    page = visitor.get("/manage/updates").text
    assert "Nobody begins: kiosk-2 goes first, and is not heard at this moment." in page
    assert "sudo floorbell release add FILE" in page


def test_it_is_stopped_and_called_back_by_a_button(carrying: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    begin(visitor)
    ((made,),) = carrying.read("SELECT id FROM rollout")
    assert visitor.post("/manage/updates/stop", rollout=made).status_code == 303
    assert "stopped by hand" in visitor.get("/manage/updates").text
    assert visitor.post("/manage/updates/call-back", rollout=made).status_code == 303
    assert "called back" in visitor.get("/manage/updates").text
    assert visitor.post("/manage/updates/call-back", rollout=made).status_code == 409
    assert visitor.post("/manage/updates/stop", rollout=str(uuid4())).status_code == 404
    assert visitor.post("/manage/updates/dance").status_code == 404


@pytest.mark.parametrize(
    "form",
    [{"first": "kiosk-9"}, {"minutes": "x"}, {"minutes": "-1"}, {"batch": "0"}, {"batch": "9999999999"}],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    carrying: Shop, visitor: Browser, form: dict[str, str]
) -> None:
    visitor.sign_in_at_desk("Mira")
    answer = begin(visitor, **form)
    assert answer.status_code == 400 and "llowed are" in answer.text
    assert carrying.read("SELECT count(*) FROM rollout") == [(0,)]


def test_whoever_only_looks_sees_it_and_has_no_button(carrying: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Sofia")
    page = visitor.get("/manage/updates").text
    assert "0.1.0" in page and 'roll-out"' not in page
    assert begin(visitor).status_code == 403


def test_without_a_vault_nothing_can_be_rolled_out_and_the_page_says_so(
    carrying: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    config = carrying.services.config
    carrying.services.config = msgspec.structs.replace(config, vault=Vault())
    assert "no address under [vault]" in visitor.get("/manage/updates").text
    assert begin(visitor).status_code == 400
