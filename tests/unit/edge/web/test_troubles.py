"""What is wrong with the store's own things, on phones, at the desk, in the API and in the metrics."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from edge.devices.store import register
from edge.handling import basis, supervising, zoning
from edge.handling.telling import Telling
from edge.people import store as people
from edge.supervision.facts import Found, Key, Look, What
from tests.unit.edge.web.conftest import STORE, Browser, Shop


def look(shop: Shop, *found: Found) -> None:
    """The worker looks, and finds this."""

    def work(conn: sa.Connection) -> None:
        telling, now = Telling(STORE), shop.clock.now
        known = supervising.troubles.going_on(conn, STORE)
        seen = Look(found, frozenset(), frozenset())
        supervising.take(conn, telling, known, seen, supervising.BY_WORKER, now)
        telling.flush(conn, now)

    shop.write(work)


@pytest.fixture
def silent_kiosk(shop: Shop) -> Found:
    """kiosk-1 is silent, and the supervisor alone is on the floor."""
    now = shop.clock.now
    shop.write(lambda conn: register(conn, STORE, "kiosk-1", "shoes", None, now))
    shop.write(lambda conn: people.set_presence(conn, STORE, shop.people["Sofia"].id, "available", now))
    found = Found(Key("kiosk-1", What.SILENT), now - timedelta(seconds=16), "kiosk-1 has not been heard.")
    look(shop, found)
    return found


def test_a_phone_shows_it_apart_from_calls_and_once_it_was_seen_only_its_end(
    shop: Shop, visitor: Browser, silent_kiosk: Found
) -> None:
    visitor.sign_in(shop.people["Sofia"])
    page = visitor.get("/floor/").text
    assert "Kiosk not heard" in page and "kiosk-1 · Shoes" in page
    # It neither rings as a call nor hides that nobody waits.
    assert "data-waiting" not in page and "Nobody is waiting for you" in page
    ((trouble,),) = shop.read("SELECT id FROM trouble")
    assert "Kiosk not heard" not in visitor.post(f"/floor/troubles/{trouble}/seen", htmx=True).text
    shop.clock.pass_(seconds=30)
    look(shop)
    shop.clock.pass_(seconds=61)
    look(shop)
    assert (
        f"Well again since {shop.clock.now.astimezone() - timedelta(seconds=61):%H:%M}"
        in visitor.get("/floor/").text
    )
    assert visitor.post(f"/floor/troubles/{trouble}/seen").status_code == 303
    assert "Kiosk not heard" not in visitor.get("/floor/").text
    assert visitor.post("/floor/troubles/nonsense/seen").status_code == 303


def test_whoever_was_not_told_sees_nothing_of_it(shop: Shop, visitor: Browser, silent_kiosk: Found) -> None:
    visitor.sign_in(shop.people["Ana"])
    assert "Kiosk not heard" not in visitor.get("/floor/").text


def test_the_desk_shows_it_with_since_when_and_who_was_told(
    shop: Shop, mira: Browser, silent_kiosk: Found
) -> None:
    for path in ("/manage/floor", "/manage/devices", "/manage/device/kiosk-1"):
        page = mira.get(path).text
        assert "Kiosk not heard" in page and "kiosk-1 has not been heard." in page and "told Mira" in page
    log = mira.get("/manage/log").text
    assert "Kiosk not heard" in log
    ((trouble,),) = shop.read("SELECT id FROM trouble")
    story = mira.get(f"/manage/log/{trouble}").text
    assert "Told: Mira." in story


def test_maintenance_is_begun_and_ended_at_the_desk(shop: Shop, mira: Browser, silent_kiosk: Found) -> None:
    assert mira.post("/manage/device/kiosk-1/maintain").status_code == 303
    page = mira.get("/manage/device/kiosk-1").text
    assert "In maintenance since" in page and "kiosk-1 is in maintenance." in page
    assert "in maintenance" in mira.get("/manage/devices").text
    mira.post("/manage/device/kiosk-1/resume")
    assert "In maintenance since" not in mira.get("/manage/device/kiosk-1").text
    whats = [what for (what,) in shop.read("SELECT what FROM audit ORDER BY id")]
    assert whats[-2:] == ["device.maintained", "device.maintained"]


def test_a_worker_that_is_not_heard_is_told_of_from_beside_it_once_and_its_return_once(
    shop: Shop, silent_kiosk: Found
) -> None:
    heard, guarding = [True], shop.services.guarding
    shop.services.hub.calling = lambda: heard[0]

    def pass_(seconds: int) -> list[object]:
        for _ in range(seconds // 5):
            shop.clock.pass_(seconds=5)
            guarding.look()
        return [over for (over,) in shop.read("SELECT over_at FROM trouble WHERE what = 'worker'")]

    assert pass_(60) == []
    heard[0] = False
    assert pass_(10) == []
    assert pass_(300) == [None]
    told = "SELECT count(*) FROM trouble_told JOIN trouble ON trouble = id WHERE what = 'worker'"
    assert shop.read(told) == [(1,)]
    heard[0] = True
    (over,) = pass_(70)
    assert over is not None
    # The worker's own troubles are not this one's to judge.
    assert shop.read("SELECT over_at FROM trouble WHERE what = 'silent'") == [(None,)]


def test_a_second_pair_of_eyes_is_asked_to_observe_and_not_to_stop_anyone(
    shop: Shop, visitor: Browser
) -> None:
    drawer = shop.raise_request("Ana", kind="drawer", topic="open")
    shop.raise_request("Ana", kind="watch", topic="movement", zone="tills")
    visitor.sign_in(shop.people["Ana"])
    page = visitor.get("/floor/").text
    assert "A drawer is open" in page and "Movement where nobody should be" in page
    assert page.count("Observe only. Do not stop anyone.") == 2
    visitor.post("/floor/language", language="it")
    assert "Osserva soltanto. Non fermare nessuno." in visitor.get("/floor/").text
    answer = visitor.post(f"/floor/requests/{drawer}/acknowledge", htmx=True)
    assert answer.status_code == 200 and answer.text.count("Osserva soltanto") == 1
    assert shop.read("SELECT state, outcome FROM interaction WHERE kind = 'drawer'") == [
        ("resolved", "looked")
    ]


def test_what_a_zone_is_watched_for_is_set_at_the_desk_and_stands_in_the_audit(
    shop: Shop, mira: Browser
) -> None:
    def save(**more: str) -> int:
        form = {"title": "Tills", "drawer_s": "90", "watched": "closed", "opens": "09:00", "closes": "20:00"}
        with shop.services.read() as conn:
            form["based_on"] = basis.of(zoning.values_of(conn, STORE, "tills"))
        return mira.post("/manage/zones/tills", **(form | more)).status_code

    assert mira.get("/manage/zones").status_code == 200
    assert save() == 303
    page = mira.get("/manage/zones").text
    assert 'value="90"' in page and 'value="09:00"' in page
    ((words,),) = shop.read("SELECT words FROM audit WHERE what = 'zone.watching'")
    assert "for 90 s, watched: while closed, open 09:00 to 20:00" in str(words)
    for wrong in ({"drawer_s": "5"}, {"drawer_s": "x"}, {"closes": ""}, {"watched": "always"}):
        assert save(**wrong) in (400, 422), wrong
    assert shop.read("SELECT drawer_s FROM zone WHERE name = 'tills'") == [(90,)]


def test_a_phone_says_a_cameras_trouble_as_the_kiosks_word_and_in_its_own_language(
    shop: Shop, visitor: Browser, silent_kiosk: Found
) -> None:
    words = "kiosk-1 says: Something covers the camera, or it is quite dark; look at its lens."
    found = Found(Key("kiosk-1", What.TAMPER, "camera covered"), shop.clock.now, words)
    look(shop, silent_kiosk, found)
    visitor.sign_in(shop.people["Sofia"])
    assert words in visitor.get("/floor/").text
    said = visitor.get("/floor/?language=it").text
    assert "kiosk-1 dice: Qualcosa copre la telecamera, o è molto buio; guarda l’obiettivo." in said
    assert "camera covered" not in said
