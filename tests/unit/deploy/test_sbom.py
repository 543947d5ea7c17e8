"""Bills of materials: valid by the schema, complete by the locks, the same each time."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from deploy import locks, sbom
from deploy.errors import DeployError

# CycloneDX's own, as their library brings them.
SCHEMAS = {
    name: json.loads((files("cyclonedx.schema") / "_res" / f"{name}.SNAPSHOT.schema.json").read_text())
    for name in ("bom-1.6", "spdx", "jsf-0.82")
}


@pytest.fixture(scope="module")
def valid() -> Any:
    base = "http://cyclonedx.org/schema"
    beside = [(f"{base}/{name}.SNAPSHOT.schema.json", schema) for name, schema in SCHEMAS.items()]
    return jsonschema_rs.validator_for(SCHEMAS["bom-1.6"], registry=jsonschema_rs.Registry(beside))


@pytest.mark.parametrize("program", sbom.PROGRAMS)
def test_each_bill_is_what_cyclonedx_says_that_it_is(program: str, valid: Any) -> None:
    found = sbom.bill(program)
    assert [str(error) for error in valid.iter_errors(found)] == []
    refs = [one["bom-ref"] for one in found["components"]]
    assert len(set(refs)) == len(refs)
    known = {*refs, found["metadata"]["component"]["bom-ref"]}
    assert {one["ref"] for one in found["dependencies"]} == known
    assert all(set(one["dependsOn"]) <= known for one in found["dependencies"])


@pytest.mark.parametrize("program", sbom.PROGRAMS)
def test_each_package_of_the_lock_is_there_with_its_hashes_and_somebody_who_wants_it(program: str) -> None:
    found, lock = sbom.bill(program), locks.read(sbom.PROGRAMS[program][0])
    by_ref = {one["bom-ref"]: one for one in found["components"]}
    wanted = {ref for one in found["dependencies"] for ref in one["dependsOn"]}
    for one in lock:
        component = by_ref[f"pkg:pypi/{one.name}@{one.version}"]
        (files_,) = component["externalReferences"]
        assert sorted(hash_["content"] for hash_ in files_["hashes"]) == sorted(one.sha256) != []
        assert component["bom-ref"] in wanted, one.name


def test_the_same_files_give_the_same_bytes() -> None:
    assert json.dumps(sbom.bill("edge")) == json.dumps(sbom.bill("edge"))
    assert sbom.bill("edge")["serialNumber"] != sbom.bill("kiosk")["serialNumber"]


def test_what_is_served_to_browsers_is_there_as_it_lies_on_the_disk() -> None:
    served = [one for one in sbom.bill("edge")["components"] if one["type"] == "file"]
    assert {one["name"] for one in served} == {
        path.name for path in sbom.VENDORED.parent.iterdir() if path.suffix in (".js", ".css")
    }
    for one in served:
        content = (sbom.VENDORED.parent / one["name"]).read_bytes()
        assert one["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def test_a_licence_is_that_of_the_installed_version_or_none() -> None:
    (flask,) = (one for one in locks.read("edge") if one.name == "flask")
    assert sbom._licences(flask) == [{"expression": "BSD-3-Clause"}]
    flask.version = "0.1"
    assert sbom._licences(flask) == []


def test_a_lock_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "edge.txt").write_text("flask==3.1.3 \\\n    --hash=sha256:" + "0" * 64 + "\n-e .\n")
    with pytest.raises(DeployError, match=r"edge\.txt, line 3 is not of a lock"):
        locks.read("edge", tmp_path)


def test_a_program_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert sbom.main(["till"]) == 2
    assert capsys.readouterr().err.startswith("till is no program; there are kiosk, screen,")
