"""What stands on the papers of a bundle: headings, text, facts, tables, words that somebody said, pictures.

Only who makes a bundle calls it: the library of PDF costs 47 MB of memory, and is loaded here alone.
"""

import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from fpdf import FPDF

ERASED = "erased by law"
# Has the letters of every language of ours; Debian's package fonts-dejavu-core.
_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_PLAIN, _BOLD, _CODE = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"
FEWER_LETTERS = (
    "This machine has no font with every letter: letters outside Western European ones are shown without "
    "their marks, or as '?'. The files beside this paper have the words as they were written."
)
WIDTH = 190
_LABEL = 58
# Lines of a table's row that one page has room for; a cell of so many signs and breaks is never longer.
_LINES, _SHORT, _FEW_LINES = 48, 200, 15
_QUIET, _RULE = 90, 170


@dataclass(frozen=True)
class Picture:
    """A picture with what stands below it."""

    path: Path
    below: str


class Paper:
    """A4, with `foot` and the page's number below each page."""

    def __init__(self, title: str, foot: str, made_at: datetime) -> None:
        self.has_fonts = all((_FONTS / name).exists() for name in (_PLAIN, _BOLD, _CODE))
        self._face, self._code = ("text", "code") if self.has_fonts else ("helvetica", "courier")
        self._foot = foot
        self._pdf = pdf = _sheets(self._footer)
        if self.has_fonts:
            pdf.add_font("text", "", _FONTS / _PLAIN)
            pdf.add_font("text", "B", _FONTS / _BOLD)
            pdf.add_font("code", "", _FONTS / _CODE)
            self._letters = frozenset(getattr(pdf.fonts["text"], "cmap", ()))
        pdf.set_title(title)
        pdf.set_creation_date(made_at)
        pdf.set_auto_page_break(True, 20)
        pdf.add_page()

    def bytes(self) -> bytes:
        """The PDF."""
        return bytes(self._pdf.output())

    def page(self) -> None:
        self._pdf.add_page()

    def title(self, words: str, below: str = "") -> None:
        self._pdf.set_font(self._face, "B", 20)
        self._line(words, 9)
        if below:
            self._pdf.set_text_color(_QUIET)
            self._pdf.set_font(self._face, "", 10.5)
            self._line(below, 6)
            self._pdf.set_text_color(0)
        self._pdf.ln(3)

    def heading(self, words: str, size: int = 13, room: int = 40) -> None:
        """Not without `room` mm for what follows it."""
        if self._pdf.will_page_break(room):
            self._pdf.add_page()
        self._pdf.ln(3)
        self._pdf.set_font(self._face, "B", size)
        self._line(words, size * 0.5)
        self._pdf.ln(1)

    def text(self, words: str) -> None:
        self._pdf.set_font(self._face, "", 9)
        self._line(words, 4.6)
        self._pdf.ln(1)

    def points(self, sentences: Sequence[str]) -> None:
        self._pdf.set_font(self._face, "", 9)
        for sentence in sentences:
            self._pdf.set_x(self._pdf.l_margin + 3)
            self._line(f"- {sentence}", 4.6)
        self._pdf.ln(1)

    def boxed(self, words: str) -> None:
        """In a frame of its own, so that nobody overlooks it."""
        self._pdf.set_font(self._face, "B", 10)
        said = self._said(words)
        self._pdf.multi_cell(0, 5.4, said, border=1, align="C", padding=3, new_x="LMARGIN", new_y="NEXT")
        self._pdf.ln(3)

    def quote(self, head: str, words: str, below: Sequence[str] = ()) -> None:
        """What somebody said, with who it was before it and what belongs to it after it."""
        if self._pdf.will_page_break(24):
            self._pdf.add_page()
        self._pdf.set_font(self._face, "B", 9)
        self._line(head, 4.8)
        self._pdf.set_font(self._face, "", 9.5)
        self._pdf.set_draw_color(_RULE)
        self._pdf.multi_cell(
            WIDTH - 4, 4.9, self._said(words), border="L", align="L", padding=(1, 0, 1, 3),
            new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        self._pdf.set_draw_color(0)
        self._pdf.set_text_color(_QUIET)
        self._pdf.set_font(self._face, "", 8)
        for line in below:
            self._line(line, 4.2)
        self._pdf.set_text_color(0)
        self._pdf.ln(3)

    def blank(self, label: str, lines: int = 1) -> None:
        """A place to write into by hand."""
        if self._pdf.will_page_break(9 * lines):
            self._pdf.add_page()
        self._pdf.set_font(self._face, "", 9)
        begin = self._pdf.l_margin + _LABEL
        for number in range(lines):
            self._pdf.cell(_LABEL, 9, self._said(label) if not number else "", align="L")
            self._pdf.set_draw_color(_RULE)
            foot = self._pdf.get_y() + 7
            self._pdf.line(begin, foot, self._pdf.l_margin + WIDTH, foot)
            self._pdf.set_draw_color(0)
            self._pdf.ln(9)

    def code(self, words: str) -> None:
        self._pdf.set_font(self._code, "", 7.5)
        self._line(words, 4.2)
        self._pdf.ln(1)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        self.table((44, 146), None, rows)

    def pictures(self, shown: Sequence[Picture]) -> None:
        """Three beside one another, each with its words below."""
        pdf, width, gap = self._pdf, 60, 5
        for first in range(0, len(shown), 3):
            row = shown[first : first + 3]
            read = [io.BytesIO(one.path.read_bytes()) for one in row]
            heights = [_height(one, width) for one in read]
            if pdf.will_page_break(max(heights) + 6):
                pdf.add_page()
            top = pdf.get_y()
            pdf.set_font(self._face, "", 7.5)
            for column, (one, image) in enumerate(zip(row, read, strict=True)):
                left = pdf.l_margin + column * (width + gap)
                pdf.image(image, left, top, width)
                pdf.set_xy(left, top + heights[column])
                pdf.cell(width, 4.6, self._said(one.below))
            pdf.set_xy(pdf.l_margin, top + max(heights) + 7)
        pdf.ln(1)

    def table(
        self, widths: tuple[int, ...], names: tuple[str, ...] | None, rows: Sequence[Sequence[str]]
    ) -> None:
        if not rows:
            return
        pdf = self._pdf
        pdf.set_font(self._face, "", 8)
        pdf.set_draw_color(_RULE)
        with pdf.table(
            col_widths=widths, line_height=4.2, text_align="LEFT", first_row_as_headings=names is not None,
            borders_layout="HORIZONTAL_LINES", padding=0.8,
        ) as table:  # fmt: skip
            parts = [part for row in rows for part in self._parts(widths, row)]
            for cells in ([names] if names else []) + parts:
                line = table.row()
                for cell in cells:
                    line.cell(cell)
        pdf.set_draw_color(0)
        pdf.ln(2)

    def _parts(self, widths: tuple[int, ...], row: Sequence[str]) -> list[tuple[str, ...]]:
        """A row that no page has room for is several."""
        cells = [self._cut(width, self._said(cell)) for width, cell in zip(widths, row, strict=True)]
        return list(zip_longest(*cells, fillvalue=""))

    def _cut(self, width: int, words: str) -> list[str]:
        if len(words) <= _SHORT and words.count("\n") <= _FEW_LINES:
            return [words]
        found = self._pdf.multi_cell(width - 4, 4.2, words, align="L", dry_run=True, output="LINES")
        lines = cast(list[str], found)
        return ["\n".join(lines[at : at + _LINES]) for at in range(0, len(lines), _LINES)]

    def _line(self, words: str, height: float) -> None:
        self._pdf.multi_cell(0, height, self._said(words), align="L", new_x="LMARGIN", new_y="NEXT")

    def _footer(self) -> None:
        pdf = self._pdf
        pdf.set_y(-14)
        pdf.set_font(self._face, "", 7.5)
        pdf.set_text_color(_QUIET)
        pdf.cell(WIDTH - 30, 5, self._said(self._foot))
        pdf.cell(30, 5, f"Page {pdf.page_no()} of {{nb}}", align="R")
        pdf.set_text_color(0)

    def _said(self, words: str) -> str:
        words = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in words)
        if self.has_fonts:
            return "".join(sign if sign == "\n" or ord(sign) in self._letters else "?" for sign in words)
        return "".join(map(_western, words))


def moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}"


def at_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _sheets(footer: Callable[[], None]) -> "FPDF":
    from fpdf import FPDF

    class Sheets(FPDF):
        def footer(self) -> None:
            footer()

    return Sheets(format="A4")


def _western(sign: str) -> str:
    """The letter if every PDF reader has it, else the one without its marks, else '?'."""
    if sign.encode("latin-1", "ignore"):
        return sign
    return unicodedata.normalize("NFKD", sign).encode("latin-1", "ignore").decode("latin-1") or "?"


def _height(image: io.BytesIO, width: float) -> float:
    """What is `width` wide is so high."""
    from PIL import Image

    with Image.open(image) as read:
        return float(read.height * width / read.width)
