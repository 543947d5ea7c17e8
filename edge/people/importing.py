"""A CSV file of people: what it would add, change and leave, and every fault with its line and column. Pure.

Whoever is in the store already is known by name, in upper or lower case: the same file twice changes nothing.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from edge.people.details import Details, faults

COLUMNS = ("name", "role", "zones", "languages", "badge")
NEEDED = ("name", "role")
MAX_BYTES = 64 * 1024
# Each new PIN costs a core a tenth of a second.
MAX_PEOPLE = 200
TEMPLATE = """name,role,zones,languages,badge
Nora Vidal,associate,shoes tills,ca en,
Pau Serra,supervisor,,en,B-0017
"""
Refuse = Callable[[Details | None, Details], str | None]


@dataclass(frozen=True, slots=True)
class FaultyLine:
    """`column` '' where it is the line as a whole; line 1 is the header, 0 the file."""

    line: int
    column: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One line that is right. `before` is None for somebody new."""

    line: int
    before: Details | None
    after: Details

    @property
    def verdict(self) -> Literal["add", "change", "leave"]:
        return "add" if self.before is None else "leave" if self.before == self.after else "change"

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Column, before, after: for each that differs."""
        if self.before is None:
            return []
        old, new = self.before.values(), self.after.values()
        return [(key, _said(old[key]), _said(new[key])) for key in COLUMNS if old[key] != new[key]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Nothing of it may be carried out while there are faults."""

    lines: tuple[Planned, ...] = ()
    faults: tuple[FaultyLine, ...] = ()

    def of(self, verdict: str) -> list[Planned]:
        return [line for line in self.lines if line.verdict == verdict]


def read(
    data: bytes, zones: Mapping[str, str], known: Mapping[str, Details], refuse: Refuse = lambda *_: None
) -> Plan:
    """The plan of a file. `known` is casefolded name -> details; `refuse` asks for rights."""
    if len(data) > MAX_BYTES:
        said = f"The file has {len(data)} bytes; allowed are {MAX_BYTES}."
        return Plan(faults=(FaultyLine(0, "", "", said),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        said = f"The file is not UTF-8 at byte {error.start}; save it as 'CSV UTF-8'."
        return Plan(faults=(FaultyLine(line, "", f"0x{data[error.start]:02x}", said),))
    return _Reading(zones, known, refuse).all(text)


class _Reading:
    def __init__(self, zones: Mapping[str, str], known: Mapping[str, Details], refuse: Refuse) -> None:
        self._zones, self._known, self._refuse = zones, known, refuse
        self._lines: list[Planned] = []
        self._faults: list[FaultyLine] = []
        self._names: dict[str, int] = {}
        self._badges: dict[str, int] = {}

    def all(self, text: str) -> Plan:
        head = text.split("\n", 1)[0]
        separator = ";" if head.count(";") > head.count(",") else ","
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        header: list[str] = []
        begins = 1
        try:
            for row in rows:
                line, begins = begins, rows.line_num + 1
                if not any(cell.strip() for cell in row):
                    continue
                if not header:
                    header = [cell.strip().lower() for cell in row]
                    if not self._check_header(line, header):
                        break
                elif len(self._names) >= MAX_PEOPLE:
                    self._wrong(line, "", "", f"The file has more people; allowed are {MAX_PEOPLE} at once.")
                    break
                else:
                    self._take(line, header, row)
        except csv.Error as error:
            self._wrong(begins, "", "", f"This line is not CSV: {error}; put quotes around such a value.")
        if not header and not self._faults:
            self._wrong(1, "", "", f"The file is empty; its first line names {', '.join(COLUMNS)}.")
        elif not self._names and not self._faults:
            self._wrong(2, "", "", "There is nobody below the header; each line is one person.")
        self._check_badges()
        return Plan(tuple(self._lines), tuple(sorted(self._faults, key=lambda fault: fault.line)))

    def _check_header(self, line: int, header: list[str]) -> bool:
        for column in header:
            if column not in COLUMNS:
                allowed = f"allowed are {', '.join(COLUMNS)}"
                self._wrong(line, column, column, f"There is no column {column[:40]!r}; {allowed}.")
        for column in NEEDED:
            if column not in header:
                self._wrong(line, column, "", f"The column {column} is missing.")
        for column in {column for column in header if header.count(column) > 1}:
            self._wrong(line, column, column, f"The column {column[:40]!r} is there twice.")
        return not self._faults

    def _take(self, line: int, header: list[str], row: list[str]) -> None:
        if len(row) != len(header):
            said = f"This line has {len(row)} values; the header has {len(header)} columns."
            self._wrong(line, "", "", said)
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        key = " ".join(cells.get("name", "").split()).casefold()
        before = self._known.get(key)
        after = _details(cells, before)
        for fault in faults(after, self._zones):
            self._wrong(line, fault.field, fault.value, fault.sentence)
        first = self._names.setdefault(key, line)
        if key and first != line:
            self._wrong(line, "name", after.name, f"{after.name} is in line {first} already.")
        elif sentence := self._refuse(before, after):
            self._wrong(line, "role", after.role, sentence)
        if after.badge and (other := self._badges.setdefault(after.badge, line)) != line:
            self._wrong(line, "badge", after.badge, f"This badge is in line {other} already.")
        self._lines.append(Planned(line, before, after))

    def _check_badges(self) -> None:
        """A badge of somebody whom the file does not mention."""
        worn = {
            one.badge: one.name for key, one in self._known.items() if one.badge and key not in self._names
        }
        for badge, line in self._badges.items():
            if badge in worn:
                self._wrong(line, "badge", badge, f"This badge is {worn[badge]}'s.")

    def _wrong(self, line: int, column: str, value: str, sentence: str) -> None:
        self._faults.append(FaultyLine(line, column[:40], value[:80], sentence))


def _details(cells: Mapping[str, str], before: Details | None) -> Details:
    """A column that the file lacks leaves what is; so does an empty language."""
    found = before or Details("", "")
    found = replace(found, name=cells.get("name", ""), role=cells.get("role", ""))
    if "zones" in cells:
        found = replace(found, zones=_several(cells["zones"].lower()))
    if cells.get("languages"):
        found = replace(found, languages=_several(cells["languages"]))
    if "badge" in cells:
        found = replace(found, badge=cells["badge"])
    return found.tidy()


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[\s,;|/]+", cell) if part)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
