"""The audit of locked packages: what it says where somebody answers, and where nobody does."""

import datetime as dt
import http.client
import threading
import urllib.error
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from deploy import audit, locks, sbom
from deploy.audit import Ignored, NotChecked, Weakness
from deploy.errors import DeployError

PACKAGES = [("flask", "3.1.3"), ("jinja2", "3.1.6")]
ADVISORY = {
    "id": "PYSEC-2026-7",
    "aliases": ["CVE-2026-1234"],
    "summary": "A template can leave its sandbox.",
    "affected": [
        {"package": {"name": "Jinja2"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "3.1.7"}]}]},
        {"package": {"name": "other"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "9"}]}]},
    ],
}
FOUND = Weakness(
    "jinja2", "3.1.6", "PYSEC-2026-7", ("CVE-2026-1234",), "A template can leave its sandbox.", ("3.1.7",)
)
TODAY = dt.date(2026, 11, 27)


def osv(address: str, body: Any) -> Any:
    """OSV, which knows one weakness of jinja2."""
    if address.endswith("/v1/querybatch"):
        known = {"jinja2": {"vulns": [{"id": "PYSEC-2026-7"}]}}
        return {"results": [known.get(one["package"]["name"], {}) for one in body["queries"]]}
    assert address == "https://api.osv.dev/v1/vulns/PYSEC-2026-7"
    return ADVISORY


def index(address: str, body: Any) -> Any:
    """Only the index, which gives the same advisory in its own shape."""
    if "osv" in address:
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))
    if "flask" in address:
        raise not_found(address)
    assert address == "https://pypi.org/pypi/jinja2/3.1.6/json" and body is None
    return {"vulnerabilities": [{**ADVISORY, "fixed_in": ["3.1.7"]}]}


def not_found(address: str) -> urllib.error.HTTPError:
    return urllib.error.HTTPError(address, 404, "Not Found", Message(), None)


def nobody(address: str, body: Any) -> Any:
    if "osv" in address:
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))
    raise not_found(address)


def test_osv_is_asked_first_and_tells_what_mends_the_package_that_is_meant() -> None:
    assert audit.look(PACKAGES, osv) == ("OSV", [FOUND])
    assert FOUND.sentence() == (
        "jinja2 3.1.6 has PYSEC-2026-7 (CVE-2026-1234): A template can leave its sandbox; mended in 3.1.7."
    )


def test_the_package_index_is_asked_where_osv_does_not_answer() -> None:
    assert audit.look(PACKAGES, index) == ("the package index", [FOUND])


def test_where_nobody_answers_nothing_was_checked_and_that_is_said() -> None:
    with pytest.raises(NotChecked) as said:
        audit.look(PACKAGES, nobody)
    assert str(said.value) == (
        "Not checked: OSV does not answer (Name or service not known) and the package index does not answer "
        "(it says 404)."
    )


@pytest.mark.parametrize("broken", [http.client.IncompleteRead(b"{"), http.client.BadStatusLine("?")])
def test_an_answer_that_breaks_off_is_no_trace(
    broken: http.client.HTTPException, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(address: str, body: Any) -> Any:
        raise broken

    assert audit.main(["--strict"], breaks) == 0
    assert capsys.readouterr().out.startswith("Not checked: OSV does not answer (")


@pytest.mark.parametrize(
    "answer", [{}, [], {"results": []}, {"results": [None]}, {"results": ["x", "y"]}, "no"]
)
def test_an_answer_that_is_none_is_no_clean_bill(answer: Any) -> None:
    with pytest.raises(NotChecked):
        audit.look(PACKAGES, lambda address, body: answer)


def test_what_is_ignored_counts_again_once_its_day_is_over() -> None:
    entry = Ignored("CVE-2026-1234", "No template of strangers is rendered.", TODAY)
    assert audit.judge([FOUND], [entry], TODAY) == ([], [])
    counts, over = audit.judge([FOUND], [entry], TODAY + dt.timedelta(days=1))
    assert counts == [FOUND] and over[0].startswith("CVE-2026-1234 is no longer ignored: its day, 2026-11-27")


def test_a_weakness_is_told_and_fails_only_where_that_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit.main([], osv) == 0
    assert "mended in 3.1.7." in capsys.readouterr().out
    assert audit.main(["--strict"], osv) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-1].endswith("1 known weaknesses, 1 of them mended in another version, 0 ignored.")


def test_a_weakness_that_no_version_mends_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def unmended(address: str, body: Any) -> Any:
        return {**ADVISORY, "affected": []} if "vulns" in address else osv(address, body)

    assert audit.main(["--strict"], unmended) == 0
    assert "not mended in any version yet." in capsys.readouterr().out


def test_nobody_there_fails_nothing_however_strict(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--strict"], nobody) == 0
    assert capsys.readouterr().out.startswith("Not checked: ")


def test_a_database_that_never_answers_holds_nothing_up(capsys: pytest.CaptureFixture[str]) -> None:
    over = threading.Event()

    def hangs(address: str, body: Any) -> Any:
        over.wait(60)
        raise OSError("gone")

    assert audit.main(["--strict", "--within", "0.1"], hangs) == 0
    assert capsys.readouterr().out == "Not checked: there was no answer within 0.1 s.\n"
    over.set()


def test_a_list_that_cannot_be_used_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ignored.toml"
    path.write_text('[[ignored]]\nid = "CVE-1"\nreason = "It is far away."\n')
    with pytest.raises(DeployError, match="entry 1: it has an id, a reason and, as in until = 2027-01-31"):
        audit.ignored_in(path)
    assert audit.main(["--ignored", str(path)], osv) == 2


def test_every_lock_of_a_program_is_looked_at() -> None:
    there = {path.stem for path in locks.FOLDER.glob("*.txt")} - {"dev", "hardware"}
    assert there == set(audit.LOCKS) == {lock for lock, _ in sbom.PROGRAMS.values()}


def test_the_projects_own_list_can_be_read() -> None:
    assert all(one.reason for one in audit.ignored_in(audit.IGNORED))
