"""The filtered log as a file: CSV as it is read, XLSX by way of a temporary file. A few at once."""

import csv
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from edge.interactions.exporting import COLUMNS, Cell, rows
from edge.interactions.filters import Filters
from edge.web.manage import asking
from edge.web.refusals import refusal
from edge.web.services import EXPORTS_AT_ONCE, services

AGAIN_S = 20
XLSX_ROWS = 1_048_575  # and a line of names: the format's limit
_CHUNK_BYTES = 64 * 1024
# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_csv() -> AnyResponse:
    """Exactly the rows that the log's page shows, all of them."""
    return csv_of(asking.filters_here())


def export_xlsx() -> AnyResponse:
    return xlsx_of(asking.filters_here())


def csv_of(filters: Filters) -> AnyResponse:
    """UTF-8 with a mark for Excel. 503 where too many are under way."""
    room = services()
    if not room.exports.acquire(blocking=False):
        return full()
    lines = csv_lines(rows(room.read, room.store, filters))
    return file_of(lines, "text/csv; charset=utf-8", "csv")


def xlsx_of(filters: Filters) -> AnyResponse:
    """As csv_of."""
    room = services()
    if not room.exports.acquire(blocking=False):
        return full()
    try:
        file = xlsx_file(rows(room.read, room.store, filters))
    except BaseException:
        room.exports.release()
        raise
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = file_of(iter(lambda: file.read(_CHUNK_BYTES), b""), kind, "xlsx")
    response.call_on_close(file.close)
    return response


def csv_lines(found: Iterator[list[Cell]]) -> Iterator[bytes]:
    """The log's file in pieces."""
    return table_lines(tuple(COLUMNS), found)


def table_lines(columns: Sequence[str], found: Iterator[list[Cell]]) -> Iterator[bytes]:
    """A CSV file in pieces of about 64 KiB."""
    piece = _Piece()
    writer = csv.writer(piece)
    piece.write("\ufeff")
    writer.writerow(columns)
    for cells in found:
        writer.writerow([defused(cell) for cell in cells])
        if piece.length > _CHUNK_BYTES:
            yield piece.take()
    yield piece.take()


def defused(cell: Cell) -> Cell:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def xlsx_file(found: Iterator[list[Cell]]) -> IO[bytes]:
    """A temporary file, at its beginning, that is gone once it is closed. Texts are never formulas there."""
    # It takes 4 MB and is needed here alone.
    import xlsxwriter

    file = tempfile.TemporaryFile(prefix="floorbell-")  # noqa: SIM115
    try:
        settings = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(file, settings | {"strings_to_numbers": False}) as book:
            sheet, bold = book.add_worksheet("Log"), book.add_format({"bold": True})
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(COLUMNS) - 1, 16)
            sheet.write_row(0, 0, COLUMNS, bold)
            for number, cells in enumerate(found, 1):
                if number > XLSX_ROWS:
                    break
                sheet.write_row(number, 0, cells)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


class _Piece:
    """What a csv writer writes into."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0

    def write(self, text: str) -> int:
        self._parts.append(text)
        self.length += len(text)
        return len(text)

    def take(self) -> bytes:
        text = "".join(self._parts)
        self._parts, self.length = [], 0
        return text.encode()


def file_of(content: Iterator[bytes], kind: str, ending: str, what: str = "") -> Response:
    """A download; its end lets go of the place among the exports that its caller has taken."""
    room = services()
    response = Response(content, content_type=kind)
    about = f"{what}-" if what else ""
    name = f"floorbell-{room.store}-{about}{room.clock().astimezone():%Y-%m-%d-%H%M}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.call_on_close(room.exports.release)
    return response


def full() -> AnyResponse:
    """503: as many exports as may be are under way."""
    sentence = f"{EXPORTS_AT_ONCE} exports are already being written; try again in a moment."
    return refusal(503, sentence, retry_after_s=AGAIN_S)
