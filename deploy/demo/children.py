"""The demo's processes: started each in a session of its own, and ended so that none is left."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError

# A kiosk goes on for a moment while somebody calls security there.
PATIENCE_S = 12.0


@dataclass
class Child:
    """One running program. `log` is where its output goes."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def last_words(self) -> str:
        """The last line of its log, for a sentence about its end."""
        with contextlib.suppress(OSError):
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return lines[-1][:300]
        return "it said nothing"


class Children:
    """All of them, in the order in which they were started. From one thread only."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def start(self, name: str, arguments: list[str], log: Path, root: Path) -> Child:
        # Should the demo itself be killed, the kernel ends them too.
        guard = shutil.which("setpriv")
        command = [guard, "--pdeathsig", "TERM", "--", *arguments] if guard else arguments
        with open(log, "ab") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"},
            )
        child = Child(name, log, process)
        self._children.append(child)
        return child

    def check(self) -> None:
        """DeployError if one has ended."""
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                how = f"status {status}" if status >= 0 else f"signal {-status}"
                raise DeployError(f"The {child.name} ended ({how}): {child.last_words()}")

    def stop(self) -> list[str]:
        """End all, the one started first at last; the names of those that had to be killed."""
        killed = []
        # The first is the broker: it goes when all who talk through it have said goodbye.
        for group in (self._children[1:], self._children[:1]):
            for child in group:
                if child.process.poll() is None:
                    child.process.terminate()
            deadline = time.monotonic() + PATIENCE_S
            for child in group:
                if not self._ended(child, deadline):
                    killed.append(child.name)
                    self._kill(child)
        self._children = []
        return killed

    def _ended(self, child: Child, deadline: float) -> bool:
        """Whether it and whatever it started end by the deadline, with a moment's grace for the latter."""
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        deadline = max(deadline, time.monotonic() + 1.0)
        while self._members(child):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _kill(self, child: Child) -> None:
        for pid in self._members(child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        child.process.wait()

    def _members(self, child: Child) -> list[int]:
        """Whatever is left of the child's session (proc(5): field 6 of stat), itself included."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = stat.read_text().rsplit(")", 1)[1].split()
                if int(fields[3]) == child.process.pid and fields[0] != "Z":
                    found.append(int(stat.parent.name))
        return found
