"""The desk: the log in its pages and filters, one timeline, the devices."""

import re
from datetime import timedelta

import pytest

from edge.db import store_tables, tables
from edge.handling import acting
from edge.supervision import backups
from edge.supervision.backups import Run

from .conftest import Browser, Shop


@pytest.fixture
def mira(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Mira")
    return visitor


def ids(text: str) -> list[str]:
    return re.findall(r'data-id="([^"]+)"', text)


def test_the_log_is_newest_first_and_goes_on_where_it_stopped(shop: Shop, mira: Browser) -> None:
    raised = []
    for _ in range(120):
        raised.append(shop.raise_request())
        shop.clock.pass_(seconds=7)
    found: list[str] = []
    address: str | None = "/manage/log"
    while address:
        text = mira.get(address).text
        found += ids(text)
        older = re.search(r'href="([^"]+)">Older', text)
        address = older[1].replace("&amp;", "&") if older else None
    assert found == raised[::-1]


def test_filters_stay_in_the_address_of_the_next_page(shop: Shop, mira: Browser) -> None:
    for number in range(120):
        shop.raise_request(zone="tills" if number % 2 else "shoes")
        shop.clock.pass_(seconds=1)
    text = mira.get("/manage/log?zone=tills&_external=1").text
    older = re.search(r'href="([^"]+)">Older', text)
    assert older and older[1].startswith("/manage/log?zone=tills&amp;before=") and "_external" not in older[1]


def test_htmx_gets_only_the_rows(shop: Shop, mira: Browser) -> None:
    shop.raise_request()
    text = mira.get("/manage/log", **{"HX-Request": "true"}).text
    assert len(ids(text)) == 1 and "<html" not in text


@pytest.mark.parametrize("address", ["?before=nonsense", "?before=1.", "?from=yesterday", "?to=2026-99-01"])
def test_an_address_that_says_nonsense_is_400_with_a_sentence(mira: Browser, address: str) -> None:
    answer = mira.get("/manage/log" + address)
    assert answer.status_code == 400 and "The address says" in answer.text


def test_a_timeline_tells_who_was_called_and_how_far_each_page_got(shop: Shop, mira: Browser) -> None:
    request = shop.raise_request("Ana", "Marc")
    pages = [str(row[0]) for row in shop.read("SELECT id FROM page ORDER BY person")]
    at = shop.clock.now
    shop.write(lambda c: acting.mark_sent(c, "trial", pages[:1], at + timedelta(seconds=1)))
    shop.write(
        lambda c: acting.acknowledge(c, "trial", request, shop.people["Ana"].id, at + timedelta(seconds=8.5))
    )
    text = mira.get(f"/manage/log/{request}").text
    assert "Ana is coming." in text and "+8.5 s" in text
    assert "Answered" in text and "No answer needed" in text
    assert "A dash means that nobody reported it" in text


def test_another_stores_entry_is_404(shop: Shop, mira: Browser) -> None:
    other = shop.raise_request(store="elsewhere")
    assert mira.get(f"/manage/log/{other}").status_code == 404
    assert other not in mira.get("/manage/log").text


def test_nothing_is_claimed_of_an_age_that_is_not_known(shop: Shop, mira: Browser) -> None:
    request = shop.raise_request("Ana", age_known=False)
    later = shop.clock.now + timedelta(seconds=20)
    shop.write(lambda c: acting.acknowledge(c, "trial", request, shop.people["Ana"].id, later))
    assert "20 s" not in mira.get("/manage/log").text
    text = mira.get(f"/manage/log/{request}").text
    assert "age unknown" in text and "Arrived here" in text


def test_a_device_that_fell_silent_is_not_called_online(shop: Shop, mira: Browser) -> None:
    now = shop.clock.now

    def add(conn) -> None:  # type: ignore[no-untyped-def]
        for name, status, beat in (
            ("fresh", "online", now),
            ("silent", "online", now - timedelta(seconds=40)),
            ("gone", "offline", now - timedelta(seconds=9)),
        ):
            conn.execute(
                store_tables.device.insert().values(
                    store="trial", name=name, zone="shoes", added_at=now, status=status, status_at=beat,
                    heartbeat_at=beat, heartbeat={"depth": 2, "stuck": ["help"], "faults": []},
                )
            )  # fmt: skip

    shop.write(add)
    text = mira.get("/manage/devices").text
    rows = dict(re.findall(r'<tr class="device device-(\w+)">\s*<td><a [^>]+><b>(\w+)', text))
    assert {name: status for status, name in rows.items()} == {
        "fresh": "online",
        "silent": "unknown",
        "gone": "offline",
    }
    assert "button help is stuck" in text
    assert "unknown" in mira.get("/manage/devices/strip").text


def test_quarantine_is_shown_with_its_reasons(shop: Shop, mira: Browser) -> None:
    now = shop.clock.now
    shop.write(
        lambda c: c.execute(
            tables.quarantine.insert().values(
                store="trial", device="kiosk-1", topic="floorbell/v1/trial/kiosk-1/event/hlep",
                reason="There is no event kind 'hlep'.", sha256="0" * 64, payload=b"", count=4,
                first_at=now, last_at=now,
            )
        )
    )  # fmt: skip
    assert "There is no event kind &#39;hlep&#39;." in mira.get("/manage/devices").text


def test_an_associates_name_opens_no_desk(shop: Shop, visitor: Browser) -> None:
    assert visitor.sign_in_at_desk("Igor").status_code == 403


def test_the_desk_says_when_the_last_whole_backup_was_and_that_none_was_proven(
    shop: Shop, mira: Browser
) -> None:
    assert "this store is lost with its disk" in mira.get("/manage/devices").text
    now = shop.clock.now
    made = Run("one", now, now, "/mnt/backup", None, 120_000_000, 31, 2, 4_000_000_000)
    shop.write(lambda conn: backups.record(conn, "trial", made))
    shop.write(lambda conn: backups.record(conn, "trial", Run("two", now, now, "/mnt/b", "It is full.")))
    text = mira.get("/manage/devices").text
    assert "31 files of clips" in text and "Not in it: 2 files of clips" in text
    assert "is not proven" in text and "failed: It is full." in text and "/mnt/b" not in text
    shop.write(lambda conn: backups.set_proven(conn, "trial", "one", now))
    assert "Last opened with the recovery key and found whole" in mira.get("/manage/devices").text
