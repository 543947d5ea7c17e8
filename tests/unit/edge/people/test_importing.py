"""A CSV file of people: all of it is right, or every fault is named."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.people.details import Details
from edge.people.importing import COLUMNS, MAX_BYTES, MAX_PEOPLE, TEMPLATE, Plan, read

ZONES = {"shoes": "Shoes", "tills": "Tills"}
ANA = Details("Ana", "associate", ("shoes",), ("ca", "en"), "B1")
KNOWN = {"ana": ANA}


def plan(text: str) -> Plan:
    return read(text.encode(), ZONES, KNOWN)


def faults(text: str) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.value) for fault in plan(text).faults]


def test_the_template_is_right() -> None:
    assert [line.after.name for line in plan(TEMPLATE).of("add")] == ["Nora Vidal", "Pau Serra"]
    assert plan(TEMPLATE).faults == ()


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_spreadsheets_write_is_read(begin: bytes, newline: str, separator: str) -> None:
    lines = ["Name,Role,Zones,Languages", 'Zoë,Associate,shoes tills,"ca en"', ",,,", ""]
    text = newline.join(lines).replace(",", separator)
    found = read(begin + text.encode(), ZONES, KNOWN)
    (line,) = found.of("add")
    assert line.after == Details("Zoë", "associate", ("shoes", "tills"), ("ca", "en")) and not found.faults


def test_whoever_is_known_is_changed_or_left_and_never_added_twice() -> None:
    (left,) = plan("name,role,zones,languages,badge\nANA,associate,shoes,ca en,B1").lines
    assert left.verdict == "change" and left.changes == [("name", "Ana", "ANA")]
    (same,) = plan("name,role\nAna,associate").lines
    assert same.verdict == "leave" and same.after == ANA
    (moved,) = plan("name,role,zones\nAna,supervisor,").lines
    assert moved.changes == [("role", "associate", "supervisor"), ("zones", "shoes", "")]


def test_every_fault_has_its_line_column_and_value() -> None:
    text = "name,role,zones,languages,badge\nNora,boss,roof,English,\n,associate,,en,\nPau,security,,en,B1\n"
    assert faults(text) == [
        (2, "role", "boss"),
        (2, "zones", "roof"),
        (2, "languages", "English"),
        (3, "name", ""),
        (4, "badge", "B1"),
    ]
    assert all(fault.sentence.endswith(".") for fault in plan(text).faults)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file is empty"),
        ("name,role\n", "nobody below the header"),
        ("name\nNora", "column role is missing"),
        ("name,role,pin\nNora,associate,1234", "no column 'pin'; allowed are name"),
        ("name,role,role\nNora,associate,associate", "is there twice"),
        ("name,role\nNora,associate,x", "has 3 values; the header has 2"),
        ("name,role\nNora,associate\nnora,associate", "nora is in line 2 already"),
        ('name,role\n"Nora,associate', "not CSV"),
        ("name,role,badge\nNora,associate,7\nPau,associate,7", "in line 2 already"),
    ],
)
def test_a_faulty_file_says_what_is_allowed(text: str, said: str) -> None:
    assert any(said in fault.sentence for fault in plan(text).faults), plan(text).faults


def test_another_encoding_too_much_and_too_many_are_refused() -> None:
    assert "not UTF-8" in read("name,role\nZoë,associate".encode("latin-1"), ZONES, {}).faults[0].sentence
    assert "allowed are 65536" in read(b"x" * (MAX_BYTES + 1), ZONES, {}).faults[0].sentence
    many = "name,role\n" + "".join(f"P{n},associate\n" for n in range(MAX_PEOPLE + 1))
    assert "allowed are 200" in plan(many).faults[-1].sentence


def test_the_line_of_a_fault_counts_the_lines_of_a_quoted_value() -> None:
    assert faults('name,role\n"Nora\nVidal",associate\nPau,boss') == [(4, "role", "boss")]


def test_rights_are_faults_too() -> None:
    found = read(b"name,role\nNora,admin", ZONES, KNOWN, lambda before, after: "Only an admin does that.")
    assert [(fault.line, fault.sentence) for fault in found.faults] == [(2, "Only an admin does that.")]


@given(st.binary(max_size=400))
def test_no_file_makes_it_stumble(data: bytes) -> None:
    found = read(data, ZONES, KNOWN)
    assert found.faults or found.lines


names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)
people = st.lists(
    st.builds(
        Details,
        names,
        st.sampled_from(["associate", "supervisor", "security"]),
        st.lists(st.sampled_from(list(ZONES)), unique=True).map(tuple),
        st.lists(st.sampled_from(["en", "ca", "sr"]), min_size=1, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda one: one.name.casefold(),
)


@given(people, st.sampled_from([",", ";"]))
def test_what_is_written_is_read_and_a_second_time_changes_nothing(staff: list[Details], comma: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=comma)
    writer.writerow(COLUMNS)
    for one in staff:
        writer.writerow([one.name, one.role, " ".join(one.zones), " ".join(one.languages), one.badge or ""])
    first = read(out.getvalue().encode(), ZONES, {})
    assert [line.after for line in first.of("add")] == staff and not first.faults
    again = read(out.getvalue().encode(), ZONES, {one.name.casefold(): one for one in staff})
    assert len(again.of("leave")) == len(staff) and not again.faults
