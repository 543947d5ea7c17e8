"""The desk's view of evidence: a look is written down before its first byte, and holds are by two people."""

import re

import msgspec
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from edge.config import Evidence
from edge.db import tables
from edge.db.evidence_tables import witness
from edge.evidence import captures, clips, heads, stamps
from edge.evidence.stamp import Stamp
from edge.handling.losing import CLIP_LOST
from edge.stamping import Authority
from edge.web import pieces
from edge.web.footage import NO_GRANT
from tests.rig import footage

from .conftest import STORE, VIDEO, Browser, Shop

GRANT = re.compile(r"grant=([0-9a-f-]+)")


def look(browser: Browser, clip: str, reason: str = "The police have asked") -> str:
    """Look at a clip; the grant."""
    browser.get(f"/manage/evidence/{clip}")
    answer = browser.post(f"/manage/evidence/{clip}/view", reason=reason)
    assert answer.status_code == 303
    found = GRANT.search(answer.location)
    assert found is not None
    return found[1]


def video(browser: Browser, clip: str, grant: str, wanted: str | None = "bytes=0-") -> TestResponse:
    headers = {"Accept": "video/*"} | ({"Range": wanted} if wanted else {})
    return browser.client.get(f"/manage/evidence/{clip}/video?grant={grant}", headers=headers)


def test_a_look_stands_in_the_log_with_its_reason_before_the_clip_plays(
    shop: Shop, mira: Browser, clip: str
) -> None:
    page = mira.get(f"/manage/evidence/{clip}")
    assert "Reason for looking" in page.text and "<video" not in page.text
    assert "media-src 'none'" in page.headers["Content-Security-Policy"]
    grant = look(mira, clip)
    assert shop.custody() == [("viewed", "Mira", "The police have asked (desk)")]
    page = mira.get(f"/manage/evidence/{clip}?grant={grant}")
    assert "<video" in page.text and "it holds" in page.text and "The police have asked (desk)" in page.text
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_not_a_byte_is_sent_if_the_look_cannot_be_written_down(shop: Shop, mira: Browser, clip: str) -> None:
    mira.get(f"/manage/evidence/{clip}")
    shop.write(
        lambda conn: conn.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON custody BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    )
    answer = mira.post(f"/manage/evidence/{clip}/view", reason="The police have asked")
    assert answer.status_code == 503 and "grant" not in answer.text and "Location" not in answer.headers
    assert video(mira, clip, "").status_code == 403
    assert shop.custody() == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_there_is_no_look(shop: Shop, mira: Browser, clip: str, reason: str) -> None:
    mira.get(f"/manage/evidence/{clip}")
    answer = mira.post(f"/manage/evidence/{clip}/view", reason=reason)
    assert answer.status_code == 400 and "1 to 500 are allowed" in answer.text
    assert shop.custody() == []


def test_the_bytes_come_in_pieces_and_are_the_sealed_ones(mira: Browser, clip: str) -> None:
    grant, size, got = look(mira, clip), len(VIDEO), b""
    while len(got) < size:
        piece = video(mira, clip, grant, f"bytes={len(got)}-")
        assert piece.status_code == 206 and len(piece.data) <= pieces.PIECE_BYTES
        end = len(got) + len(piece.data) - 1
        assert piece.headers["Content-Range"] == f"bytes {len(got)}-{end}/{size}"
        got += piece.data
    assert got == VIDEO
    assert piece.mimetype == "video/mp4" and piece.headers["X-Content-Type-Options"] == "nosniff"
    assert piece.headers["Cache-Control"] == "no-store" and piece.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [("bytes=5-9", 5, 10), ("bytes=-4", len(VIDEO) - 4, len(VIDEO)), ("bytes=0-0", 0, 1),
     (f"bytes=10-{10**12}", 10, 10 + pieces.PIECE_BYTES)],
)  # fmt: skip
def test_a_range_is_what_it_says(mira: Browser, clip: str, wanted: str, begin: int, end: int) -> None:
    answer = video(mira, clip, look(mira, clip), wanted)
    assert (answer.status_code, answer.data) == (206, VIDEO[begin:end])


@pytest.mark.parametrize(
    "wanted", [f"bytes={len(VIDEO)}-", "bytes=9-5", "bytes=0-1,5-9", "lines=1-2", "nonsense"]
)
def test_a_range_that_is_none_is_refused_with_the_size(mira: Browser, clip: str, wanted: str) -> None:
    answer = video(mira, clip, look(mira, clip), wanted)
    assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{len(VIDEO)}"


def test_a_large_clip_is_not_sent_whole_and_a_small_one_is(shop: Shop, mira: Browser, alarm: str) -> None:
    large, small = shop.seal(alarm), shop.seal(alarm, b"small")
    refused = video(mira, large, look(mira, large), None)
    assert refused.status_code == 400 and "ask with a Range" in refused.text
    assert video(mira, small, look(mira, small), None).data == b"small"
    head = mira.client.head(f"/manage/evidence/{large}/video?grant={look(mira, large)}")
    assert (head.status_code, head.content_length, head.data) == (200, len(VIDEO), b"")


def test_a_grant_is_for_one_person_one_clip_and_ten_minutes(
    shop: Shop, mira: Browser, second: Browser, alarm: str
) -> None:
    one, other = shop.seal(alarm), shop.seal(alarm, b"other")
    grant = look(mira, one)
    assert video(mira, one, grant).status_code == 206
    ending, _, signature = grant.partition("-")
    longer = f"{int(ending) + 600}-{signature}"
    for browser, clip, used in (
        (second, one, grant),
        (mira, other, grant),
        (mira, one, longer),
        (mira, one, ""),
    ):
        refused = video(browser, clip, used)
        assert (refused.status_code, refused.text) == (403, NO_GRANT)
    shop.clock.pass_(minutes=10)
    assert video(mira, one, grant).status_code == 403
    over = mira.get(f"/manage/evidence/{one}?grant={grant}").text
    assert "This look is over" in over and "<video" not in over


def test_a_supervisor_sees_none_of_it(shop: Shop, visitor: Browser, clip: str, alarm: str) -> None:
    visitor.sign_in_at_desk("Sofia")
    assert "Evidence" not in visitor.get("/manage/log").text
    assert clip not in visitor.get(f"/manage/log/{alarm}").text
    for where in ("", f"/{clip}", f"/{clip}/video"):
        assert visitor.get(f"/manage/evidence{where}").status_code == 403
    for deed in ("view", "hold"):
        assert visitor.post(f"/manage/evidence/{clip}/{deed}", reason="Because").status_code == 403
    assert shop.custody() == []


def test_the_timeline_shows_the_clips_of_the_request_and_of_the_presses_that_joined_it(
    shop: Shop, mira: Browser, alarm: str
) -> None:
    joined = shop.raise_request("Igor", kind="security")
    event = {
        "id": joined,
        "kind": "security",
        "received_at": shop.clock.now,
        "drill": False,
        "payload": b"{}",
    }
    shop.write(
        lambda conn: conn.execute(
            tables.event.insert().values(store=STORE, device="kiosk-1", interaction=alarm, **event)
        )
    )
    first = shop.seal(alarm)
    waiting = shop.write(lambda conn: footage.announce(conn, shop.shot(joined, b"more"), shop.clock.now)[0])
    story = mira.get(f"/manage/log/{alarm}").text
    assert f"/manage/evidence/{first}" in story and f"/manage/evidence/{waiting}" in story
    assert "Sealed" in story and "Waiting for it" in story
    shop.write(lambda conn: clips.set_mismatched(conn, STORE, str(waiting), "The video is another one."))
    assert "The video is another one." in mira.get(f"/manage/log/{alarm}").text


def test_the_list_is_narrowed_and_goes_on(shop: Shop, mira: Browser, alarm: str) -> None:
    loud = shop.raise_request("Ana")
    for number in range(51):
        shop.clock.pass_(seconds=1)
        one = shop.shot(loud, b"%d" % number)
        shop.write(lambda conn, one=one: footage.announce(conn, one, shop.clock.now))
    clip = shop.seal(alarm)
    page = mira.get("/manage/evidence").text
    assert page.count('data-label="Sealed"') == 50 and clip in page
    older = re.search(r'href="(/manage/evidence\?before=[^"]+)"', page)
    assert older is not None
    assert mira.get(older[1].replace("&amp;", "&")).text.count('data-label="Sealed"') == 2
    assert mira.get("/manage/evidence?state=sealed").text.count('data-label="Sealed"') == 1
    assert mira.get("/manage/evidence?zone=tills").text.count('data-label="Sealed"') == 0
    assert mira.get("/manage/evidence?held=yes").text.count('data-label="Sealed"') == 0
    for wrong in ("state=lost", "held=maybe", "before=nonsense"):
        assert mira.get(f"/manage/evidence?{wrong}").status_code == 400


def test_a_kiosk_that_refused_the_head_stands_at_the_top_with_its_sentence(
    shop: Shop, mira: Browser, clip: str
) -> None:
    values = {"device": "kiosk-1", "shown": 1, "size": 0, "refused_at": shop.clock.now}
    refused = values | {"refused": "The head does not follow from the one that I hold."}
    shop.write(lambda conn: conn.execute(sa.insert(witness).values(store=STORE, **refused)))
    assert "kiosk-1 refused the head of the custody log: The head does not follow" in (
        mira.get("/manage/evidence").text
    )


def test_the_desk_says_when_the_log_was_stamped_and_why_it_is_not(
    shop: Shop, mira: Browser, clip: str
) -> None:
    authority = Evidence(Authority("http://tsa.example", "ca.pem"))
    assert "Stamped by an authority" not in mira.get("/manage/evidence").text
    shop.services.config = msgspec.structs.replace(shop.services.config, evidence=authority)
    page = mira.get("/manage/evidence").text
    assert "<dt>Stamped by an authority</dt><dd>not yet</dd>" in page and "no new time stamp" not in page
    now, trouble = shop.clock.now, "The authority tsa.example cannot be reached: Connection refused."
    shop.write(lambda conn: heads.sign_newest(conn, STORE, footage.STORE_KEY, now))
    shop.write(lambda conn: stamps.failed(conn, STORE, trouble, now))
    assert f"The custody log has no new time stamp: {trouble}" in mira.get("/manage/evidence").text
    shop.write(lambda conn: stamps.keep(conn, STORE, 1, b"reply", Stamp(now, "Time & Co"), now))
    page = mira.get("/manage/evidence").text
    assert "1 entry, by Time &amp; Co" in page and "no new time stamp" not in page


def test_a_hold_is_placed_by_one_and_released_by_two(
    shop: Shop, mira: Browser, second: Browser, clip: str
) -> None:
    grant = look(mira, clip)
    done = mira.post(f"/manage/evidence/{clip}/hold", reason="Police case 12", grant=grant)
    assert done.status_code == 303 and grant in done.location
    assert "held</b> until two people" in mira.get(f"/manage/evidence/{clip}").text
    hold = shop.read("SELECT id FROM hold")[0][0]
    address = f"/manage/evidence/{clip}/holds/{hold}"
    assert "Nobody has asked" in mira.post(f"{address}/release").text
    assert mira.post(f"{address}/ask", reason=" ").status_code == 400
    assert mira.post(f"{address}/ask", reason="The case is closed").status_code == 303
    assert "Another person must agree" in mira.get(f"/manage/evidence/{clip}").text
    own = mira.post(f"{address}/release")
    assert own.status_code == 409 and "another person must agree" in own.text
    assert "Agree to the release" in second.get(f"/manage/evidence/{clip}").text
    assert second.post(f"{address}/release").status_code == 303
    assert [action for action, _, _ in shop.custody()] == ["viewed", "held", "release_asked", "released"]
    assert "Released by Adam" in mira.get(f"/manage/evidence/{clip}").text
    assert second.post(f"{address}/release").status_code == 409


def test_what_is_not_there_is_not_found_and_what_was_deleted_is_not_shown(
    shop: Shop, mira: Browser, clip: str
) -> None:
    assert mira.get("/manage/evidence/nothing").status_code == 404
    mira.get(f"/manage/evidence/{clip}")
    assert mira.post("/manage/evidence/nothing/view", reason="Why not").status_code == 404
    assert mira.post(f"/manage/evidence/{clip}/holds/nothing/release").status_code == 404
    grant = look(mira, clip)
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE clip SET state = 'purged', purged_at = sealed_at"))
    assert video(mira, clip, grant).status_code == 409
    assert mira.post(f"/manage/evidence/{clip}/view", reason="Once more").status_code == 409
    assert mira.post(f"/manage/evidence/{clip}/hold", reason="Too late").status_code == 409
    assert "was deleted" in mira.get(f"/manage/evidence/{clip}").text


def test_a_clip_that_does_not_come_is_shown_as_not_arrived_and_found_so(
    shop: Shop, mira: Browser, alarm: str
) -> None:
    shot = shop.shot(alarm)
    told, _ = shop.write(lambda conn: footage.announce(conn, shot, shop.clock.now))
    assert "Waiting for it" in mira.get(f"/manage/evidence/{told}").text
    shop.clock.pass_(seconds=24 * 3600)
    mira.sign_in_at_desk("Mira")
    page = mira.get(f"/manage/evidence/{told}").text
    assert "Not arrived" in page and "is asked for it whenever it is connected" in page
    assert told in mira.get("/manage/evidence?state=not_arrived").text
    assert told not in mira.get("/manage/evidence?state=announced").text
    assert "Not arrived" in mira.get(f"/manage/log/{alarm}").text


def test_a_clip_that_its_card_lost_is_said_with_its_reason_and_cannot_be_held(
    shop: Shop, mira: Browser, alarm: str
) -> None:
    shot = shop.shot(alarm)
    told, _ = shop.write(lambda conn: footage.announce(conn, shot, shop.clock.now))
    shop.write(lambda conn: clips.set_lost(conn, STORE, told, clips.GONE, CLIP_LOST["full"], shop.clock.now))
    page = mira.get(f"/manage/evidence/{told}").text
    assert "Gone from the card" in page and "the card was full" in page and "Reason for the hold" not in page
    # What nobody will bring is not promised.
    assert "not yet" not in page and "not checked yet" not in page and "No entry yet" not in page
    story = mira.get(f"/manage/log/{alarm}").text
    assert "Gone from the card" in story and "the card was full" in story


def test_a_request_says_which_cameras_gave_no_pictures_and_not_to_those_who_may_not_see_it(
    shop: Shop, mira: Browser, alarm: str
) -> None:
    def ask(conn: sa.Connection) -> None:
        at = shop.clock.now
        captures.add(conn, STORE, alarm, alarm, ["till-1", "till-2"], at, at)
        captures.answer(conn, STORE, "till-2", [alarm], captures.LOST, "late", at)

    shop.write(ask)
    story = re.sub(r"<[^>]+>", "", mira.get(f"/manage/log/{alarm}").text)
    assert re.search(r"till-1 was asked for pictures at [0-9:]+ and has not answered yet\.", story)
    assert "till-2 has no pictures: it was asked after they had left the camera's memory" in story.replace(
        "&#39;", "'"
    )
    sofia = Browser(shop.app)
    sofia.sign_in_at_desk("Sofia")
    assert "asked for pictures" not in sofia.get(f"/manage/log/{alarm}").text
