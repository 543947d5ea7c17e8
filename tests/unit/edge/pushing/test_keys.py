"""The store's key for pushes: made once, for its owner's eyes alone."""

import threading
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.pushing import keys


def test_it_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    one, two = keys.private_key(tmp_path), keys.private_key(tmp_path)
    assert keys.public_bytes(one) == keys.public_bytes(two) and len(keys.public_bytes(one)) == 65
    assert (tmp_path / keys.NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [keys.NAME]


def test_programs_that_make_it_at_once_have_the_same(tmp_path: Path) -> None:
    found, together = [], threading.Barrier(8)

    def make() -> None:
        together.wait()
        found.append(keys.public_bytes(keys.private_key(tmp_path)))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 8 and len(set(found)) == 1


@pytest.mark.parametrize(("text", "mode", "words"), [("", 0o600, "no P-256 key"), ("x", 0o644, "chmod 600")])
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, mode: int, words: str) -> None:
    (tmp_path / keys.NAME).write_text(text)
    (tmp_path / keys.NAME).chmod(mode)
    with pytest.raises(StorageError, match=words):
        keys.private_key(tmp_path)
