"""An export from the desk: asked for, made by the vault, downloaded, and true to whoever verifies it."""

import re
from pathlib import Path

import pytest

from edge.evidence.files import VaultFiles
from edge.evidence.findings import Known, Verdict
from edge.evidence.verify import verify
from edge.handling import incidents
from edge.web.services import EXPORTS_AT_ONCE
from tests.rig import footage

from .conftest import STORE, Browser, Shop


def asked(browser: Browser, clip: str, **form: object) -> str:
    """Ask for an export; its address."""
    browser.get(f"/manage/evidence/{clip}")
    answer = browser.post(f"/manage/evidence/{clip}/export", reason="Case 12", **form)
    assert answer.status_code == 303
    return str(answer.location)


def test_what_the_desk_exports_verifies_with_what_the_page_says(
    shop: Shop,
    mira: Browser,
    alarm: str,
    tmp_path: Path,
) -> None:
    first, second = shop.seal(alarm), shop.seal(alarm, b"another")
    assert second in mira.get(f"/manage/evidence/{first}").text
    address = asked(mira, first, clips=[second])
    assert [action for action, _, _ in shop.custody()][-3:] == ["exported"] * 3
    assert "Being made" in mira.get(address).text
    assert mira.post(f"{address}/download").status_code == 409
    footage.make_bundles(shop.services)
    page = mira.get(address).text
    assert "Ready" in page and "until 9 March 2026" in page
    bundle = mira.post(f"{address}/download")
    assert bundle.mimetype == "application/zip" and bundle.headers["Cache-Control"] == "no-store"
    assert shop.custody()[-1] == ("downloaded", "Mira", "The bundle of 2 clips (desk)")
    (tmp_path / "bundle.zip").write_bytes(bundle.data)
    keys = frozenset(re.findall("--key ([0-9a-f]{64})", page))
    size, root = re.findall("--head ([0-9]+):([0-9a-f]{64})", page)[0]
    (finding,) = verify(tmp_path / "bundle.zip", Known(keys, [(int(size), root)]))
    assert finding.verdict is Verdict.OK


def test_from_an_incidents_page_to_a_bundle_that_verifies_with_what_the_page_says(
    shop: Shop, mira: Browser, alarm: str, tmp_path: Path
) -> None:
    shop.seal(alarm)
    case = shop.write(lambda conn: incidents.of_request(conn, STORE, alarm, shop.clock.now))
    page = mira.get(f"/manage/incidents/{case}").text
    assert "Export for the police or a court" in page and "1 clip in which nobody is blurred" in page
    asked = mira.post(f"/manage/incidents/{case}/export", reason="Police, file 12")
    assert asked.status_code == 303
    footage.make_bundles(shop.services)
    page = mira.get(asked.location).text
    assert "Export of incident 2026-0001" in page and "Ready" in page and "incident.json" in page
    bundle = mira.post(f"{asked.location}/download")
    (tmp_path / "bundle.zip").write_bytes(bundle.data)
    keys = frozenset(re.findall("--key ([0-9a-f]{64})", page))
    size, root = re.findall("--head ([0-9]+):([0-9a-f]{64})", page)[0]
    (finding,) = verify(tmp_path / "bundle.zip", Known(keys, [(int(size), root)]))
    assert finding.verdict is Verdict.OK
    assert shop.custody()[-2:] == [
        ("exported", "Mira", "Police, file 12"),
        ("downloaded", "Mira", "The bundle of the incident file and 1 clip (desk)"),
    ]
    after = mira.get(f"/manage/incidents/{case}").text
    assert "Mira exported it: “Police, file 12”" in after and asked.location in after


def test_an_incident_is_taken_out_with_a_reason_and_by_those_who_see_evidence(
    shop: Shop, mira: Browser, visitor: Browser, alarm: str
) -> None:
    case = shop.write(lambda conn: incidents.of_request(conn, STORE, alarm, shop.clock.now))
    mira.get(f"/manage/incidents/{case}")
    refused = mira.post(f"/manage/incidents/{case}/export", reason=" ")
    assert refused.status_code == 400 and "1 to 500" in refused.text and "take-out" in refused.text
    assert mira.post("/manage/incidents/nothing/export", reason="x").status_code == 404
    visitor.sign_in_at_desk("Sofia")
    page = visitor.get(f"/manage/incidents/{case}").text
    assert "Only a manager or an admin takes an incident out" in page
    assert visitor.post(f"/manage/incidents/{case}/export", reason="Case 12").status_code == 403
    assert shop.custody() == [] and shop.read("SELECT * FROM export") == []


def test_an_export_stands_in_the_log_or_is_not_asked_for(shop: Shop, mira: Browser, clip: str) -> None:
    mira.get(f"/manage/evidence/{clip}")
    refused = mira.post(f"/manage/evidence/{clip}/export", reason=" ")
    assert refused.status_code == 400 and "1 to 500" in refused.text
    assert mira.post(f"/manage/evidence/{clip}/export", reason="x", clips=["nothing"]).status_code == 404
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE clip SET state = 'announced'"))
    assert mira.post(f"/manage/evidence/{clip}/export", reason="Case 12").status_code == 409
    assert shop.custody() == [] and shop.read("SELECT * FROM export") == []


def test_not_a_byte_of_a_bundle_is_sent_unless_that_is_written_down(
    shop: Shop,
    mira: Browser,
    clip: str,
) -> None:
    address = asked(mira, clip)
    footage.make_bundles(shop.services)
    mira.get(address)
    stop = "CREATE TRIGGER full BEFORE INSERT ON custody BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    shop.write(lambda conn: conn.exec_driver_sql(stop))
    answer = mira.post(f"{address}/download")
    assert answer.status_code == 503 and answer.mimetype == "text/html"
    shop.write(lambda conn: conn.exec_driver_sql("DROP TRIGGER full"))
    for _ in range(EXPORTS_AT_ONCE + 1):
        fetched = mira.post(f"{address}/download")
        assert fetched.data[:2] == b"PK"
        fetched.close()


def test_what_is_not_in_the_vault_any_more_is_not_said_to_have_been_taken_away(
    shop: Shop, mira: Browser, clip: str
) -> None:
    address = asked(mira, clip)
    footage.make_bundles(shop.services)
    mira.get(address)
    before = shop.custody()
    for path in VaultFiles(shop.services.config.vault_path).all_exported():
        path.unlink()
    answer = mira.post(f"{address}/download")
    assert answer.status_code == 409 and "not in the vault any more" in answer.text
    assert shop.custody() == before


def test_only_so_many_are_sent_at_once(shop: Shop, mira: Browser, clip: str) -> None:
    address = asked(mira, clip)
    footage.make_bundles(shop.services)
    mira.get(address)
    for _ in range(EXPORTS_AT_ONCE):
        shop.services.exports.acquire()
    before = shop.custody()
    assert mira.post(f"{address}/download").status_code == 503 and shop.custody() == before


def test_a_supervisor_gets_no_export(shop: Shop, visitor: Browser, clip: str) -> None:
    visitor.sign_in_at_desk("Sofia")
    assert visitor.post(f"/manage/evidence/{clip}/export", reason="Case 12").status_code == 403
    assert visitor.get("/manage/evidence/exports/any").status_code == 403
    assert visitor.post("/manage/evidence/exports/any/download").status_code == 403


@pytest.mark.parametrize("deed", ["", "/download"])
def test_an_export_that_is_none_is_not_found(mira: Browser, deed: str) -> None:
    mira.get("/manage/evidence")
    address = f"/manage/evidence/exports/nothing{deed}"
    assert (mira.post(address) if deed else mira.get(address)).status_code == 404
