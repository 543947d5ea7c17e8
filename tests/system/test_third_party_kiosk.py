"""broker/kiosks.md followed to the letter: its commands in one shell, its answers as they must be seen."""

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.db.engine import connect
from edge.handling import acting
from edge.people.store import set_presence
from tests.rig.store import ROOT, STORE, Rig, wait_for

pytestmark = pytest.mark.system
PAGE = ROOT / "broker" / "kiosks.md"
_FENCE = re.compile(r"^```([a-z]+(?: [a-z]+)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """One fenced part of the page: `mark` is what stands behind its first backquotes."""

    mark: str
    text: str


def fences() -> list[Fence]:
    return [Fence(mark, text) for mark, text in _FENCE.findall(PAGE.read_text(encoding="utf-8"))]


def pattern(line: str) -> re.Pattern[str]:
    """The page's line, in which … stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in line.split("…")))


class Shell:
    """The reader's one bash. `seen` is everything on its screen."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._screen = folder / "screen"
        self._count = 0
        with open(self._screen, "wb") as screen:
            self.process = subprocess.Popen(
                ["bash"],
                cwd=folder,
                env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
                stdin=subprocess.PIPE,
                stdout=screen,
                stderr=screen,
                start_new_session=True,
            )

    @property
    def seen(self) -> str:
        return self._screen.read_text(errors="replace")

    def run(self, commands: str) -> None:
        """Until the last command is done; what it started in the background goes on."""
        self._count += 1
        done = f"-- done {self._count} --"
        assert self.process.stdin is not None
        self.process.stdin.write(f"{commands}\necho '{done}'\n".encode())
        self.process.stdin.flush()
        wait_for(lambda: done in self.seen, f"The end of {commands!r}")

    def shows(self, answer: str, since: int) -> None:
        """Each line of the answer, whatever comes between. The page is wrong if it is not seen."""
        missing = [pattern(line) for line in answer.splitlines()]

        def complete() -> bool:
            seen = self.seen[since:]
            missing[:] = [line for line in missing if not line.search(seen)]
            return not missing

        try:
            wait_for(complete, "What the page shows")
        except AssertionError as error:
            raise AssertionError(f"{error} Missing: {missing}. Seen:\n{self.seen[since:]}") from None


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A store at work, everyone on the floor available."""
    rig = Rig.make(tmp_path / "store")
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        for someone in rig.people.values():
            set_presence(conn, STORE, someone.id, "available", dt.datetime.now(dt.UTC))
    engine.dispose()
    rig.start_broker_program()
    rig.start("worker")
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start")
    yield rig
    rig.stop()


@pytest.fixture
def shell(rig: Rig, tmp_path: Path) -> Iterator[Shell]:
    """A bash in the store's folder, which knows the command `floorbell`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    command = programs / "floorbell"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m deploy.cli "$@"\n')
    command.chmod(0o755)
    shell = Shell(rig.directory, programs)
    yield shell
    os.killpg(shell.process.pid, 9)
    shell.process.wait()


def own(rig: Rig, text: str) -> str:
    """The settings that the page asks its reader to set."""
    values = {"PORT": str(rig.config.broker.port), "STORE": STORE}
    names = re.findall(r"^([A-Z]+)=", text, re.MULTILINE)
    assert names == ["HOST", "PORT", "STORE", "DEVICE"]
    return re.sub(r"^([A-Z]+)=(.*)$", lambda m: f"{m[1]}={values.get(m[1], m[2])}", text, flags=re.MULTILINE)


def ana(rig: Rig, does: str) -> None:
    """What the page says that an associate does on their phone."""
    ((request,),) = rig.read(
        "select id from interaction where device = 'button-1' and kind = 'help'"
        " and state in ('raised', 'acknowledged', 'attended')"
    )
    engine = connect(rig.config.database_url, write=True)
    now, who = dt.datetime.now(dt.UTC), rig.people["Ana"].id
    with engine.begin() as conn:
        if does == "accept":
            acting.acknowledge(conn, STORE, request, who, now)
        else:
            acting.resolve(conn, STORE, request, rig.people["Sofia"].id, "helped", "", now)
    engine.dispose()


def test_the_page_for_third_party_kiosks_works_to_the_letter(rig: Rig, shell: Shell) -> None:
    since = 0
    for fence in fences():
        match fence.mark.split():
            case ["sh", *edit]:
                since = len(shell.seen)
                shell.run(own(rig, fence.text) if edit else fence.text)
            case ["text", does]:
                since = len(shell.seen)
                ana(rig, does)
                shell.shows(fence.text, since)
            case ["text"]:
                shell.shows(fence.text, since)
            case other:
                raise AssertionError(f"The page has a part that nobody follows: {other}.")
    logged = rig.read(
        "select kind, state, topic, language, age_known, drill, silent from interaction"
        " where device = 'button-1' order by received_at, kind"
    )
    assert [row[:2] for row in logged if row[0] == "help"] == [
        ("help", "resolved"),
        ("help", "cancelled"),
        ("help", "raised"),
    ]
    assert ("help", "resolved", "find-item", "ca", 0, 0, 0) in logged
    greeted = [(row[1], row[4]) for row in logged if row[0] == "greet"]
    # Their ages are known after a heartbeat; the second joined the first's wait, which its cancel ended.
    assert sorted(greeted) == [("cancelled", 1), ("recorded", 1)]
    assert [row[6] for row in logged if row[0] == "security"] == [1], "Silent unless it says otherwise."
    assert rig.read("select about is not null from interaction where kind = 'feedback'") == [(1,)]
    assert logged[-1][5] == 1, "The last one is a drill."
    assert rig.read("select status from device where name = 'button-1'") == [("online",)]
    assert len(rig.read("select id from quarantine")) == 2


def test_the_last_will_of_the_page_says_offline_when_the_device_is_gone(rig: Rig, shell: Shell) -> None:
    commands = [fence for fence in fences() if fence.mark.startswith("sh")]
    listening = next(n for n, fence in enumerate(commands) if "--will-topic" in fence.text)
    (present,) = [fence for fence in commands if "-r -t $ME/state" in fence.text]
    for fence in [*commands[: listening + 1], present]:
        shell.run(own(rig, fence.text) if fence.mark == "sh edit" else fence.text)
    wait_for(lambda: rig.read("select status from device where name = 'button-1'") == [("online",)], "Online")
    shell.run("kill -9 %1")
    wait_for(
        lambda: rig.read("select status from device where name = 'button-1'") == [("offline",)], "Its will"
    )
