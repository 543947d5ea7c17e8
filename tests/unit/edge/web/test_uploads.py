"""What people send as a file: one form takes one, and what it is shows in its bytes."""

import io
import zipfile
from pathlib import Path

import pytest

from edge.people.importing import TEMPLATE

from .conftest import Browser, Shop

ROOT = Path(__file__).parents[4]
LOOK = "/manage/people/import"


def zipped(*, bytes_: int = 0) -> bytes:
    """A spreadsheet as its first bytes have it; with `bytes_`, one that would unpack to so many."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<?xml version='1.0'?><Types/>")
        book.writestr("xl/worksheets/sheet1.xml", b" " * bytes_)
    return made.getvalue()


XXE = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>"""


@pytest.mark.parametrize(
    "content",
    [zipped(), zipped(bytes_=20_000_000), XXE, b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n" + bytes(9), b"\x00" * 100],
    ids=["xlsx", "bomb", "xxe", "pdf", "png", "zeros"],
)
def test_a_file_is_what_its_bytes_are_and_not_what_it_is_called(mira: Browser, content: bytes) -> None:
    mira.get("/manage/people/import")
    answer = mira.post(LOOK, file=(io.BytesIO(content), "people.csv", "text/csv"))
    assert answer.status_code == 400 and "root:" not in answer.text
    assert "Traceback" not in answer.text
    good = mira.post(LOOK, file=(io.BytesIO(TEMPLATE.encode()), "people.exe", "application/pdf"))
    assert good.status_code == 200 and "Nora Vidal" in good.text


def test_one_form_alone_takes_a_file() -> None:
    files = [
        path.name
        for path in (ROOT / "edge" / "web" / "templates").rglob("*.html")
        if 'type="file"' in path.read_text()
    ]
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "edge").rglob("*.py")
        if "request.files" in path.read_text()
    ]
    assert (files, readers) == (["people_import.html"], ["edge/web/manage/importing.py"])


def test_a_form_of_too_many_parts_is_refused(mira: Browser, shop: Shop) -> None:
    mira.get("/manage/people/import")
    parts = {f"field-{number}": "x" for number in range(2000)}
    assert mira.post(LOOK, **parts, file=(io.BytesIO(b"name"), "people.csv")).status_code == 413
    limits = shop.app.config
    assert limits["MAX_CONTENT_LENGTH"] <= 96 * 1024 and limits["MAX_FORM_PARTS"] <= 1000
