"""Access requests at the desk: opened, looked for, covered, watched and given out; each deed in the log."""

import io
import json
import zipfile
from datetime import timedelta
from uuid import UUID

import pytest

from edge.evidence.files import VaultFiles
from edge.handling import keeping
from edge.retention import Retention
from edge.vault.covering import Covering
from tests.rig import film

from .conftest import STORE, Browser, Shop

MASKS = {
    "mode": "others",
    "tracks": [{"keys": [{"at_ms": 0, "left": 100, "top": 100, "width": 300, "height": 300}]}],
}
FORM = {
    "came": "desk", "received": "2026-03-02", "contact": "a@example.org", "identity": "Passport",
    "zone": "shoes", "description": "Red coat",
}  # fmt: skip


def opened(shop: Shop, browser: Browser, **more: str) -> str:
    """An access request of the last half hour; its address."""
    now = shop.clock.now.astimezone()
    began = now - timedelta(minutes=50)
    form = FORM | {"from": f"{began:%Y-%m-%dT%H:%M}", "to": f"{now:%Y-%m-%dT%H:%M}"} | more
    browser.get("/manage/access-requests/new")
    answer = browser.post("/manage/access-requests/new", **form)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def vault(shop: Shop) -> None:
    """What the vault's thread does."""
    room = shop.services
    Covering(STORE, room.writer, room.read, VaultFiles(room.config.vault_path), room.clock).make()


@pytest.fixture
def played(shop: Shop, alarm: str) -> str:
    """A clip that can be played."""
    shop.clock.pass_(minutes=20)
    return shop.seal(alarm, film.fragmented(2, 320, 180))


def test_from_the_letter_to_the_file_for_the_asker(shop: Shop, mira: Browser, played: str) -> None:
    one = opened(shop, mira)
    page = mira.get(one).text
    assert "2 April 2026" in page and "31 days left" in page and "Red coat" in page
    where = f"{one}/clips/{played}"
    assert where in page and "<video" not in mira.get(where).text
    looked = mira.post(f"{where}/look")
    assert looked.status_code == 303
    assert shop.custody()[-1] == ("viewed", "Mira", "Access request 2026-0001 (desk)")
    assert "<video" in mira.get(looked.location).text
    grant = looked.location.partition("grant=")[2]
    marked = mira.post(f"{where}/mark", grant=grant)
    assert marked.status_code == 303 and grant in marked.location
    # Nothing goes out before somebody has watched what is covered.
    refused = mira.post(f"{one}/answer", how="footage", letter="Dear asker.")
    assert refused.status_code == 409 and "no covered copy that somebody has watched" in refused.text
    assert mira.post(f"{where}/boxes", masks=json.dumps(MASKS), based_on="0").status_code == 303
    assert "Being made" in mira.get(where, **{"HX-Request": "true"}).text
    assert mira.post(f"{where}/watch").status_code == 409
    vault(shop)
    assert "To be watched" in mira.get(where).text
    watched = mira.post(f"{where}/watch")
    seen = mira.get(watched.location.partition("#")[0])
    assert 'name="watched"' in seen.text and "media-src 'self'" in seen.headers["Content-Security-Policy"]
    copy = watched.location.partition("copy=")[2].partition("#")[0]
    video = mira.get(f"{where}/video?copy={copy}", Range="bytes=0-99")
    assert video.status_code == 206 and video.data[4:8] == b"ftyp"
    assert mira.post(f"{where}/watched", based_on="1").status_code == 400
    assert mira.post(f"{where}/watched", based_on="1", watched="yes").status_code == 303
    blank = mira.post(f"{one}/answer", how="footage", letter="From [name].")
    assert blank.status_code == 409 and "a blank that is not filled in: [name]" in blank.text
    assert mira.post(f"{one}/answer", how="footage", letter="Dear asker.").status_code == 303
    assert "Being made" in mira.get(one).text
    vault(shop)
    assert "Ready" in mira.get(one).text
    file = mira.post(f"{one}/file")
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        assert archive.namelist() == ["letter.txt", "video-1.mp4"]
    assert shop.custody()[-1] == (
        "downloaded",
        "Mira",
        "Access request 2026-0001: the file for the asker (desk)",
    )
    assert mira.post(f"{one}/close").status_code == 303
    assert mira.post(f"{one}/file").status_code == 409
    page = mira.get(one).text
    assert "1 clip is held" in page and "another agrees" in page


def test_holds_are_released_by_two_people(shop: Shop, mira: Browser, second: Browser, played: str) -> None:
    one = opened(shop, mira)
    mira.get(one)
    assert mira.post(f"{one}/answer", how="nothing").status_code == 303
    assert mira.post(f"{one}/ask-release", reason="Answered").status_code == 303
    assert mira.post(f"{one}/release").status_code == 409
    assert "Agree to the release" in second.get(one).text
    assert second.post(f"{one}/release").status_code == 303
    assert "Nothing is held for it" in second.get(one).text


def test_only_whoever_sees_evidence_sees_access_requests(shop: Shop, visitor: Browser, mira: Browser) -> None:
    one = opened(shop, mira)
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Sofia")
    for address in ("/manage/access-requests", "/manage/access-requests/new", one):
        assert visitor.get(address).status_code == 403
    for deed in ("answer", "file", "clips/x/look", "clips/x/boxes", "clips/x/watched"):
        assert visitor.post(f"{one}/{deed}").status_code == 403
    floor = Browser(shop.app)
    floor.sign_in(shop.people["Ana"])
    assert floor.get("/manage/access-requests").status_code in (303, 403)


def test_a_grant_for_the_clip_is_none_for_its_copy_nor_the_other_way(
    shop: Shop, mira: Browser, played: str
) -> None:
    one = opened(shop, mira)
    where = f"{one}/clips/{played}"
    mira.get(where)
    grant = mira.post(f"{where}/look").location.partition("grant=")[2]
    mira.post(f"{where}/boxes", masks=json.dumps(MASKS), based_on="0")
    vault(shop)
    assert mira.get(f"{where}/video?copy={grant}", Range="bytes=0-9").status_code == 403
    watched = mira.post(f"{where}/watch").location.partition("copy=")[2].partition("#")[0]
    clip = f"/manage/evidence/{played}/video"
    assert mira.get(f"{clip}?grant={watched}", Range="bytes=0-9").status_code == 403
    assert mira.get(f"{where}/video?copy={watched}", Range="bytes=0-9").status_code == 206
    shop.clock.pass_(minutes=11)
    assert mira.get(f"{where}/video?copy={watched}", Range="bytes=0-9").status_code == 403


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [
        ("", "The boxes cannot be read"),
        ("[]", "The boxes cannot be read"),
        ('{"tracks": [{"keys": []}]}', "The boxes cannot be read"),
        (
            '{"tracks": [{"keys": [{"at_ms": 0, "left": 1001, "top": 0, "width": 1, "height": 1}]}]}',
            "The boxes cannot be read",
        ),
        (
            '{"tracks": [{"keys": [{"at_ms": 0, "left": 990, "top": 0, "width": 20, "height": 1}]}]}',
            "outside of the picture",
        ),
        ("x" * 90_001, "too many places"),
    ],
)
def test_boxes_that_are_none_are_refused_in_a_sentence(
    shop: Shop, mira: Browser, played: str, masks: str, sentence: str
) -> None:
    where = f"{opened(shop, mira)}/clips/{played}"
    mira.get(where)
    answer = mira.post(f"{where}/boxes", masks=masks, based_on="0")
    assert answer.status_code == 400 and sentence in answer.text


def test_what_was_typed_stays_where_it_is_refused(shop: Shop, mira: Browser) -> None:
    mira.get("/manage/access-requests/new")
    typed = FORM | {"from": "2026-03-02T09:00", "to": "2026-03-02T08:00"}
    answer = mira.post("/manage/access-requests/new", **typed)
    assert answer.status_code == 400 and "a@example.org" in answer.text and "must be later" in answer.text
    assert mira.post("/manage/access-requests/new", **(typed | {"received": "soon"})).status_code == 400
    assert shop.read("SELECT count(*) FROM access_request") == [(0,)]


@pytest.mark.parametrize("deed", ["", "/clips/nothing"])
def test_one_that_is_none_is_not_found(mira: Browser, deed: str) -> None:
    assert mira.get(f"/manage/access-requests/{UUID(int=1)}{deed}").status_code == 404


def test_a_deleted_clip_is_named_with_when_and_why(shop: Shop, mira: Browser, played: str) -> None:
    shop.write(lambda conn: conn.exec_driver_sql(f"UPDATE clip SET keep_until = 0 WHERE id = '{played}'"))
    shop.write(lambda conn: keeping.purge_due(conn, STORE, Retention(), shop.clock.now))
    page = mira.get(opened(shop, mira)).text
    assert "Deleted" in page and "Its time of retention was over." in page
