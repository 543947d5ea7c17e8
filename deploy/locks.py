"""The locked requirements: which package in which version, for whom, and why."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import DeployError

FOLDER = Path(__file__).parent.parent / "requirements"
_PACKAGE = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?:\s*;\s*(.+?))?\s*\\?$")
_HASH = re.compile(r"^\s+--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^\s+#(?: via)?\s+([^\s].*?)$")


@dataclass
class Locked:
    """A package. `marker`: where alone it is installed, '' for everywhere; `wanted_by`: the packages that
    need it, and 'floorbell' itself."""

    name: str
    version: str
    marker: str
    sha256: list[str] = field(default_factory=list)
    wanted_by: list[str] = field(default_factory=list)


def read(lock: str, folder: Path = FOLDER) -> list[Locked]:
    """The packages of requirements/`lock`.txt, as they stand there. DeployError if it is none of ours."""
    path = folder / f"{lock}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DeployError(f"{path} cannot be read: {error.strerror}.") from None
    found: list[Locked] = []
    for number, line in enumerate(lines, 1):
        if package := _PACKAGE.match(line):
            found.append(Locked(package[1], package[2], package[3] or ""))
        elif found and (hash_ := _HASH.match(line)):
            found[-1].sha256.append(hash_[1])
        elif found and (via := _VIA.match(line)):
            found[-1].wanted_by.append(via[1].split(" ")[0])
        elif line.strip() and not line.strip().startswith("#"):
            raise DeployError(f"{path}, line {number} is not of a lock that 'make lock' writes: {line[:60]}")
    return found
