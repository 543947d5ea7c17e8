"""The thread that keeps revoked devices off a running Mosquitto, where files are unusable for a while."""

import threading
from collections.abc import Callable
from pathlib import Path

from broker import revocation
from broker.cutting import Cutter, take_over
from broker.errors import IdentityError


def cutter(
    directory: Path,
    reload: Callable[[frozenset[str]], None] = lambda names: None,
    cut: Callable[[str], bool] = lambda client: True,
    say: Callable[[str], None] = lambda line: None,
) -> Cutter:
    return Cutter(directory, reload, lambda: None, cut, say)


def test_an_identity_that_cannot_be_used_takes_over_nothing(tmp_path: Path) -> None:
    assert not take_over(tmp_path, "127.0.0.1", 1, "kiosk-1-0a")


def test_who_could_not_be_cut_is_cut_at_the_next_look(tmp_path: Path) -> None:
    lets, cut = iter([False, True]), []
    watched = cutter(tmp_path, cut=lambda client: (cut.append(client), next(lets))[1])
    watched.connected("kiosk-1-0a", "kiosk-1")
    revocation.turn_away(tmp_path, ["kiosk-1"])
    watched.look()
    watched.look()
    watched.look()
    assert cut == ["kiosk-1-0a"] * 2


def test_an_unusable_file_does_not_end_the_thread(tmp_path: Path) -> None:
    said: list[str] = []
    told, ended = threading.Event(), threading.Event()

    def reload(names: frozenset[str]) -> None:
        raise IdentityError("A list is damaged.")

    def say(line: str) -> None:
        said.append(line)
        (told if "damaged" in line else ended).set()

    watched = cutter(tmp_path, reload=reload, say=say)
    watched.connected("kiosk-1-0a", "kiosk-1")
    watched.start()
    try:
        revocation.turn_away(tmp_path, ["kiosk-1"])
        assert told.wait(60) and ended.wait(60)
    finally:
        watched.stop()
    assert said[0] == "What is revoked could not be read or written: A list is damaged."
    assert said[1] == "kiosk-1 is revoked: its connection was ended."
