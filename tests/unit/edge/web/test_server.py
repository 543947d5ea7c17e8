"""What keeps the web program from starting is one sentence; starting itself is shown by the system tests."""

import socket
from pathlib import Path

import pytest

from edge.config import EdgeConfig, Web
from edge.db.engine import migrate
from edge.web.server import run_web


def test_a_port_that_is_taken_is_one_sentence_and_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = EdgeConfig(store="trial", title="T", directory=str(tmp_path), web=Web(port=port))
        assert run_web(config) == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said and said.count("\n") == 1


@pytest.mark.parametrize("ready", [False, True])
def test_a_database_without_tables_and_a_missing_identity_are_one_sentence_each(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], ready: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = EdgeConfig(store="trial", title="T", directory=str(tmp_path), web=Web(port=port))
    if ready:
        migrate(config.database_url)
    assert run_web(config) == 1
    said = capfd.readouterr().err
    assert ("identity file" if ready else "migrate") in said
    assert "Traceback" not in said and said.count("\n") == 1
