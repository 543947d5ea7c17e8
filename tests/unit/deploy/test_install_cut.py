"""deploy/install.sh cut off anywhere and run again; and whose units it takes away. Its own functions, in a
folder in place of the machine."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config import load_config
from kiosk import config as kiosk_config

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = (ROOT / "deploy" / "install.sh").read_text().split('\nread_arguments "$@"\n')[0]
# Instead of what only root and systemd can do.
HERE = """
opt=$MACHINE/opt etc=$MACHINE/etc data=$MACHINE/data units=$MACHINE/units slot=a
chown() { :; }
systemctl() { printf '%s\\n' "$*" >>"$MACHINE/systemctl"; }
running() { false; }
take() { for file in "$@"; do case "$file" in "$MACHINE"/?*) rm -rf "$file" ;; esac; done; }
as_service() { "$@"; }
more=''
"""
# Each command is one step; at one of them all ends, as by a power cut.
CUT = """
steps=0
cut() { steps=$((steps + 1)); [ "$steps" -ne "$CUT" ] || { kill -9 $$; kill -9 "$BASHPID"; }; }
set -T
trap cut DEBUG
"""
PROGRAM = """#!/bin/sh
# Makes what the real one makes, in its order, and refuses what it refuses.
set -eu
step() { inner=$((${inner:-0} + 1)); [ "$inner" -ne "${INNER:-0}" ] || { kill -9 "$PPID"; kill -9 $$; }; }
kind=$1 code=$3
while [ $# -gt 0 ]; do
    case "$1" in --dir) dir=$2 ;; --config) config=$2 ;; esac
    shift
done
if [ "$kind" = provision ]; then
    [ ! -e "$dir/identity" ] && [ ! -e "$dir/floorbell.db" ] && [ ! -e "$config" ] || exit 1
    step; echo half >"$config"
    step; printf 'store = "shop"\\n[web]\\nhost = "127.0.0.1"\\n# tls = "store"\\n' >"$config"
    step; echo database >"$dir/floorbell.db"
    step; mkdir -p "$dir/identity/web"; echo key >"$dir/identity/ca.key"
    step; echo certificate >"$dir/identity/web/tls.crt"; step
else
    [ ! -e "$dir/tls.crt" ] || exit 1
    mkdir -p "$dir"
    printf '%s\\n' 'store = "shop"' 'device = "till-1"' 'zone = "tills"' '[broker]' 'host = "shop.local"' \\
        'port = 8883' >"$dir/enrolled.toml"
    step; echo certificate >"$dir/tls.crt"; step
    echo "This kiosk is let in as till-1. In its kiosk.toml:"
fi
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("etc", "data", "units", "opt/slots/a/.venv/bin", "opt/slots/a/kiosk"):
            (folder / name).mkdir(parents=True)
        example = ROOT / "kiosk" / "kiosk.example.toml"
        (folder / "opt/slots/a/kiosk/kiosk.example.toml").write_text(example.read_text())
        self.program(PROGRAM)

    def program(self, text: str) -> None:
        path = self.folder / "opt/slots/a/.venv/bin/floorbell"
        path.write_text(text)
        path.chmod(0o755)

    def run(self, call: str, cut: int = 0, inner: int = 0) -> subprocess.CompletedProcess[str]:
        script = f"{FUNCTIONS}\n{HERE}\n{CUT}\n{call}\n"
        told = {"MACHINE": str(self.folder), "CUT": str(cut), "INNER": str(inner)}
        return subprocess.run(
            ["bash", "--posix", "-c", script, str(ROOT / "deploy" / "install.sh")],
            env=os.environ | told, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def holds(self) -> dict[str, str]:
        """Every file of configuration and data, and what is in it."""
        files = [path for name in ("etc", "data") for path in (self.folder / name).rglob("*")]
        return {
            str(path.relative_to(self.folder)): path.read_text().replace(str(self.folder), "")
            for path in files
            if path.is_file()
        }


STORE = "read_arguments server --store shop --title Shop --zone tills=Tills --host shop.local; make_store"
KIOSK = "read_arguments kiosk --enrol CODE@shop.local; enrol"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[], Machine]:
    made: list[Machine] = []

    def another() -> Machine:
        made.append(Machine(tmp_path / str(len(made))))
        return made[-1]

    return another


@pytest.mark.parametrize(
    ("call", "inside", "last"),
    [(STORE, 6, "etc/edge.toml"), (KIOSK, 2, "etc/kiosk.toml")],
    ids=["store", "kiosk"],
)
def test_what_was_cut_off_at_any_step_is_whole_after_the_same_command(
    machine: Callable[[], Machine], call: str, inside: int, last: str
) -> None:
    whole = machine()
    assert whole.run(call).returncode == 0
    wanted, cuts = whole.holds(), 0
    assert last in wanted
    places = [(0, inner) for inner in range(1, inside + 1)] + [(cut, 0) for cut in range(1, 400, 2)]
    for cut, inner in places:
        one = machine()
        done = one.run(call, cut, inner)
        if done.returncode == 0 and cut:
            break
        cuts += 1
        again = one.run(call)
        assert again.returncode == 0, (cut, inner, again.stderr)
        found = one.holds()
        assert found == wanted, (cut, inner)
    assert cuts > inside + 15


def test_a_store_whose_configuration_is_gone_is_not_made_anew(machine: Callable[[], Machine]) -> None:
    one = machine()
    assert one.run(STORE).returncode == 0
    (one.folder / "etc/edge.toml").rename(one.folder / "kept")
    before = one.holds()
    done = one.run(STORE)
    assert done.returncode == 1 and "holds a store already" in done.stderr and done.stderr.count("\n") == 1
    assert one.holds() == before


def test_what_the_real_program_makes_after_a_cut_is_a_store(
    machine: Callable[[], Machine], tmp_path: Path
) -> None:
    one = machine()
    one.run(STORE, inner=5)
    assert (one.folder / "data/identity").exists() and not (one.folder / "etc/edge.toml").exists()
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from deploy.cli import main; sys.exit(main())"
    one.program(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    (tmp_path / "passphrase").write_text("correct horse battery\n")
    done = one.run(STORE.replace("; make", f" --passphrase-file {tmp_path / 'passphrase'}; make"))
    assert done.returncode == 0, done.stderr
    assert "was cut off; it is begun anew" in done.stdout
    made = load_config(one.folder / "etc/edge.toml")
    assert (made.store, made.web.tls, made.web.host) == ("shop", "store", "0.0.0.0")
    assert [path.name for path in (one.folder / "etc").iterdir()] == ["edge.toml"]


def test_a_kiosk_that_is_let_in_anew_keeps_its_configuration_and_takes_no_commands_from_its_folder(
    machine: Callable[[], Machine],
) -> None:
    one = machine()
    assert one.run(KIOSK).returncode == 0
    written = one.folder / "etc/kiosk.toml"
    found = kiosk_config.load(written)
    assert (found.store, found.device, found.zone, found.broker.host) == (
        "shop", "till-1", "tills", "shop.local",
    )  # fmt: skip
    assert "With --anew it is let in again" in one.run(KIOSK).stdout
    said = one.folder / "data/identity/enrolled.toml"
    said.write_text(f'store = "shop|e touch {one.folder}/taken"\ndevice = "till-1|e id"\n')
    written.unlink()
    one.run(KIOSK)
    assert not (one.folder / "taken").exists()
    assert tomllib.loads(written.read_text().replace(" = \n", ' = ""\n'))["device"] == ""


def release(folder: Path, *names: str) -> Path:
    (folder / "deploy/systemd").mkdir(parents=True)
    for name in names:
        (folder / "deploy/systemd" / name).write_text(f"# {name}\n")
    return folder


def test_only_units_that_a_release_brought_are_taken_away(
    machine: Callable[[], Machine], tmp_path: Path
) -> None:
    one = machine()
    units = one.folder / "units"
    old = release(
        tmp_path / "old", "floorbell-web.service", "floorbell-old.service", "floorbell-kiosk.service"
    )
    new = release(tmp_path / "new", "floorbell-web.service", "floorbell-new.service")
    own = ["floorbell-own.service", "floorbell-own.timer"]
    for name in own:
        (units / name).write_text("# a technician's\n")
    (units / "floorbell-web.service.d").mkdir()
    (units / "floorbell-web.service.d/own.conf").write_text("# a technician's\n")
    there = lambda: sorted(path.name for path in units.iterdir())  # noqa: E731
    put = "read_arguments server; put_units "
    assert one.run(f"{put}{old}").returncode == 0
    assert there() == sorted(
        [*own, "floorbell-old.service", "floorbell-web.service", "floorbell-web.service.d"]
    )
    kept = sorted([*own, "floorbell-new.service", "floorbell-web.service", "floorbell-web.service.d"])
    for cut in range(5, 400, 9):
        if one.run(f"{put}{new}", cut).returncode == 0:
            break
    assert one.run(f"{put}{new}").returncode == 0
    assert there() == kept
    # The way back, and off: what is somebody's own stays.
    assert one.run(f"{put}{old}").returncode == 0
    assert "floorbell-new.service" not in there()
    assert one.run("read_arguments server; uninstall").returncode == 0
    assert there() == sorted([*own, "floorbell-web.service.d"])
