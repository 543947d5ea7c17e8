"""The vault's door: what comes in whole and true is sealed once, whatever breaks on the way."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import manifest as manifests
from broker.errors import ContractError
from broker.events import new_id
from broker.signing import Signer
from edge.audit.store import Actor
from edge.db.evidence_tables import clip
from edge.db.store_tables import certificate, device
from edge.evidence import clips, files
from edge.handling import evidence, revoking
from edge.handling.telling import Telling
from edge.headers import bare
from edge.vault.arrivals import Peer
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import VIDEO, Door, Film, film, sealed_files


def test_a_whole_clip_is_sealed_read_only_under_its_hash_with_an_entry_of_custody(door: Door, one: Film):
    door.bring(one)
    answer = door.send(one, 0)
    assert (answer.status_code, answer.headers["Upload-Complete"]) == (204, "?1")
    clip = door.clip(one)
    assert (clip.state, clip.kept_as, clip.silent) == ("sealed", "security", True)
    assert clip.keep_until == START + timedelta(days=90)
    stored = door.folder / "sealed" / clip.sha256[:2] / clip.sha256
    assert stored.read_bytes() == VIDEO and stored.stat().st_mode & 0o777 == 0o444
    written = door.folder / "sealed" / clip.manifest_sha256[:2] / clip.manifest_sha256
    assert written.read_bytes() == one.written
    assert not list((door.folder / "quarantine").iterdir())
    assert door.rows("SELECT action, subject, actor FROM custody") == [("sealed", clip.id, "device kiosk-1")]


def test_an_upload_goes_on_where_it_broke_also_after_a_kill(door: Door, one: Film):
    door.bring(one)
    assert door.send(one, 0, 100_000).headers["Upload-Offset"] == "100000"
    door.restart()
    assert door.offset(one).headers["Upload-Offset"] == "100000"
    answer = door.send(one, 100_000, 200_001)
    assert (answer.headers["Upload-Offset"], "Upload-Complete" in answer.headers) == ("200001", False)
    assert door.send(one, 200_001).headers["Upload-Complete"] == "?1"
    assert door.clip(one).state == "sealed"


def test_a_piece_at_the_wrong_place_is_refused_with_the_right_one(door: Door, one: Film):
    door.bring(one)
    door.send(one, 0, 50_000)
    answer = door.send(one, 10_000, 60_000)
    assert answer.status_code == 409
    assert answer.text == "50000 bytes are here; go on from there, not from 10000.\n"
    assert door.send(one, 50_000).headers["Upload-Complete"] == "?1"


def test_the_same_clip_again_changes_nothing(door: Door, one: Film):
    door.bring(one)
    door.send(one, 0)
    before = door.clip(one), sorted(sealed_files(door)), door.rows("SELECT * FROM custody")
    assert door.manifest(one).headers["Upload-Complete"] == "?1"
    assert door.send(one, 0).headers["Upload-Complete"] == "?1"
    door.announce(one)
    assert (door.clip(one), sorted(sealed_files(door)), door.rows("SELECT * FROM custody")) == before


@pytest.mark.parametrize("fails", ["_move", "leave"])
def test_a_kill_while_it_is_sealed_ends_in_one_seal(
    door: Door, one: Film, fails: str, monkeypatch: pytest.MonkeyPatch
):
    """Between any two steps of sealing: the second step of the files, and after the commit."""
    door.bring(one)
    real, calls = getattr(files.VaultFiles, fails), []

    def dies(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == (2 if fails == "_move" else 1):
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(files.VaultFiles, fails, dies)
    with pytest.raises(KeyboardInterrupt):
        door.send(one, 0)
    monkeypatch.undo()
    door.restart()
    assert door.offset(one).headers["Upload-Complete"] == "?1"
    assert door.clip(one).state == "sealed" and len(sealed_files(door)) == 2
    assert door.rows("SELECT count(*) FROM custody") == [(1,)]
    assert not list((door.folder / "quarantine").iterdir())


@pytest.mark.parametrize("at", [0, 1, 150_000, 299_999])
def test_a_changed_byte_is_found_kept_aside_and_asked_for_again(door: Door, one: Film, at: int):
    door.bring(one)
    bent = VIDEO[:at] + bytes([VIDEO[at] ^ 1]) + VIDEO[at + 1 :]
    answer = door.send(Film(one.id, bent, one.written, one.told), 0)
    assert (answer.status_code, answer.text) == (422, "The video is not the one that the manifest names.\n")
    clip = door.clip(one)
    assert (clip.state, clip.trouble) == ("mismatched", "The video is not the one that the manifest names.")
    (aside,) = (door.folder / "quarantine").iterdir()
    assert aside.name == f"{one.id}.1.mismatched" and (aside / "video.part").read_bytes() == bent
    assert door.rows("SELECT action FROM custody") == [("mismatched",)]
    # Its ticket is spent; with a new one the true bytes are let in.
    assert door.send(one, 0).status_code == 404
    door.ticket(one)
    door.manifest(one)
    assert door.send(one, 0).headers["Upload-Complete"] == "?1"


def test_more_bytes_than_were_told_of_are_refused(door: Door, one: Film):
    door.bring(one)
    answer = door.send(Film(one.id, VIDEO + b"!", one.written, one.told), 0)
    assert (answer.status_code, answer.text) == (
        409,
        "The clip was told of with 300000 bytes; this is more.\n",
    )
    assert door.clip(one).state == "announced"


def test_a_manifest_that_is_not_the_one_told_of_is_refused_and_the_register_says_so(
    door: Door, one: Film, cause: UUID
):
    door.announce(one)
    door.ticket(one)
    assert door.send(one, 0).text == "The manifest comes first.\n"
    other = film(door.signer, VIDEO, cause)
    said = "The manifest is not the one that was told of."
    assert door.manifest(one, other.written).text == f"{said}\n"
    clip = door.clip(one)
    assert (clip.state, clip.trouble) == ("mismatched", said)
    assert door.manifest(one, b"").status_code == 404, "its ticket is over; another is sent"
    for written in (b"", b"x" * 2_000_000):
        door.ticket(one)
        assert door.manifest(one, written).status_code == 422


def test_a_signed_manifest_without_a_frame_seals_nothing(door: Door, one: Film):
    bare = msgspec.json.decode(one.written)
    bare["footage"]["frames"] = bare["footage"]["keys"] = []
    written = msgspec.json.encode(bare)
    empty = replace(one, written=written).with_content(
        manifest_sha256=sha256(written).hexdigest(), signature=door.signer.sign(manifests.to_sign(written))
    )
    door.announce(empty)
    door.ticket(empty)
    answer = door.manifest(empty)
    assert answer.status_code == 422 and "frames" in answer.text
    assert door.clip(empty).state == "mismatched" and sealed_files(door) == []


def test_a_signature_by_another_key_seals_nothing(door: Door, cause: UUID):
    stranger = film(Signer(Ed25519PrivateKey.generate()), VIDEO, cause)
    door.announce(stranger)
    door.ticket(stranger)
    answer = door.manifest(stranger)
    assert (answer.status_code, answer.text) == (
        422,
        "The manifest's signature is not that of the device's key.\n",
    )


def test_a_ticket_is_for_one_clip_one_device_and_ten_minutes(door: Door, one: Film, cause: UUID):
    other = film(door.signer, VIDEO + b"2", cause)
    door.bring(one)
    door.announce(other)
    door.tickets[other.id] = door.tickets[one.id]
    assert door.manifest(other).status_code == 404
    door.peer = Peer("till-1")
    assert door.offset(one).status_code == 404
    door.peer = None
    assert door.offset(one).status_code == 404
    door.peer = Peer("kiosk-1")
    assert door.offset(one).status_code == 204
    door.clock.forward(601)
    assert door.offset(one).status_code == 404


def test_a_revoked_device_brings_nothing_nor_does_a_revoked_certificate_of_one_that_is_back(
    door: Door, one: Film
):
    door.bring(one)
    with door.engine.begin() as conn:
        issued = {"sha256": "ab", "valid_from": door.clock(), "valid_until": door.clock()}
        for serial in ("aa", "bb"):
            row = {"store": STORE, "serial": serial, "device": "kiosk-1", **issued}
            conn.execute(sa.insert(certificate).values(**row))
        revoking.revoke(conn, STORE, Actor("Mira", "api"), "kiosk-1", "Stolen.", door.clock())
        conn.execute(sa.insert(certificate).values(store=STORE, serial="cc", device="kiosk-1", **issued))
    assert (door.send(one, 0).status_code, door.send(one, 0).text) == (
        403,
        "kiosk-1 is revoked; nothing of it is taken.\n",
    )
    with door.engine.begin() as conn:
        conn.execute(sa.update(device).where(device.c.name == "kiosk-1").values(revoked_at=None))
    door.peer = Peer("kiosk-1", "aa")
    assert door.send(one, 0).status_code == 403
    door.peer = Peer("kiosk-1", "cc")
    assert door.send(one, 0).status_code == 204


@pytest.mark.parametrize("path", ["/clip/../../etc/passwd", "/clip/1", "/clip/%2e%2e/manifest", "/"])
def test_a_path_that_names_no_clip_leads_nowhere(door: Door, path: str):
    assert door.client.patch(path, data=b"x").status_code in (404, 405)


def test_every_answer_of_the_vault_is_no_page_and_is_kept_by_nobody(door: Door, one: Film):
    door.bring(one)
    client, answers = door.client, [door.send(one, 0), door.offset(one)]
    for rule in client.application.url_map.iter_rules():
        path = rule.rule.replace("<uuid:clip_id>", str(one.id))
        answers += [client.open(path, method=method) for method in ("GET", "PUT", "PATCH", "DELETE")]
    assert {answer.status_code for answer in answers} == {204, 404, 405}
    for answer in answers:
        assert bare().items() <= dict(answer.headers).items()


@pytest.mark.parametrize("said", ["", "-1", "1e3", "٣", "9" * 40])
def test_an_offset_that_is_no_number_is_refused_in_a_sentence(door: Door, one: Film, said: str):
    door.bring(one)
    headers = {
        "Authorization": f"Bearer {door.tickets[one.id]}",
        "Upload-Offset": said.encode().decode("latin1"),
    }
    answer = door.client.patch(f"/clip/{one.id}", data=b"x", headers=headers)
    assert answer.status_code == 400 and "Upload-Offset is" in answer.text


def test_a_clip_told_of_twice_with_other_content_is_refused(door: Door, one: Film):
    door.announce(one)
    with pytest.raises(ContractError, match="told of before, with other content"):
        door.announce(one.with_content(manifest_sha256="0" * 64))


def test_a_clip_of_an_unknown_cause_is_kept_like_a_security_request_and_shown_like_a_silent_one(door: Door):
    lonely = film(door.signer, VIDEO, UUID(int=77))
    door.bring(lonely)
    door.send(lonely, 0)
    clip = door.clip(lonely)
    assert (clip.kept_as, clip.silent, clip.state) == ("security", True, "sealed")


def test_a_kill_between_the_last_byte_and_the_comparison_ends_in_a_seal_and_not_in_a_word(
    door: Door, one: Film, monkeypatch: pytest.MonkeyPatch
):
    """Whoever hears Upload-Complete may delete the clip."""

    def dies(*_: object) -> str:
        raise KeyboardInterrupt

    door.bring(one)
    monkeypatch.setattr(files.Growing, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        door.send(one, 0)
    monkeypatch.undo()
    door.restart()
    assert door.clip(one).state == "announced"
    assert door.offset(one).headers["Upload-Complete"] == "?1"
    assert door.clip(one).state == "sealed" and len(sealed_files(door)) == 2


def test_a_device_is_asked_for_security_first_then_the_newest_and_not_for_all_at_once(
    door: Door, cause: UUID
):
    many = [film(door.signer, b"%d" % n, new_id(n), new_id(1_800_000_000_000 + n)) for n in range(40)]
    early = film(door.signer, b"early", cause, new_id(1_700_000_000_000))
    for one in [early, *many]:
        door.announce(one)
    with door.engine.begin() as conn:
        conn.exec_driver_sql(f"UPDATE clip SET kept_as = 'routine' WHERE id != '{early.id}'")
        for number, one in enumerate(many):
            at = START + timedelta(minutes=number)
            conn.execute(sa.update(clip).where(clip.c.id == str(one.id)).values(started_at=at))
        conn.exec_driver_sql(f"UPDATE clip SET state = 'mismatched' WHERE id = '{many[39].id}'")
    wanted: list[str] = []
    with door.engine.begin() as conn:
        for _ in range(5):
            telling = Telling("shop")
            evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
            wanted += [msgspec.json.decode(m.payload)["clip"] for m in telling.messages]
    assert wanted == [str(one.id) for one in [early, *many[38:7:-1]]] and len(wanted) == clips.AT_ONCE
    with door.engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE clip SET sealed_at = started_at, state = 'sealed' WHERE kept_as = 'security'"
        )
        telling = Telling("shop")
        evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
    assert len(telling.messages) == 1 and str(many[7].id).encode() in telling.messages[0].payload


def test_no_device_is_sent_more_tickets_than_its_panel_can_tell_of_however_many_clips_come_meanwhile(
    door: Door, cause: UUID
):
    def told(number: int, began_s: int, kind: UUID) -> None:
        for n in range(number):
            one = film(door.signer, b"%d" % n, kind, new_id(1_800_000_000_000 + began_s * 1000 + n))
            door.announce(one)
            at = START + timedelta(seconds=began_s)
            with door.engine.begin() as conn:
                kept = {"kept_as": "security"} if kind == cause else {"kept_as": "routine"}
                conn.execute(sa.update(clip).where(clip.c.id == str(one.id)).values(started_at=at, **kept))

    def sent() -> int:
        telling = Telling("shop")
        with door.engine.begin() as conn:
            evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
        return len(telling.messages)

    numbers = []
    for turn in range(4):
        told(20, turn, new_id(5))
        numbers.append(sent())
    assert numbers == [20, 20, 0, 0]
    told(40, 9, cause)
    assert [sent(), sent(), sent()] == [20, 0, 0]
    assert sum(numbers) + 20 <= 64
    # With room again the newest are asked for.
    with door.engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE clip SET state = 'sealed', sealed_at = started_at WHERE id IN (SELECT clip FROM ticket)"
        )
    assert sent() == 20


def test_what_waits_is_asked_for_and_asked_for_again_when_its_ticket_is_over(door: Door, one: Film):
    door.announce(one)
    telling = Telling("shop")
    with door.engine.begin() as conn:
        evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
        evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
        assert len(telling.messages) == 1
        assert telling.messages[0].topic == "floorbell/v1/shop/kiosk-1/command"
        door.clock.forward(601)
        evidence.send_tickets(conn, telling, "shop", "https://vault:8444", door.clock())
    assert len(telling.messages) == 2 and b"https://vault:8444/clip/" in telling.messages[1].payload
