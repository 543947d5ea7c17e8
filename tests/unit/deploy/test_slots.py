"""Two slots and what points at one of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import slots as module
from deploy.slots import PARTS, Release, SlotError, Slots, digest


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return Slots(tmp_path / "floorbell")


def install(slots: Slots, version: str) -> str:
    (slots.clear() / "code.py").write_text(version)
    slots.seal(Release(version, "0" * 64))
    return slots.flip()


def test_the_first_release_goes_into_a_and_the_next_ones_take_turns(slots: Slots) -> None:
    assert slots.current() is None
    assert [install(slots, version) for version in ("1", "2", "3")] == ["a", "b", "a"]
    assert (slots.root / "current" / "code.py").read_text() == "3"
    assert slots.release("b") == Release("2", "0" * 64)


def test_flipping_again_goes_back_to_the_release_before(slots: Slots) -> None:
    install(slots, "1")
    install(slots, "2")
    assert slots.flip() == "a"
    assert (slots.root / "current" / "code.py").read_text() == "1"


def test_a_slot_that_was_not_sealed_is_never_started_from(slots: Slots) -> None:
    install(slots, "1")
    (slots.clear() / "code.py").write_text("half")
    with pytest.raises(SlotError, match="slots/b holds no whole release"):
        slots.flip()
    assert slots.current() == "a"


def test_clearing_takes_the_release_away_before_its_files(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(slots, "1")
    install(slots, "2")

    def power_cut(_folder: Path) -> None:
        raise OSError("power cut")

    monkeypatch.setattr("shutil.rmtree", power_cut)
    with pytest.raises(OSError, match="power cut"):
        slots.clear()
    assert slots.release("a") is None and (slots.path("a") / "code.py").exists()
    assert slots.current() == "b"


def test_a_power_cut_before_the_rename_leaves_the_release_that_ran(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(slots, "1")
    slots.clear()
    slots.seal(Release("2", "0" * 64))
    real = Path.rename

    def power_cut(self: Path, target: Path) -> Path:
        raise OSError("power cut")

    monkeypatch.setattr(Path, "rename", power_cut)
    with pytest.raises(OSError, match="power cut"):
        slots.flip()
    monkeypatch.setattr(Path, "rename", real)
    assert slots.current() == "a"
    # What the cut left behind is in nobody's way.
    assert slots.flip() == "b"


def test_what_is_no_slot_counts_as_none(slots: Slots) -> None:
    slots.root.mkdir()
    (slots.root / "current").symlink_to("/somewhere/else")
    assert slots.current() is None


@pytest.mark.parametrize("said", ["", "[]", '{"version": "1"}', "not JSON"])
def test_a_damaged_release_file_counts_as_none(slots: Slots, said: str) -> None:
    install(slots, "1")
    (slots.path("a") / "RELEASE").write_text(said)
    assert slots.release("a") is None


def test_two_installers_do_not_work_at_once(slots: Slots) -> None:
    with slots.held(), pytest.raises(SlotError, match="Another installation is at work"), slots.held():
        pass


def release_in(folder: Path) -> Path:
    for part in PARTS:
        path = folder / part
        if "." in part or part == "LICENSE":
            path.write_text(part)
        else:
            path.mkdir(parents=True)
            (path / "__init__.py").write_text(part)
    return folder


def test_the_digest_is_of_what_is_released_and_of_nothing_else(tmp_path: Path) -> None:
    folder = release_in(tmp_path)
    before = digest(folder)
    (folder / "edge" / "__pycache__").mkdir()
    (folder / "edge" / "__pycache__" / "x.pyc").write_text("compiled")
    (folder / ".venv").mkdir()
    assert digest(folder) == before
    (folder / "edge" / "__init__.py").write_text("changed")
    assert digest(folder) != before


def test_a_folder_without_the_programs_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(SlotError, match="is no release of Floorbell: broker is missing"):
        digest(tmp_path)


def test_the_installer_runs_it_without_any_of_our_packages(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", module.__file__, str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    assert run("other").stdout == "a\n"
    assert run("clear").stdout == f"{tmp_path}/slots/a\n"
    refused = run("flip")
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert run("seal", "1.0", "ab").returncode == 0
    assert json.loads((tmp_path / "slots" / "a" / "RELEASE").read_text()) == {
        "version": "1.0",
        "digest": "ab",
    }
    assert run("flip").stdout == "a\n"
    assert run("current").stdout == "a\n"
    assert run("release", "a").stdout == "1.0 ab\n"
    assert run("release", "b").stdout == "\n"
    assert run("fly").returncode == 1
