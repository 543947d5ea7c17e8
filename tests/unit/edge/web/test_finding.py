"""Finding in the log at the desk: words, filters in the address, ready-made ones, and the files to keep."""

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from edge.interactions import index
from edge.interactions.exporting import COLUMNS
from edge.web.manage import export
from edge.web.services import EXPORTS_AT_ONCE

from .conftest import Browser, Shop
from .test_manage import ids


@pytest.fixture
def mira(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Mira")
    return visitor


def settle(shop: Shop) -> None:
    while shop.write(lambda conn: index.settle(conn, "trial")):
        pass


def test_words_are_found_by_their_beginnings_without_accents(shop: Shop, mira: Browser) -> None:
    found = shop.raise_request("Ana", note="Señora Sàbates came back for Đorđe's parcel")
    shop.raise_request("Marc", note="Nothing of the kind")
    settle(shop)
    for text in ("sabates", "SÀBA", "dorde+parc", "ana", "fitting", "senora+shoes"):
        assert found in ids(mira.get(f"/manage/log?q={text}").text), text
    assert ids(mira.get("/manage/log?q=sabates+nothing").text) == []


def test_what_the_index_has_not_yet_is_said(shop: Shop, mira: Browser) -> None:
    shop.raise_request("Ana")
    assert "The search is catching up: 1 entries" in mira.get("/manage/log?q=ana").text
    settle(shop)
    assert "catching up" not in mira.get("/manage/log?q=ana").text


def test_search_goes_on_where_it_stopped(shop: Shop, mira: Browser) -> None:
    raised = []
    for number in range(110):
        raised.append(shop.raise_request(note="umbrella"))
        shop.clock.pass_(seconds=number % 3)
    settle(shop)
    found: list[str] = []
    address: str | None = "/manage/log?q=umbr"
    while address:
        text = mira.get(address).text
        found += ids(text)
        older = text.partition('">Older')[0].rpartition('href="')[2]
        address = older.replace("&amp;", "&") if '">Older' in text else None
    assert len(found) == 110 and set(found) == set(raised)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("topic=till", "b"),
        ("language=pt", "c"),
        ("device=till-1", "b"),
        ("outcome=helped", "a"),
        ("score=low", "d"),
        ("score=4", ""),
        ("drill=only", "c"),
        ("drill=without", "abd"),
        ("wait=60", "bc"),
        ("state=missed", "b"),
    ],
)
def test_every_filter_keeps_what_it_names(shop: Shop, mira: Browser, asked: str, kept: str) -> None:
    start = shop.clock.now
    made = {
        "a": shop.raise_request(
            outcome="helped", state="resolved", acknowledged_at=start + timedelta(seconds=9)
        ),
        "b": shop.raise_request(
            topic="till", device="till-1", state="missed", closed_at=start + timedelta(seconds=120)
        ),
        "c": shop.raise_request(language="pt-BR", drill=True),
        "d": shop.raise_request(kind="feedback", state="recorded", score=1),
    }
    shop.clock.pass_(seconds=61)
    found = ids(mira.get(f"/manage/log?{asked}").text)
    assert sorted(found) == sorted(made[name] for name in kept)


@pytest.mark.parametrize("address", ["?score=9", "?drill=yes", "?wait=long", "?wait=99999999"])
def test_a_filter_that_says_nonsense_is_400_with_a_sentence(mira: Browser, address: str) -> None:
    answer = mira.get("/manage/log" + address)
    assert answer.status_code == 400 and "The address says" in answer.text
    assert mira.get("/manage/log.csv" + address).status_code == 400


def test_both_files_hold_exactly_the_filtered_log(shop: Shop, mira: Browser) -> None:
    for number in range(450):
        shop.raise_request(zone="tills" if number % 2 else "shoes", note="=SUM(A1) ünd, mehr")
        shop.clock.pass_(seconds=1)
    answer = mira.get("/manage/log.csv?zone=tills")
    assert answer.data.startswith(b"\xef\xbb\xbf") and ".csv" in answer.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert list(lines[0]) == list(COLUMNS)
    shown = ids(mira.get("/manage/log?zone=tills").text)
    assert len(lines) == 225 and [line["id"] for line in lines[: len(shown)]] == shown
    assert lines[0]["note"] == "'=SUM(A1) ünd, mehr"
    book = load_workbook(io.BytesIO(mira.get("/manage/log.xlsx?zone=tills").data))
    rows = list(book.active.iter_rows(values_only=True))
    assert [row[-1] for row in rows[1:]] == [line["id"] for line in lines]
    assert rows[1][list(COLUMNS).index("note")] == "=SUM(A1) ünd, mehr"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\tx"])
def test_a_text_that_is_a_formula_is_made_harmless(text: str) -> None:
    assert export.defused(text) == f"'{text}"


def test_a_number_below_zero_stays_a_number() -> None:
    assert export.defused(-1.5) == -1.5


def test_one_export_too_many_is_told_when_to_come_again(shop: Shop, mira: Browser) -> None:
    shop.raise_request()
    held = [mira.client.get("/manage/log.csv", buffered=False) for _ in range(EXPORTS_AT_ONCE)]
    assert [one.status_code for one in held] == [200] * EXPORTS_AT_ONCE
    refused = mira.get("/manage/log.csv")
    assert refused.status_code == 503 and refused.headers["Retry-After"] == "20"
    assert "exports are already being written" in refused.text
    for one in held:
        one.close()
    assert mira.get("/manage/log.xlsx").status_code == 200


def test_ready_made_days_and_looks_are_plain_links(shop: Shop, mira: Browser) -> None:
    text = mira.get("/manage/log?zone=tills").text
    assert 'href="/manage/log?zone=tills&amp;score=low"' in text
    assert "zone=tills" in text.partition('">Yesterday')[0].rpartition('href="')[2]
