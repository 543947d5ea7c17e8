"""The keeper's log is read by whatever reads that of the other programs."""

import json
import logging
import sys
from pathlib import Path

import pytest

from broker import logs
from kiosk.keeper import lines


@pytest.fixture(autouse=True)
def logging_as_it_was():
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


def record() -> logging.LogRecord:
    try:
        raise OSError("The card.")
    except OSError:
        return logging.LogRecord("kiosk.keeper.loop", 40, "x", 1, "It \n %s", ("é",), sys.exc_info())


def test_a_line_is_that_of_every_other_program() -> None:
    one = record()
    assert lines.Lines().format(one) == logs.Lines("keeper").format(one)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ('[log]\nformat = "json"\n', ["a warning", "a word"]),
        ('[log]\nformat = "json"\nlevel = "warning"\n', ["a warning"]),
        ('[log]\nformat = "json"\nlevel = "info"\n[log.programs]\nkeeper = "error"\n', []),
    ],
)
def test_kiosk_toml_says_how(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: str, said: list[str]
) -> None:
    (tmp_path / "kiosk.toml").write_text(log)
    lines.begin(tmp_path / "kiosk.toml")
    logging.getLogger("x").warning("a warning")
    logging.getLogger("x").info("a word")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == said


@pytest.mark.parametrize("text", ["", "log = 3", "[log]\nlevel = 5", "[", '[log]\nprograms = "x"'])
def test_without_a_word_of_it_or_with_a_wrong_one_lines_are_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "kiosk.toml").write_text(text)
    lines.begin(tmp_path / "kiosk.toml")
    logging.getLogger("x").info("a word")
    assert capsys.readouterr().err == "INFO x: a word\n"
