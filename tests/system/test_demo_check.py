"""`floorbell demo`: one full round by itself, and what remains afterwards."""

import datetime as dt
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.phone import Phone

pytestmark = pytest.mark.system
ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 90.0


def demo(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_of(folder: Path) -> list[str]:
    """Command lines of running programs that were started on this folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: each but the first finds what the one before it left."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = demo("--data", str(folder))
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def until_it_is_open(process: subprocess.Popen[str]) -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    pytest.fail(f"The demo ended early: {said}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing_running(
    folder: Path, running: subprocess.Popen[str], number: signal.Signals
) -> None:
    said = until_it_is_open(running)
    assert "PIN 2580" in said and "http://127.0.0.1:" in said
    assert len(left_of(folder)) > 5
    running.send_signal(number)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    assert left_of(folder) == []


def test_a_part_that_dies_ends_the_demo_with_its_name(folder: Path, running: subprocess.Popen[str]) -> None:
    until_it_is_open(running)
    (worker,) = [
        int(line.parent.name)
        for line in Path("/proc").glob("[0-9]*/cmdline")
        if b"edge\0worker" in line.read_bytes() and str(folder).encode() in line.read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 1
    assert "The worker ended (signal 9)" in said
    assert left_of(folder) == []


def test_with_a_history_the_desk_shows_yesterday(short_path: Path) -> None:
    process = demo("--data", str(short_path / "lived-in"), "--history", "2")
    try:
        said = until_it_is_open(process)
        assert re.search(r"The log holds \d+ interactions of 2 days", said)
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert address is not None
        desk = Phone(int(address[1]))
        desk.sign_in_at_desk("Helen", "reads-the-log")
        yesterday = (dt.datetime.now().astimezone() - dt.timedelta(days=1)).date().isoformat()
        status, page = desk.get(f"/manage/log?from={yesterday}&to={yesterday}&state=resolved")
        desk.close()
        assert status == 200
        assert page.count('href="/manage/log/') >= 10, "Yesterday's requests are links to their stories."
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def test_one_round_is_seen_at_every_place_on_data_that_was_kept(folder: Path) -> None:
    process = demo("--data", str(folder), "--check")
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert "clip is in the desk's player" in said and "bundle verified: ok" in said
    assert "receiver outside was told, signed" in said
    assert "drill's signed result verified: ok" in said
    assert "Every step was seen at its place" in said
    assert left_of(folder) == []


def test_killing_the_demo_itself_leaves_nothing_running(folder: Path, running: subprocess.Popen[str]) -> None:
    until_it_is_open(running)
    running.kill()
    running.communicate(timeout=PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while left_of(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_of(folder) == []


def test_a_taken_port_a_picture_for_a_video_and_a_foreign_folder_are_one_sentence(short_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = demo("--port", str(port))
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, said) == (1, f"Port {port} is taken; choose another with --port.\n")
    (short_path / "holiday.jpg").touch()
    process = demo("--video", str(short_path / "holiday.jpg"))
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert re.fullmatch(rf"{short_path}/holiday.jpg is no video that can be shown: .+\.\n", said)
    process = demo("--data", str(short_path))
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert said == f"{short_path} is not empty and holds no demo; choose another folder.\n"
