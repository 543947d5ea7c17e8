"""The report of an export for people who read paper: report.pdf in the bundle. It proves nothing by itself.

Only who makes a bundle calls it: the library of PDF costs 47 MB of memory, and is loaded here alone.
"""

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from broker.manifest import Manifest
from edge.evidence import bundle
from edge.evidence.bundle import Anchors
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy, Still
from edge.evidence.custody import Kept
from edge.evidence.stamps import Stamped

if TYPE_CHECKING:
    from fpdf import FPDF

NAME = "report.pdf"
ERASED = "erased by law"
# Has the letters of every language of ours; Debian's package fonts-dejavu-core.
_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_PLAIN, _BOLD, _CODE = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"
_FEWER_LETTERS = (
    "This machine has no font with every letter: letters outside Western European ones are shown without "
    "their marks, or as '?'. custody.jsonl has the words as they were written."
)
_PROVES = (
    "This report is for reading and proves nothing by itself. What proves is in the bundle beside it: the "
    "videos as the kiosks signed them, their manifests, the custody entries and the signed head of the log. "
    "The keys and the head below were written by whoever made the bundle. Compare them with those that the "
    "shop has given you by another way."
)
_STAMPS = (
    "An authority outside the shop has put its time to the log's head of {} entries (RFC 3161). If the stamp "
    "holds, these entries were there by then and have not been changed since. To check it, with the "
    "authority's CA from elsewhere:"
)


@dataclass(frozen=True)
class Told:
    """What a report tells of. `entries` are those of the clips and of the export, in the log's order."""

    title: str
    store: str
    export: UUID
    made_at: datetime
    clips: Sequence[Clip]
    manifests: Mapping[str, Manifest]
    entries: Sequence[Kept]
    anchors: Anchors
    keys: Sequence[str]
    copies: Mapping[str, Copy]
    stamped: Stamped | None


def report(told: Told) -> bytes:
    """The PDF."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    paper = _Paper(pdf, has_fonts=all((_FONTS / name).exists() for name in (_PLAIN, _BOLD, _CODE)))
    pdf.set_title(f"Evidence of {told.store}, export {told.export}")
    pdf.set_creation_date(told.made_at)
    pdf.set_auto_page_break(True, 18)
    pdf.add_page()
    paper.heading(f"Evidence of {told.title}", 18)
    own = next((e for e in reversed(told.entries) if e.subject == str(told.export)), None)
    paper.facts(
        [
            ("Export", str(told.export)),
            ("Made", _moment(told.made_at)),
            ("By", ERASED if own is None or own.actor is None else own.actor),
            ("Reason", ERASED if own is None or own.reason is None else own.reason),
            ("Clips", str(len(told.clips))),
        ]
    )
    paper.text(_PROVES)
    if not paper.has_fonts:
        paper.text(_FEWER_LETTERS)
    for number, clip in enumerate(told.clips, 1):
        paper.heading(f"Clip {number}", 13)
        copied = told.copies.get(clip.id)
        paper.facts(_facts(clip, told.manifests.get(clip.id)) + _copy_facts(clip, copied))
        if copied is not None and copied.stills:
            paper.text(
                "Pictures of the copy, with the kiosk's time of each. They prove nothing by themselves:"
            )
            paper.pictures(copied.stills)
    paper.heading("Custody", 13)
    paper.text("What was done to these clips and to this export, by whom and why, in the order of the log.")
    names = {clip.id: f"clip {number}" for number, clip in enumerate(told.clips, 1)}
    paper.table(
        (13, 34, 24, 18, 34, 67),
        ("Entry", "When", "What", "Of", "Who", "Why"),
        [
            (
                str(e.index),
                _moment(e.at),
                e.action.replace("_", " "),
                names.get(e.subject, "export"),
                ERASED if e.actor is None else e.actor,
                ERASED if e.reason is None else e.reason,
            )
            for e in told.entries
        ],
    )
    head = told.anchors.head
    paper.heading("The log's head and its witnesses", 13)
    paper.facts(
        [
            ("Log", str(head.log)),
            ("Entries", str(head.size)),
            ("Root", head.root),
            ("Signed", _moment(_at(head.at_ms))),
            ("By the key", head.key),
        ]
    )
    if told.anchors.witnesses:
        rows = [(w.device, str(w.size), _moment(_at(w.at_ms)), w.key) for w in told.anchors.witnesses]
        paper.text("These kiosks hold a head of the same log and have signed that they do:")
        paper.table((36, 18, 40, 96), ("Kiosk", "Entries", "Said", "Key"), rows)
    else:
        paper.text("No kiosk has said yet that it holds a head of this log.")
    if told.stamped is not None:
        paper.heading("Time stamp", 13)
        paper.text(_STAMPS.format(told.stamped.size))
        paper.facts([("Stamped", _moment(told.stamped.stamp.at)), ("By", told.stamped.stamp.by)])
        paper.code(f"openssl ts -verify -data {bundle.STAMPED} -in {bundle.STAMP} -CAfile CA.pem")
    paper.heading("How to verify", 13)
    paper.text("On a machine with Floorbell, without a network, with the keys and the head from elsewhere:")
    known = [*(f"  --key {key}" for key in told.keys), f"  --head {head.size}:{head.root}"]
    if told.stamped is not None:
        known.append("  --stamp-ca CA.pem")
    paper.code("\n".join(["floorbell evidence verify BUNDLE", *known]))
    paper.text(
        "The format is open: whoever wants a verifier of their own finds it in edge/evidence/bundle.md."
    )
    return bytes(pdf.output())


def _facts(clip: Clip, manifest: Manifest | None) -> list[tuple[str, str]]:
    facts = [
        ("Id", clip.id),
        ("Kiosk, zone", f"{clip.device}, {clip.zone}"),
        ("Began", _moment(clip.started_at)),
        ("Ended", _moment(clip.ended_at)),
        ("Picture", f"{clip.width} x {clip.height}, {clip.codec}, {clip.bytes} bytes, without sound"),
        ("Sealed", "not yet" if clip.sealed_at is None else _moment(clip.sealed_at)),
        ("Drill", "yes" if clip.drill else "no"),
        ("SHA-256 of the video", clip.sha256),
        ("SHA-256 of the manifest", clip.manifest_sha256),
        ("Kiosk's key", clip.key or "none"),
    ]
    if manifest is not None:
        clock = "in step with a time server" if manifest.clock.synced else "not in step: times as it believed"
        facts += [("Camera", manifest.camera), ("Kiosk's clock", clock)]
        facts += [("Masks in the picture", str(len(manifest.footage.masks)))]
        facts += [("Note", note) for note in manifest.notes]
        if manifest.interrupted:
            facts.append(("Note", "The recorder was cut off: the end is missing."))
    return facts


def _copy_facts(clip: Clip, copied: Copy | None) -> list[tuple[str, str]]:
    if copied is None:
        return []
    trouble = [("About the copy", copied.trouble)] if copied.trouble else []
    if copied.working is None:
        return [("Copy to play", "none could be made"), *trouble]
    said = (
        f"{bundle.working_of(UUID(clip.id))}, made {_moment(copied.made_at)} from the video; proves nothing"
    )
    return [("Copy to play", said), *trouble]


class _Paper:
    """The few kinds of things that stand on it."""

    def __init__(self, pdf: "FPDF", *, has_fonts: bool) -> None:
        self._pdf, self.has_fonts = pdf, has_fonts
        if has_fonts:
            pdf.add_font("text", "", _FONTS / _PLAIN)
            pdf.add_font("text", "B", _FONTS / _BOLD)
            pdf.add_font("code", "", _FONTS / _CODE)
            self._letters = frozenset(getattr(pdf.fonts["text"], "cmap", ()))
        self._face, self._code = ("text", "code") if has_fonts else ("helvetica", "courier")

    def heading(self, words: str, size: int) -> None:
        if self._pdf.will_page_break(40):
            self._pdf.add_page()
        self._pdf.ln(3)
        self._pdf.set_font(self._face, "B", size)
        self._line(words, size * 0.5)

    def text(self, words: str) -> None:
        self._pdf.set_font(self._face, "", 9)
        self._line(words, 4.6)
        self._pdf.ln(1)

    def code(self, words: str) -> None:
        self._pdf.set_font(self._code, "", 7.5)
        self._line(words, 4.2)
        self._pdf.ln(1)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        self.table((44, 146), None, rows)

    def pictures(self, stills: Sequence[Still]) -> None:
        """Three beside one another, each with its time below."""
        pdf, width, gap = self._pdf, 60, 5
        for first in range(0, len(stills), 3):
            row = stills[first : first + 3]
            read = [io.BytesIO(still.path.read_bytes()) for still in row]
            heights = [_height(one, width) for one in read]
            if pdf.will_page_break(max(heights) + 6):
                pdf.add_page()
            top = pdf.get_y()
            pdf.set_font(self._face, "", 7.5)
            for column, (still, image) in enumerate(zip(row, read, strict=True)):
                left = pdf.l_margin + column * (width + gap)
                pdf.image(image, left, top, width)
                pdf.set_xy(left, top + heights[column])
                pdf.cell(width, 4.6, _clock(still))
            pdf.set_xy(pdf.l_margin, top + max(heights) + 7)
        pdf.ln(1)

    def table(
        self, widths: tuple[int, ...], names: tuple[str, ...] | None, rows: Sequence[Sequence[str]]
    ) -> None:
        pdf = self._pdf
        pdf.set_font(self._face, "", 8)
        with pdf.table(
            col_widths=widths, line_height=4.2, text_align="LEFT", first_row_as_headings=names is not None,
            borders_layout="HORIZONTAL_LINES", padding=0.8,
        ) as table:  # fmt: skip
            for cells in ([names] if names else []) + [tuple(row) for row in rows]:
                line = table.row()
                for cell in cells:
                    line.cell(self._said(cell))
        pdf.ln(2)

    def _line(self, words: str, height: float) -> None:
        self._pdf.multi_cell(0, height, self._said(words), align="L", new_x="LMARGIN", new_y="NEXT")

    def _said(self, words: str) -> str:
        words = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in words)
        if self.has_fonts:
            return "".join(sign if sign == "\n" or ord(sign) in self._letters else "?" for sign in words)
        return "".join(map(_western, words))


def _western(sign: str) -> str:
    """The letter if every PDF reader has it, else the one without its marks, else '?'."""
    if sign.encode("latin-1", "ignore"):
        return sign
    return unicodedata.normalize("NFKD", sign).encode("latin-1", "ignore").decode("latin-1") or "?"


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}"


def _clock(still: Still) -> str:
    at = still.shows_at.astimezone()
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}{', the trigger' if still.trigger else ''}"


def _height(image: io.BytesIO, width: float) -> float:
    """What is `width` wide is so high."""
    from PIL import Image

    with Image.open(image) as read:
        return float(read.height * width / read.width)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
