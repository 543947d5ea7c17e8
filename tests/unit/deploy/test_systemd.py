"""The systemd units: each program by the one link, shut off from what it does not need, never given up."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
# What runs all the time; the others run for a while and end.
PROGRAMS = [unit for unit in SERVICES if "WatchdogSec=" in unit.read_text()]


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_every_program_of_the_house_has_its_unit() -> None:
    named = {unit.name for unit in PROGRAMS}
    assert {
        f"floorbell-{name}.service" for name in ("broker", "worker", "web", "vault", "messenger", "bridge")
    } <= named
    assert {f"floorbell-{name}.service" for name in ("kiosk", "camera@", "screen")} <= named


def test_no_unit_starts_what_is_for_trying_only() -> None:
    started = [line for unit in SERVICES for line in settings(unit).get("ExecStart", [])]
    assert started and not [line for line in started if re.search(r"demo|--debug|--reload", line)]


@pytest.mark.parametrize("unit", PROGRAMS, ids=lambda unit: unit.name)
def test_a_program_is_started_again_for_ever_and_watched(unit: Path) -> None:
    found = settings(unit)
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["Type"] == ["notify"]
    # Our own watchdog ends a program after 20 s, and says why; systemd's is for when that hangs, too.
    assert int(found["WatchdogSec"][0]) >= 30


@pytest.mark.parametrize("unit", PROGRAMS, ids=lambda unit: unit.name)
def test_a_program_is_started_from_the_release_that_the_link_leads_to(unit: Path) -> None:
    found = settings(unit)
    assert found["ExecStart"][0].startswith("/opt/floorbell/current/.venv/bin/floorbell ")
    assert found["User"] == ["floorbell"]
    assert "PartOf" in found and found["PartOf"] == ["floorbell.target"]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_do_little(unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here; on Debian: apt-get install systemd.")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)],
        capture_output=True,
        text=True,
        env={"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("This systemd-analyze is too old to judge a file.")
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score is not None, done.stdout + done.stderr
    assert float(score[1]) < 2.5
