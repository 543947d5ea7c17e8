"""deploy/install.sh and deploy/wheelhouse.sh as far as they can be tried without installing anything."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = [
    *sorted((ROOT / "deploy").glob("*.sh")),
    ROOT / "deploy" / "machine" / "floorbell",
    *sorted((ROOT / "tests" / "install").glob("*.sh")),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_one(script: Path) -> None:
    shell = "bash" if "bash" in script.read_text().splitlines()[0] else "sh"
    if script.parent.name == "install":
        shell = "bash"
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "What is this machine to be? deploy/install.sh server, or deploy/install.sh kiosk."),
        (["till"], "'till' is no kind of machine; allowed are server and kiosk."),
        (["kiosk", "--messenger"], "--messenger is no option of a kiosk; deploy/install.sh --help shows"),
        (["server", "--enrol", "X"], "--enrol is no option of a server"),
        (["server", "--store"], "--store needs a value"),
        (["server", "--store", "a"], "--store needs a title and a zone, as in"),
        (["server", "--store", "River Side"], "name is 'River Side'; allowed is 1 to 32 of a-z, 0-9 and '-'"),
        (["server", "--store", "rivière"], "name is 'rivière'; allowed is"),
        (
            ["server", "--store", "a", "--zone", "tills"],
            "--zone is 'tills'; allowed is NAME=TITLE, as in tills",
        ),
        (["server", "--store", "a", "--zone", "The tills=Tills"], "--zone is 'The tills=Tills'; allowed is"),
        (
            ["kiosk", "--enrol", "9PMB-5KBS"],
            "The code has no server behind an @; allowed is XXXX-…-XXXX@host",
        ),
        (["server", "--title", "A"], "go with --store only."),
        (["kiosk", "--wheels", "/nowhere"], "/nowhere is no folder; --wheels names one"),
        (["server", "--with-database"], "--with-database goes with --rollback only."),
        (["kiosk", "--purge-data"], "--purge-data goes with --uninstall only."),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_done(arguments: list[str], said: str) -> None:
    done = subprocess.run(["sh", str(ROOT / "deploy/install.sh"), *arguments], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("status", [0, 1])
def test_the_keeper_rests_while_a_slot_is_filled_by_hand_and_goes_on_however_that_ends(status: int) -> None:
    text = (ROOT / "deploy/install.sh").read_text()
    of_it = text[text.index("rest_keeper() {") : text.index("fill_slot() {")]
    script = f"""set -eu
running() {{ true; }}
systemctl() {{ echo "systemctl $*"; }}
{of_it}
kind=kiosk
rest_keeper
echo "filling"
exit {status}"""
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert done.returncode == status
    assert done.stdout.splitlines()[1:] == [
        "systemctl stop floorbell-update.service", "filling", "systemctl start floorbell-update.service",
    ]  # fmt: skip
    fill = text[text.index("fill_slot() {") : text.index("own_slots() {")]
    assert fill.index("rest_keeper") < fill.index("keeper begin")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "Say into which folder"), (["--help"], "is no folder"), (["var/x", "riscv64"], "is no processor")],
)
def test_the_wheelhouse_names_what_is_wrong(arguments: list[str], said: str, tmp_path: Path) -> None:
    arguments = [one.replace("var/x", str(tmp_path / "x")) for one in arguments]
    done = subprocess.run(
        ["sh", str(ROOT / "deploy/wheelhouse.sh"), *arguments], capture_output=True, text=True
    )
    assert done.returncode == 1 and said in done.stderr and done.stderr.count("\n") == 1
