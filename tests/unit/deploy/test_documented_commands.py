"""Every `floorbell …` that a document names is a command that is there, with words and options that it takes.
Nothing is run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from deploy.cli import floorbell
from kiosk.__main__ import parser as kiosk_parser

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for room in ("broker", "deploy", "edge", "kiosk") for path in (ROOT / room).rglob("*.md")),
    ]
)
# A line of its own, in a block; it may go on in the next.
_LINE = re.compile(r"^ *(?:sudo )?floorbell ((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_SPAN = re.compile(r"(?<!`)`(?:sudo )?floorbell ([^`]+)`(?!`)")
# The first line of what a signature is over, as `floorbell restore 1`.
_SIGNED = re.compile(r" v?1$")
_PASSED_ON = {"kiosk": (), "camera": ("camera",)}


def lines(text: str) -> Iterator[list[str]]:
    for found in _LINE.findall(_blocks(text)):
        yield shlex.split(found.replace("\\\n", " "), comments=True)


def spans(text: str) -> Iterator[list[str]]:
    for found in _SPAN.findall(text):
        if not _SIGNED.search(found):
            yield shlex.split(" ".join(found.split()))


def _blocks(text: str) -> str:
    """What stands indented or between fences."""
    fenced, kept = False, []
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            kept.append(line)
    return "\n".join(kept)


def wrong_with(words: list[str], whole: bool) -> str | None:
    """Why the command would not be understood. What is not `whole` only names it and may leave things out."""
    command: click.Command = floorbell
    context = click.Context(floorbell, info_name="floorbell")
    while isinstance(command, click.Group):
        if not words:
            return None if not whole else "it names no command"
        found = command.get_command(context, words[0])
        if found is None:
            return f"there is no {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    if command.name in _PASSED_ON:
        return _kiosk([*_PASSED_ON[command.name], *words], whole)
    if not whole:
        known = {name for one in command.params for name in one.opts}
        unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
        return f"it has no {unknown[0]}" if unknown else None
    try:
        command.make_context("floorbell", words, parent=context)
    except click.UsageError as error:
        return error.format_message()
    return None


def _kiosk(words: list[str], whole: bool) -> str | None:
    if whole:
        try:
            kiosk_parser().parse_args(words)
        except SystemExit:
            return "the kiosk does not take that"
        return None
    (commands,) = (one.choices for one in kiosk_parser()._actions if isinstance(one.choices, dict))
    if not words or words[0] not in commands:
        return f"there is no {words[0]}" if words else None
    unknown = [
        word for word in words if word.startswith("-") and word not in commands[words[0]].format_help()
    ]
    return f"it has no {unknown[0]}" if unknown else None


@pytest.fixture(autouse=True)
def as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As deploy/machine/floorbell calls it; and files that a document names need not be here."""
    monkeypatch.setenv("FLOORBELL_KIOSK_CONFIG", "/etc/floorbell/kiosk.toml")
    monkeypatch.setattr(click.Path, "convert", lambda self, value, param, ctx: Path(value))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_document_is_understood(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    found = [(words, True) for words in lines(text)] + [(words, False) for words in spans(text)]
    wrong = {" ".join(words): said for words, whole in found if (said := wrong_with(words, whole))}
    assert wrong == {}


def test_the_documents_name_commands_and_what_is_none_is_found() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(list(lines(text))) > 15 and len(list(spans(text))) > 8
    for words in (
        "ca restore",
        "ca restore --of x",
        "kiosk renew --at once",
        "kiosk enrol",
        "evidence export",
        "shop",
    ):
        assert wrong_with(words.split(), True) is not None, words
    for words in ("ca restore --of x", "ca mend", "kiosk mend", "kiosk enrol --again"):
        assert wrong_with(words.split(), False) is not None, words
