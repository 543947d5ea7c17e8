"""Fetches the front-end files that are served from our own address, and writes down what they are.

Run by a maintainer, with npm: `python -m deploy.vendor`. The files and VENDOR.md are committed.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "edge" / "web" / "static" / "vendor"


@dataclass(frozen=True)
class Package:
    """An npm package at one version, the file taken out of it, and the name it gets here."""

    name: str
    version: str
    path: str
    file: str


PACKAGES = (
    Package("htmx.org", "2.0.11", "dist/htmx.min.js", "htmx.min.js"),
    Package("uplot", "1.6.32", "dist/uPlot.iife.min.js", "uPlot.iife.min.js"),
    Package("uplot", "1.6.32", "dist/uPlot.min.css", "uPlot.min.css"),
)


@dataclass(frozen=True)
class Vendored:
    package: Package
    licence: str
    sha256: str


def fetch(package: Package, folder: Path) -> Vendored:
    """Download one package with `npm pack` and put its file into `folder`.

    CalledProcessError if npm cannot fetch it, KeyError if the package does not hold the file.
    """
    with tempfile.TemporaryDirectory() as work:
        wanted = f"{package.name}@{package.version}"
        packed = subprocess.run(
            ["npm", "pack", wanted, "--silent"], cwd=work, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(work) / packed.stdout.split()[-1]) as archive:
            content = _read(archive, package.path)
            about = json.loads(_read(archive, "package.json"))
            licence = _read(archive, "LICENSE")
    if about["version"] != package.version:
        raise ValueError(f"npm gave {package.name} {about['version']} instead of {package.version}.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / package.file).write_bytes(content)
    (folder / f"{package.file}.LICENSE").write_bytes(licence)
    return Vendored(package, about["license"], hashlib.sha256(content).hexdigest())


def describe(vendored: list[Vendored]) -> str:
    """VENDOR.md: what each file is."""
    lines = [
        "# Vendored files",
        "",
        "Unchanged from their npm packages; `python -m deploy.vendor` fetches them and writes this page.",
        "",
        "| file | package | version | licence | sha256 |",
        "|---|---|---|---|---|",
    ]
    for one in vendored:
        package = one.package
        lines.append(
            f"| {package.file} | {package.name} | {package.version} | {one.licence} | `{one.sha256}` |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    vendored = [fetch(package, FOLDER) for package in PACKAGES]
    (FOLDER / "VENDOR.md").write_text(describe(vendored), encoding="utf-8")
    for one in vendored:
        print(f"{one.package.name} {one.package.version} ({one.licence})")
    return 0


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        raise KeyError(f"The package holds no file {path}.")
    return member.read()


if __name__ == "__main__":
    sys.exit(main())
