"""Lines of the log: the same names everywhere, and nothing that is nobody's business."""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from broker import logs
from broker.logs import FIELDS, Lines, Log
from edge.db.engine import connect, sqlite_url

Stream = pytest.CaptureFixture[str]
PAGE = Path(logs.__file__).with_name("logs.md")


@pytest.fixture
def stream(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """What goes to the standard error stream; the test's own logging comes back afterwards."""
    root = logging.getLogger()
    before, level, hook, of_threads = list(root.handlers), root.level, sys.excepthook, threading.excepthook
    yield capsys
    root.handlers[:], sys.excepthook, threading.excepthook = before, hook, of_threads
    root.setLevel(level)
    logs.about()


def lines(stream: Stream) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.readouterr().err.splitlines()]


def test_a_line_is_one_object_with_its_time_level_program_and_words(
    stream: Stream,
) -> None:
    logs.begin(Log("json"), "worker")
    logging.getLogger("edge.worker").warning("%s says\nso.", "kiosk-1", extra={"device": "kiosk-1"})
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", str(line.pop("time")))
    assert line == {
        "level": "warning",
        "program": "worker",
        "logger": "edge.worker",
        "message": "kiosk-1 says\nso.",
        "device": "kiosk-1",
    }


def test_in_plain_words_too_nobody_writes_a_line_that_is_not_the_programs(stream: Stream) -> None:
    logs.begin(Log("plain"), "worker")
    said = "no\n2026-03-02 10:00:00 INFO edge.worker: All is well.\x1b[2J\u2028 à la carte"
    logging.getLogger("edge.worker").warning("kiosk-1 says %s", said)
    (line,) = stream.readouterr().err.splitlines()
    assert line.endswith(
        r"kiosk-1 says no\n2026-03-02 10:00:00 INFO edge.worker: All is well.\x1b[2J\u2028 à la carte"
    )


def test_an_error_brings_its_trace_and_so_does_what_nobody_handled(
    stream: Stream,
) -> None:
    logs.begin(Log("json"), "worker")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("a").exception("It failed.")

    def fail() -> None:
        raise ValueError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    handled, unhandled = lines(stream)
    assert "no such thing" in str(handled["trace"]) and handled["level"] == "error"
    assert "in a thread" in str(unhandled["trace"]) and unhandled["level"] == "critical"


def test_what_a_request_says_of_itself_is_in_each_of_its_lines_and_in_nobody_elses(
    stream: Stream,
) -> None:
    logs.begin(Log("json"), "web")
    logs.about(web_request="a1", route="/floor/")
    logging.getLogger("a").info("One.")
    other = threading.Thread(target=lambda: logging.getLogger("a").info("Two."))
    other.start()
    other.join()
    first, second = lines(stream)
    assert (first["web_request"], first["route"]) == ("a1", "/floor/") and "web_request" not in second


def test_each_program_may_have_a_level_of_its_own(stream: Stream) -> None:
    settings = Log("json", "warning", {"worker": "debug"})
    for program in ("worker", "web"):
        logs.begin(settings, program)
        logging.getLogger("a").info("Said by %s.", program)
    assert [line["message"] for line in lines(stream)] == ["Said by worker."]


def test_a_level_for_a_program_that_is_none_is_named() -> None:
    said = Log(programs={"wroker": "debug"}).fault(("worker", "web"))
    assert said == "log.programs.wroker is no program; allowed are worker, web."


def test_an_error_of_the_database_quotes_no_values(tmp_path: Path) -> None:
    engine = connect(sqlite_url(tmp_path / "a.db"), write=True)
    with engine.connect() as conn, pytest.raises(sa.exc.SQLAlchemyError) as refused, conn.begin():
        conn.execute(sa.text("INSERT INTO nowhere VALUES (:name)"), {"name": "Marta Vidal"})
    assert "nowhere" in str(refused.value) and "Marta" not in str(refused.value)
    engine.dispose()


def test_every_field_stands_on_the_page_of_the_log_and_no_other() -> None:
    told = set(re.findall(r"^\| `(\w+)`", PAGE.read_text(), re.MULTILINE))
    always = {"time", "level", "program", "logger", "message", "trace"}
    assert told == always | set(FIELDS)


def test_a_formatter_takes_what_is_no_text(stream: Stream) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "%d of them", (3,), None)
    record.status = 503
    assert json.loads(Lines("web").format(record))["status"] == 503
