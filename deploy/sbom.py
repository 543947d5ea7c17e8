"""What each program is made of, as CycloneDX 1.6: `python -m deploy.sbom`, or `make sbom`.

Made from the locks and from VENDOR.md, the same bytes for the same files and the same installed packages.
What is not known is left out: a licence is what the installed package says of itself.
"""

import argparse
import hashlib
import json
import re
import sys
import tomllib
import uuid
from importlib import metadata
from pathlib import Path
from typing import Any

from deploy import locks
from deploy.errors import DeployError
from deploy.locks import Locked

ROOT = Path(__file__).parent.parent
VENDORED = ROOT / "edge" / "web" / "static" / "vendor" / "VENDOR.md"
# Each program with its lock. What it has from apt, in whatever version stands there.
PROGRAMS = {
    "kiosk": ("kiosk", ("python3-lgpio",)),
    "screen": ("screen", ("chromium",)),
    "camera": ("camera", ("python3-picamera2",)),
    "edge": ("edge", ("mosquitto",)),
    "edge-postgresql": ("postgresql", ("mosquitto", "postgresql")),
    # With a bucket for backups.
    "edge-s3": ("s3", ("mosquitto",)),
}
_ROW = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \| (\S+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def bill(program: str) -> dict[str, Any]:
    """The bill of materials of one program. DeployError if a lock cannot be read."""
    lock, from_apt = PROGRAMS[program]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    itself = f"floorbell-{program}@{project['version']}"
    packages = locks.read(lock)
    # One name may stand there in two versions, each where its marker says.
    refs = {(one.name, one.version): f"pkg:pypi/{one.name}@{one.version}" for one in packages}
    components = [_package(one, refs[one.name, one.version]) for one in packages]
    components += [_from_apt(name) for name in from_apt]
    if program.startswith("edge"):
        components += _vendored()
    wants: dict[str, set[str]] = {itself: {one["bom-ref"] for one in components[len(packages) :]}}
    for one in packages:
        for parent in one.wanted_by:
            parents = [ref for (name, _), ref in refs.items() if name == parent] or [itself]
            for ref in parents if parent != "floorbell" else [itself]:
                wants.setdefault(ref, set()).add(refs[one.name, one.version])
    found = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "pre-build"}],
            "component": {
                "type": "application",
                "bom-ref": itself,
                "name": f"floorbell-{program}",
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
            },
        },
        "components": sorted(components, key=lambda one: one["bom-ref"]),
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(wants.get(ref, ()))}
            for ref in sorted({itself, *(one["bom-ref"] for one in components)})
        ],
    }
    content = json.dumps(found, sort_keys=True).encode()
    name = uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(content).hexdigest())
    return {**found, "serialNumber": f"urn:uuid:{name}"}


def _package(one: Locked, ref: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": ref,
        "name": one.name,
        "version": one.version,
        "purl": ref,
        "scope": "optional" if one.marker else "required",
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{one.name}/{one.version}/#files",
                "comment": "Any one of these files, and no other, is installed.",
                "hashes": [{"alg": "SHA-256", "content": sha256} for sha256 in sorted(one.sha256)],
            }
        ],
    }
    if one.marker:
        found["properties"] = [{"name": "floorbell:marker", "value": one.marker}]
    if licences := _licences(one):
        found["licenses"] = licences
    return found


def _licences(one: Locked) -> list[dict[str, Any]]:
    try:
        about = metadata.metadata(one.name)
    except metadata.PackageNotFoundError:
        return []
    if about["Version"] != one.version:
        return []
    if expressions := about.get_all("License-Expression"):
        return [{"expression": expressions[0]}]
    prefix = "License :: OSI Approved :: "
    classes = about.get_all("Classifier") or []
    named = {one.removeprefix(prefix) for one in classes if one.startswith(prefix)}
    said = (about.get_all("License") or [""])[0].strip()
    if not named and said and len(said) < 80 and "\n" not in said:
        named = {said}
    return [{"license": {"name": name}} for name in sorted(named)]


def _from_apt(name: str) -> dict[str, Any]:
    return {
        "type": "application",
        "bom-ref": f"apt:{name}",
        "name": name,
        "description": "From the system's own packages, in the version that stands there.",
        "scope": "optional",
    }


def _vendored() -> list[dict[str, Any]]:
    """The files that are served from our own address, each unchanged out of its npm package."""
    rows = _ROW.findall(VENDORED.read_text(encoding="utf-8"))
    if not rows:
        raise DeployError(f"{VENDORED} lists no files; 'python -m deploy.vendor' writes it.")
    return [
        {
            "type": "file",
            "bom-ref": f"pkg:npm/{package}@{version}#{file}",
            "name": file,
            "version": version,
            "purl": f"pkg:npm/{package}@{version}",
            "scope": "required",
            "hashes": [{"alg": "SHA-256", "content": sha256}],
            "licenses": [{"license": {"id": licence}}],
        }
        for file, package, version, licence, sha256 in rows
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sbom", description="Bills of materials (CycloneDX 1.6).")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "sbom", metavar="FOLDER")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)}; else all")
    chosen = parser.parse_args(arguments)
    for name in chosen.programs:
        if name not in PROGRAMS:
            print(f"{name} is no program; there are {', '.join(PROGRAMS)}.", file=sys.stderr)
            return 2
    try:
        chosen.to.mkdir(parents=True, exist_ok=True)
        for program in chosen.programs or PROGRAMS:
            found = bill(program)
            path = chosen.to / f"floorbell-{program}.cdx.json"
            path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            known = sum("licenses" in one for one in found["components"])
            print(f"{path}: {len(found['components'])} components, the licences of {known} known.")
    except (DeployError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
