"""The charts: what is counted, what is left out, and the same numbers in words and tables."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from edge.db import feedback_tables

from .conftest import Browser, Shop


@pytest.fixture
def mira(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Mira")
    return visitor


def answered(shop: Shop, after_s: float, **more: object) -> str:
    at = shop.clock.now + timedelta(seconds=after_s)
    return shop.raise_request(state="resolved", acknowledged_at=at, attended_at=at, closed_at=at, **more)  # type: ignore[arg-type]


def test_missed_and_given_up_stay_in_the_count_and_the_unknown_is_named(shop: Shop, mira: Browser) -> None:
    for seconds in (4, 8, 12):
        answered(shop, seconds)
    shop.raise_request(state="missed", closed_at=shop.clock.now)
    shop.raise_request(state="cancelled", closed_at=shop.clock.now)
    shop.raise_request()
    shop.raise_request(age_known=False)
    answered(shop, 1, drill=True)
    text = re.sub(r"\s+", " ", mira.get("/manage/charts").text)
    assert "Of 5 requests 3 were answered, 1 were missed and 1 were taken back while waiting" in text
    assert "1 still waiting: not counted." in text and "1 pressed at an unknown time" in text
    assert "Half of the requests were answered within <b>12 s</b>" in text
    assert "nine in ten of the requests were not answered at all" in text
    curve = json.loads(unescape(re.findall(r'data-chart="([^"]+)"', text)[0]))
    assert max(curve["series"][0]["values"]) == 60.0


def test_only_what_the_address_asks_for_is_counted(shop: Shop, mira: Browser) -> None:
    answered(shop, 5, zone="tills", topic="till")
    answered(shop, 6)
    shop.clock.pass_(days=1)
    answered(shop, 7)
    mira.sign_in_at_desk("Mira")
    assert "Of 3 requests" in mira.get("/manage/charts").text
    assert "Of 1 requests" in mira.get("/manage/charts?zone=tills").text
    today = f"{shop.clock.now.astimezone():%Y-%m-%d}"
    assert "Of 1 requests" in mira.get(f"/manage/charts?from={today}&to={today}").text
    assert "Nobody asked for help" in mira.get("/manage/charts?topic=collect").text


def test_ratings_show_what_counts_beside_all(shop: Shop, mira: Browser) -> None:
    now = shop.clock.now
    for number, judged in enumerate(("counted", "counted", "burst")):
        values = {
            "interaction": f"i{number}", "store": "trial", "device": "kiosk-1", "zone": "shoes", "at": now,
            "source": "kiosk", "score": 4, "answers": {}, "judged": judged, "why": "",
        }  # fmt: skip
        shop.write(lambda conn, values=values: conn.execute(feedback_tables.feedback.insert().values(values)))  # type: ignore[misc]
    assert "2 of 3 ratings count" in mira.get("/manage/charts").text


@pytest.mark.parametrize("asked", ["?from=2026-03-05&to=2026-03-01", "?from=1990-01-01", "?from=0001-01-01"])
def test_a_span_that_cannot_be_is_400_with_a_sentence(mira: Browser, asked: str) -> None:
    answer = mira.get("/manage/charts" + asked)
    assert answer.status_code == 400 and "The address" in answer.text
