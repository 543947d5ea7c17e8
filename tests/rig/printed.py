"""The words of a paper, read from the PDF itself, which has them as they are where it has no fonts."""

import re
import zlib
from pathlib import Path

import pytest

from edge.evidence import paper

_STREAM = re.compile(rb"stream\n(.*?)\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\) Tj")


def without_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "_FONTS", Path("/nowhere"))


def words_of(pdf: bytes) -> str:
    """All that is shown, in the order of the pages, with one space wherever a line or a cell ends."""
    said = []
    for raw in _STREAM.findall(pdf):
        try:
            content = zlib.decompress(raw)
        except zlib.error:
            continue
        said += [re.sub(rb"\\(.)", rb"\1", one, flags=re.DOTALL) for one in _SHOWN.findall(content)]
    return " ".join(b" ".join(said).decode("latin-1").split())
