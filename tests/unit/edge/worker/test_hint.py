"""Hints between processes, and the lock of the folder."""

from pathlib import Path

import pytest

from edge.config import EdgeConfig
from edge.errors import StorageError
from edge.hint import Hinter, HintListener
from edge.worker.lock import take_lock


def test_several_hints_count_as_one_and_none_is_kept_beyond_it(tmp_path: Path) -> None:
    listener, hinter = HintListener(tmp_path / "worker.hint"), Hinter(tmp_path / "worker.hint")
    for _ in range(5):
        hinter.send()
    assert listener.wait(5)
    assert not listener.wait(0.001)
    hinter.close()
    listener.close()


def test_a_folder_with_a_long_name_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    listener, hinter = HintListener(folder / "worker.hint"), Hinter(folder / "worker.hint")
    hinter.send()
    assert listener.wait(5)
    hinter.close()
    listener.close()
    assert not (folder / "worker.hint").exists()


def test_a_hint_that_nobody_hears_is_no_error_and_a_later_worker_hears_the_next(tmp_path: Path) -> None:
    hinter = Hinter(tmp_path / "worker.hint")
    hinter.send()
    for _ in range(2):
        listener = HintListener(tmp_path / "worker.hint")
        hinter.send()
        assert listener.wait(5)
        listener.close()
        listener.close()
    for _ in range(1000):
        hinter.send()
    hinter.close()
    hinter.close()


def test_a_listener_that_never_reads_does_not_block_the_sender(tmp_path: Path) -> None:
    listener, hinter = HintListener(tmp_path / "worker.hint"), Hinter(tmp_path / "worker.hint")
    for _ in range(10_000):
        hinter.send()
    assert listener.wait(5)
    hinter.close()
    listener.close()


def test_one_worker_per_folder_and_the_other_is_told_in_a_sentence(tmp_path: Path) -> None:
    config = EdgeConfig("shop", "The shop", directory=str(tmp_path))
    lock = take_lock(config)
    with pytest.raises(StorageError, match=r"Another worker \(process \d+\) runs on"):
        take_lock(config)
    lock.close()
    take_lock(config).close()


def test_a_folder_that_is_not_there_is_named_in_a_sentence(tmp_path: Path) -> None:
    config = EdgeConfig("shop", "The shop", directory=str(tmp_path / "gone"))
    with pytest.raises(StorageError, match="cannot lock"):
        take_lock(config)
    with pytest.raises(StorageError, match="cannot listen"):
        HintListener(config.hint_path)
