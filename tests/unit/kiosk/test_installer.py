"""A release becomes a slot that can be started from, offline; or it is refused with the reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker.release import ReleaseError
from kiosk import VERSION
from kiosk.config import Camera, Config, load
from kiosk.keeper import loop
from kiosk.keeper.slots import PROGRAM, Slots
from kiosk.updating import installer
from tests.rig import releases

KIOSK = """
store = "shop"
device = "kiosk-1"
zone = "shoes"
[broker]
host = "127.0.0.1"
identity = "identity"
[[button]]
name = "find"
pin = 17
action = "help"
topic = "find-item"
"""


class Place:
    """A machine whose slot a is in use, and a key that counts there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slots = folder, Slots(folder / "opt")
        program = self.slots.slot("a") / PROGRAM
        program.parent.mkdir(parents=True)
        program.touch()
        (self.slots.root / "update").mkdir()
        self.slots.turn("a")
        self.key, self.keys = folder / "release.pem", folder / "release.keys"
        self.keys.write_text(releases.make_key(self.key) + "\n")
        self.config = folder / "kiosk.toml"
        self.config.write_text(KIOSK)

    def install(self, path: Path, version: str = "0.2.0", config: Config | None = None) -> None:
        installer.install(self.slots, "b", path, version, self.keys, config or load(self.config), self.config)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    # What a slot of the tests does not install itself.
    monkeypatch.setenv("PYTHONPATH", releases.SITE)
    return Place(tmp_path)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A good release, and its key."""
    folder = tmp_path_factory.mktemp("release")
    releases.make_key(folder / "key")
    return releases.make(folder / "made", "0.2.0", folder / "key"), folder / "key"


def test_a_release_becomes_a_slot_with_its_own_packages_that_starts(
    place: Place, good: tuple[Path, Path]
) -> None:
    path, key = good
    from broker.signing import load_signer

    place.keys.write_text(f"{'0' * 64}  an older key\n{load_signer(key).key}  this one\n")
    place.install(path)
    assert place.slots.is_whole("b") and place.slots.release_in("b") == "0.2.0"
    slot = place.slots.slot("b")
    said = subprocess.run(
        [slot / PROGRAM, "kiosk", "check", "--self", "--config", place.config],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert said.stdout.splitlines()[-1] == "0.2.0"
    # Its packages are its own, and what it is made of is gone.
    assert (
        subprocess.run(
            [slot / ".venv/bin/python", "-c", "import tiny; print(tiny.__file__)"],
            capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
        ).stdout.startswith(str(slot))
    )  # fmt: skip
    assert not (slot / "wheels").exists() and place.slots.pointed == "a"


def test_what_is_not_to_be_believed_is_refused_before_the_slot_is_touched(
    place: Place, good: tuple[Path, Path], tmp_path: Path
) -> None:
    kept = place.slots.slot("b") / "kept"
    kept.parent.mkdir()
    kept.touch()
    (tmp_path / "link").symlink_to(good[0])
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, version, against in (
        (good[0], "0.2.0", "not signed by a key that counts"),
        (tmp_path / "link", "0.2.0", "cannot be read"),
        (fifo, "0.2.0", "not a file"),
        (tmp_path / "nothing", "0.2.0", "cannot be read"),
    ):
        with pytest.raises(ReleaseError, match=against):
            place.install(path, version)
    place.keys.unlink()
    with pytest.raises(ReleaseError, match="release keys"):
        place.install(good[0])
    assert kept.exists()


def test_an_older_release_a_replayed_one_and_one_of_another_name_are_refused(
    place: Place, tmp_path: Path
) -> None:
    for version, called, against in (
        ("0.0.9", "0.0.9", "older"),
        (VERSION, VERSION, "already"),
        ("0.3.0", "0.4.0", "was told of"),
    ):
        path = releases.make(tmp_path / "made", version, place.key)
        with pytest.raises(ReleaseError, match=against):
            place.install(path, called)
    assert not place.slots.slot("b").exists()


def test_a_release_that_cannot_be_started_here_never_becomes_whole(place: Place, tmp_path: Path) -> None:
    broken = releases.make(tmp_path / "made", "0.2.0", place.key, kiosk__program="import nowhere\n")
    with pytest.raises(ReleaseError, match="nowhere"):
        place.install(broken)
    assert not place.slots.is_whole("b")
    # The next one is put over it.
    liar = releases.make(tmp_path / "made", "0.3.0", place.key, kiosk__updating__selftest=LIAR)
    with pytest.raises(ReleaseError, match="does not say that it is"):
        place.install(liar, "0.3.0")
    assert not place.slots.is_whole("b")


LIAR = '''"""Another."""


def run(config):
    print("9.9.9")
    return 0
'''


def test_a_wheel_that_is_not_the_locked_one_is_refused(place: Place, tmp_path: Path) -> None:
    wheels = releases.wheelhouse(tmp_path / "wheels")
    path = releases.make(tmp_path / "made", "0.2.0", place.key, wheels=wheels)
    assert path.exists()
    lock = tmp_path / "made/source-0.2.0/requirements/kiosk.txt"
    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    from deploy import release as making

    making.build(path, lock.parents[1], ["kiosk"], wheels, "0.0.0", (), "", releases.NOW)
    making.sign(path, place.key)
    with pytest.raises(ReleaseError, match="cannot be made ready"):
        place.install(path)


def test_a_disk_without_room_and_a_part_that_is_missing_are_said(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = releases.make(tmp_path / "made", "0.2.0", place.key)
    from msgspec.structs import replace

    with pytest.raises(ReleaseError, match="which this kiosk needs"):
        place.install(path, config=replace(load(place.config), camera=Camera("scene")))
    monkeypatch.setattr(installer, "SPARE_BYTES", 1 << 62)
    with pytest.raises(ReleaseError, match="MB are needed"):
        place.install(path)


def test_the_program_says_what_it_refuses_in_one_line(place: Place, good: tuple[Path, Path]) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kiosk", "update", "--config", place.config, "--root", place.slots.root),
            *("--slot", "b", "--release", good[0], "--version", "0.2.0", "--keys", place.keys),
        ],
        capture_output=True, text=True, check=False, cwd=releases.ROOT,
    )  # fmt: skip
    assert done.returncode == loop.REFUSED
    assert done.stdout == "The release is not signed by a key that counts here.\n" and not done.stderr
