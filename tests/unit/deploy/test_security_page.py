"""What the page on security says is shown by tests that are there; and what it says of all of the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "deploy" / "security.md"
NAMED = re.compile(r"`((?:unit|system|browser|faults)/[\w/]+\.py)(?:::(\w+))?`")
DOCUMENT = re.compile(r"`((?:deploy|broker|edge|kiosk)/[\w/.-]+|README\.md)`")
PACKAGES = ("broker", "kiosk", "edge", "deploy")
# By which text becomes code, objects or documents that fetch others.
NO_MODULES = frozenset({"pickle", "marshal", "shelve", "xml", "lxml", "defusedxml"})
NO_CALLS = frozenset({"eval", "exec", "compile", "render_template_string", "Markup", "system", "popen"})
# One runs a file of this repository for whoever makes a release of it, one shows this repository's contract.
OF_OUR_OWN = {"deploy/release.py": "exec", "edge/web/api/docs.py": "Markup"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def test_every_test_and_document_that_the_page_names_is_there() -> None:
    text = PAGE.read_text()
    named = NAMED.findall(text)
    assert len(named) > 80
    for file, name in named:
        path = ROOT / "tests" / file
        assert path.is_file(), file
        assert not name or re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE), f"{file}::{name}"
    for document in DOCUMENT.findall(text):
        assert (ROOT / document).exists(), document


def test_every_row_shows_something_or_says_why_not() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 70
    for row in rows:
        shown = row.split("|")[2].strip()
        assert NAMED.search(shown) or len(shown) > 30, row
    numbers = [n for row in rows for n in re.findall(r"\b\d+\.\d+\.\d+\b", row.split("|")[1])]
    assert len(numbers) == len(set(numbers))


def test_every_field_for_a_secret_hides_it_and_none_refuses_what_is_pasted() -> None:
    fields = []
    for path in (ROOT / "edge" / "web" / "templates").rglob("*.html"):
        text = path.read_text()
        assert "onpaste" not in text, path
        fields += [
            one for one in re.findall(r"<input[^>]*>", text) if re.search(r'name="\w*(password|pin)"', one)
        ]
    assert len(fields) >= 4
    assert [one for one in fields if 'type="password"' not in one] == []


def test_no_program_asks_a_shell() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                assert isinstance(node.value, ast.Constant) and not node.value.value, (
                    f"{name}:{node.value.lineno}"
                )


def test_no_page_takes_the_body_and_the_address_for_one() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "values":
                of = node.value
                assert not (isinstance(of, ast.Name) and of.id == "request"), f"{name}:{node.lineno}"


def test_nothing_is_run_that_was_text() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found = (
                    [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                )
                assert not {one.split(".")[0] for one in found} & NO_MODULES, f"{name}:{node.lineno}"
            if isinstance(node, ast.Call):
                called = node.func
                base = called.value if isinstance(called, ast.Attribute) else None
                of_re = isinstance(base, ast.Name) and base.id == "re"
                word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                known = of_re or OF_OUR_OWN.get(name) == word
                assert known or word not in NO_CALLS, f"{name}:{node.lineno}"
                of_yaml = isinstance(base, ast.Name) and base.id == "yaml"
                assert not of_yaml or word in ("safe_load", "safe_dump"), f"{name}:{node.lineno}"


def test_no_template_passes_markup_of_anybody_through() -> None:
    """Nothing is marked as safe but parts that Jinja rendered itself, and the QR code that segno draws."""
    marked = {
        (path.relative_to(ROOT).as_posix(), found)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.html")
        for found in re.findall(r"\{\{ ?([\w.| ]+?) ?\| ?safe", path.read_text())
    }
    regions = {one for one in marked if re.fullmatch(r"regions\.\w+", one[1])}
    assert {path for path, _ in regions} == {"kiosk/screen/templates/page.html"}
    assert marked - regions == {
        ("kiosk/screen/templates/regions.html", "scene.link | qr"),
        ("edge/web/templates/floor/pages.html", "presence"),
    }
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.html"):
            assert "autoescape" not in path.read_text(), path


@pytest.mark.parametrize("word", ["password", "passphrase", "secret", "token", "pin"])
def test_no_command_and_no_environment_holds_a_secret(word: str) -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # An option may name the file that has it.
                option = re.fullmatch(rf"--[a-z-]*{word}", node.value)
                variable = re.fullmatch(rf"[A-Z_]+_?{word.upper()}[A-Z_]*", node.value)
                assert not option and not variable, f"{name}:{node.lineno}"
