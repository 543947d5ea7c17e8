"""The screen's end of the socket, against a panel that speaks the real protocol."""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.config import load
from kiosk.errors import KioskError
from kiosk.screen.board import Board
from kiosk.screen.link import PanelLink
from kiosk.screen.messages import Touch, View
from kiosk.screen.server import Server
from tests.rig.panel import FakePanel, until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "screen.sock"


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def link(path: Path, board: Board) -> Iterator[PanelLink]:
    link = PanelLink(path, board)
    link.start()
    yield link
    link.close()


def seen(board: Board, number: int) -> View:
    return until(lambda: ((view := board.look()[1]) and view.number == number and view) or None)


def test_a_view_is_on_the_board_once_it_comes_and_a_touch_goes_back(
    path: Path, board: Board, link: PanelLink
) -> None:
    panel = FakePanel(path)
    panel.show(language="ca")
    assert seen(board, 1).language == "ca"
    assert link.send(Touch("key", key="till"))
    assert panel.touched("key").key == "till"
    panel.close()


def test_a_panel_that_ends_is_gone_at_once_and_found_again(path: Path, board: Board, link: PanelLink) -> None:
    panel = FakePanel(path)
    panel.show()
    seen(board, 1)
    panel.close()
    until(lambda: board.look()[1] is None)
    assert not link.send(Touch("dismiss"))
    again = FakePanel(path)
    again.show()
    again.show()
    assert seen(board, 2)
    again.close()


def test_nonsense_from_the_socket_is_no_view_and_the_link_comes_back(
    path: Path, board: Board, link: PanelLink
) -> None:
    panel = FakePanel(path)
    panel.show()
    seen(board, 1)
    version, _ = board.look()
    panel.raw(b'{"number": "x"}\n')
    until(lambda: board.look()[0] >= version + 2)
    assert seen(board, 1)
    panel.close()


def test_the_language_is_remembered_for_the_words_about_an_absent_panel(board: Board) -> None:
    from tests.rig.panel import a_view

    board.set(a_view(language="sr", languages=["en", "sr"]))
    board.set(None)
    assert (board.language, board.languages, board.look()[1]) == ("sr", ["en", "sr"], None)


def test_the_server_listens_on_loopback_alone_and_says_when_its_port_is_taken() -> None:
    with Server(0) as server:
        assert server.server_address[0] == "127.0.0.1"
        with pytest.raises(KioskError, match=f"port {server.server_port} cannot be used"):
            Server(server.server_port)


@pytest.mark.parametrize(
    ("program", "others"),
    [("program, kiosk.check", "flask babel segno"), ("screen.program", "paho gpiozero sqlite3")],
)
def test_neither_the_kiosk_nor_its_screen_loads_what_only_the_other_needs(program: str, others: str) -> None:
    code = f"import sys, kiosk.__main__, kiosk.{program}; print(set(sys.modules) & set({others.split()}))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


def test_a_kiosk_without_a_screen_in_its_file_is_told_so_instead_of_an_empty_page() -> None:
    example = str(Path(__file__).parents[4] / "kiosk" / "kiosk.example.toml")
    command = [sys.executable, "-m", "kiosk", "screen", "--config", example, "--port", "0"]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 2 and said.stderr.count("\n") == 1
    assert "add the line [screen], start the kiosk anew" in said.stderr


def test_the_example_with_all_its_lines_is_a_kiosk_with_a_screen_to_touch(tmp_path: Path) -> None:
    example = Path(__file__).parents[4] / "kiosk" / "kiosk.example.toml"
    text = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", example.read_text())
    (tmp_path / "kiosk.toml").write_text(text)
    found = load(tmp_path / "kiosk.toml")
    assert found.screen is not None and found.motion and found.feedback_url is not None
    assert {button.action for button in found.button} >= {"looking", "language", "smiley"}


def test_the_program_serves_the_page_and_ends_on_sigterm(tmp_path: Path) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(
        'store = "shop"\ndevice = "kiosk-1"\nzone = "shoes"\nlanguages = ["it"]\n'
        '[screen]\n[broker]\nhost = "localhost"\nidentity = "identity"\n'
        '[[button]]\nname = "till"\npin = 17\naction = "help"\ntopic = "till"\n'
    )
    command = [sys.executable, "-m", "kiosk", "screen", "--config", str(config), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = next(line for line in process.stderr if "http://" in line).split()[-1]
    try:
        with urllib.request.urlopen(address) as answer:
            assert "Questo schermo ha perso il collegamento" in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(urllib.request.Request(address, headers={"Host": "evil.example"}))
    finally:
        process.terminate()
    assert process.wait(10) == 0
    process.stderr.close()
