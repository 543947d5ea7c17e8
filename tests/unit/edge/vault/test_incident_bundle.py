"""The bundle of an incident: its file, what is done to it and named by two verifiers, and its papers."""

import json
import os
import zipfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from broker.messages import Heartbeat
from edge.audit.store import Actor
from edge.db.evidence_tables import export as exports_table
from edge.devices.store import save_heartbeat
from edge.errors import EdgeError, NotFound
from edge.evidence import bundle, certificate, clips, exports, incident_file, report
from edge.evidence.incident_file import IncidentFile
from edge.evidence.verify import Known, verify
from edge.handling import exporting, incidents, writing
from edge.handling.writing import Said
from edge.incidents.rules import Kind
from edge.incidents.store import steps
from tests.rig import printed, second_verifier
from tests.rig.footage import STORE_KEY
from tests.unit.edge.conftest import START, STORE, SmallStore
from tests.unit.edge.vault.conftest import Door, film
from tests.unit.edge.vault.test_bundle import Content, Exported, flip
from tests.unit.edge.vault.test_bundles import maker_of

REASON, FILE = "Police case 12", incident_file.NAME


@dataclass
class Case:
    """An incident of which one clip is sealed, one is told of and one is gone."""

    door: Door
    incident: str
    people: dict[str, str]

    def write(self, who: str, kind: Kind, words: str, **more: object) -> None:
        said = Said(kind, words, **more)  # type: ignore[arg-type]
        with self.door.engine.begin() as conn:
            writing.write(conn, STORE, self.incident, self.people[who], said, self.door.clock(), "desk")

    def ask(self, reason: str = REASON, *, silent: bool = True) -> str:
        now, mira = self.door.clock(), Actor("Mira", "desk", self.people["Mira"])
        files, late = self.door.app.extensions["vault"].files, now - timedelta(hours=24)
        with self.door.engine.begin() as conn:
            return exporting.ask_incident(
                conn,
                STORE,
                "Botiga",
                self.incident,
                mira,
                reason,
                now,
                late,
                files.has,
                silent=silent,
                currency="CHF",
            )

    def taken(self) -> Exported:
        """Asked for and made; with the keys and the head that the page says."""
        identity = self.ask()
        maker_of(self.door).make()
        with self.door.engine.connect() as conn:
            one = exports.find(conn, STORE, identity)
        assert one is not None and one.state == "ready", one
        path = self.door.app.extensions["vault"].files.exported(UUID(identity))
        return Exported(path, frozenset(one.keys), [], (one.head_size or 0, one.head_root or ""), self.door)


@pytest.fixture
def bare(door: Door, small_store: SmallStore, cause: UUID) -> Case:
    """An incident without a clip."""
    with door.engine.begin() as conn:
        incident = incidents.of_request(conn, STORE, str(cause), START)
    return Case(door, incident, small_store.people)


@pytest.fixture
def case(bare: Case, cause: UUID) -> Case:
    door = bare.door
    beat = Heartbeat(UUID(int=1), 5, clock_synced=True, at=START - timedelta(milliseconds=12))
    with door.engine.begin() as conn:
        save_heartbeat(conn, STORE, "kiosk-1", beat, START)
    one, waits, gone = (film(door.signer, os.urandom(20_000 + n), cause) for n in range(3))
    door.bring(one)
    door.send(one, 0)
    door.announce(waits)
    door.announce(gone)
    with door.engine.begin() as conn:
        clips.set_lost(conn, STORE, str(gone.id), clips.GONE, "It is no longer on the card.", START)
    bare.write("Igor", Kind.STATEMENT, "He had a red cap.", said_by="A shopper", happened_at=START)
    bare.write("Igor", Kind.STATEMENT, "The cap was blue.", corrects=1)
    bare.write("Sofia", Kind.PERSON, "About 30, limped", role="shopper")
    bare.write("Sofia", Kind.LOSS, "Two jackets", amount_cents=24_900)
    with door.engine.begin() as conn:
        sofia = bare.people["Sofia"]
        writing.identify(conn, STORE, bare.incident, sofia, 3, "J. Doe", "The police ask.", START, "desk")
        incidents.tick(conn, STORE, bare.incident, sofia, "police-called", True, START, "phone")
    return bare


def content_of(path: Path) -> Content:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def told(one: Exported) -> IncidentFile:
    return incident_file.decode(content_of(one.path)[FILE])


def test_the_file_tells_who_said_what_and_when_it_was_written_and_corrected(case: Case) -> None:
    file = told(case.taken())
    first, second, person, loss = file.entries
    assert (first.said_by, first.words, first.name, first.through) == (
        "A shopper", "He had a red cap.", "Igor", "desk",
    )  # fmt: skip
    assert first.happened_at == first.written_at == START
    assert (first.corrected_by, second.corrects, second.said_by) == (2, 1, "Igor")
    assert (person.role, person.identified, loss.amount_cents, file.lost_cents) == (
        "Shopper", True, 24_900, 24_900,
    )  # fmt: skip
    assert file.currency == "CHF"
    ticked = next(one for one in file.checks if one.check == "police-called")
    assert (ticked.words, ticked.name, ticked.at) == ("Police called", "Sofia", START)
    (request,) = file.requests
    assert (request.kind, request.silent, request.state) == ("security", True, "raised")
    assert file.timeline[-1].words == f"Mira exported it: “{REASON}”"


def test_who_somebody_is_does_not_leave_the_store_and_that_is_said(case: Case) -> None:
    one = case.taken()
    assert not any(b"J. Doe" in raw for raw in content_of(one.path).values())
    assert any(line.startswith("Who the people of entry 3 are") for line in told(one).left_out)


def test_each_clip_is_in_the_bundle_or_says_why_not(case: Case) -> None:
    one = case.taken()
    file = told(one)
    assert {clip.why_not for clip in file.clips} == {
        None,
        "The kiosk has told of it; it has not come to the store server yet.",
        "It is no longer on the card.",
    }
    (along,) = [clip for clip in file.clips if clip.included]
    assert bundle.video_of(along.clip) in content_of(one.path)
    with case.door.engine.connect() as conn:
        (export,) = exports.newest(conn, STORE, 9, silent=True)
    assert [line.partition(": ")[2] for line in export.left_out or []][:2] == [
        clip.why_not for clip in file.clips if clip.why_not
    ]


def test_the_clock_is_what_the_last_heartbeat_said_and_else_not_known(case: Case, cause: UUID) -> None:
    assert {(c.clock.synced, c.clock.behind_ms, c.clock.heard_at) for c in told(case.taken()).clips} == {
        (True, 12, START)
    }
    door = case.door
    with door.engine.begin() as conn:
        conn.execute(sa.text("UPDATE device SET heartbeat = NULL, heartbeat_at = NULL"))
    late = film(door.signer, os.urandom(10), cause)
    door.announce(late)
    (clock,) = [c.clock for c in told(case.taken()).clips if c.clip == late.id]
    assert (clock.synced, clock.behind_ms, clock.heard_at) == (None, None, None)


def test_an_incident_without_any_clip_is_evidence_too(bare: Case) -> None:
    bare.write("Igor", Kind.STATEMENT, "He shouted.")
    one = bare.taken()
    assert one.names(one.path) == {"ok"}
    assert told(one).clips == [] and set(content_of(one.path)) == {
        FILE, "custody.jsonl", "leaves.bin", "heads.json", "report.pdf", "certificate.pdf", "bundle.json",
    }  # fmt: skip


def test_what_is_longer_than_a_page_is_printed_over_several(
    bare: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A form sends as many lines as its writer likes, and the widest letters."""
    printed.without_fonts(monkeypatch)
    bare.write("Igor", Kind.STATEMENT, "He shouted.\n" * 300, said_by="W" * 60)
    bare.write("Sofia", Kind.ACTION, "W" * 4000)
    identity = bare.ask("First line\n" + "x\n" * 200 + "Last line")
    maker_of(bare.door).make()
    with bare.door.engine.connect() as conn:
        one = exports.find(conn, STORE, identity)
    assert one is not None and (one.state, one.trouble) == ("ready", None)
    content = content_of(bare.door.app.extensions["vault"].files.exported(UUID(identity)))
    for name in (report.NAME, certificate.NAME):
        words = printed.words_of(content[name])
        assert "First line" in words and "Last line" in words


def test_an_export_whose_papers_fail_says_so_and_the_next_one_is_made(
    bare: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bare.ask()
    with monkeypatch.context() as patch:
        patch.setattr(report, "report", lambda told: 1 / 0)
        maker_of(bare.door).make()
    second = bare.ask()
    maker_of(bare.door).make()
    with bare.door.engine.connect() as conn:
        broken, made = (exports.find(conn, STORE, one) for one in (first, second))
    assert broken is not None and made is not None
    assert (broken.state, broken.trouble) == (
        "failed",
        "It failed by a fault of the program; the log has it.",
    )
    assert made.state == "ready"


def test_a_true_bundle_of_an_incident_is_ok_for_both(case: Case) -> None:
    one = case.taken()
    assert one.names(one.path) == {"ok"}
    (finding,) = verify(one.path, Known(one.keys, [one.head]))
    assert "but for 2 files for reading" in finding.sentence


@pytest.mark.parametrize("relist", [False, True])
@pytest.mark.parametrize("at", [0, 30, 500, 2000, -3])
def test_a_changed_byte_of_the_incident_file_is_altered_and_named(case: Case, at: int, relist: bool) -> None:
    one = case.taken()
    path = one.forged(flip(FILE, at), relist=relist)
    assert one.names(path) == {"altered"}
    assert FILE in {finding.subject for finding in verify(path, Known(one.keys, [one.head]))}


def test_a_statement_in_other_words_is_altered(case: Case) -> None:
    one = case.taken()

    def reword(content: Content) -> None:
        content[FILE] = content[FILE].replace(b"a red cap", b"a hat on")

    assert one.names(one.forged(reword, relist=True)) == {"altered"}


@pytest.mark.parametrize("relist", [False, True])
def test_an_incident_file_that_is_taken_away_is_removed(case: Case, relist: bool) -> None:
    one = case.taken()
    assert one.names(one.forged(lambda content: content.pop(FILE) and None, relist=relist)) == {"removed"}


def test_the_incident_file_of_another_export_is_replaced(case: Case) -> None:
    early, late = case.taken(), case.taken()
    other = content_of(early.path)[FILE]
    path = late.forged(lambda content: content.update({FILE: other}), relist=True)
    assert late.names(path) == {"replaced"}


def test_an_incident_file_in_an_export_that_has_none_is_altered(case: Case, cause: UUID) -> None:
    door, other = case.door, content_of(case.taken().path)[FILE]
    with door.engine.begin() as conn:
        sealed = conn.execute(sa.text("SELECT id FROM clip WHERE state = 'sealed'")).scalar_one()
        mira = Actor("Mira", "desk")
        made = exporting.ask(conn, STORE, [sealed], mira, REASON, START, silent=True)
    maker_of(door).make()
    with door.engine.connect() as conn:
        found = exports.find(conn, STORE, made)
    assert found is not None and found.incident is None
    path = door.app.extensions["vault"].files.exported(UUID(made))
    one = Exported(path, frozenset(found.keys), [], (found.head_size or 0, found.head_root or ""), door)
    assert one.names(one.path) == {"ok"}
    assert one.names(one.forged(lambda content: content.update({FILE: other}), relist=True)) == {"altered"}


def test_a_clip_that_the_incident_file_has_and_the_bundle_has_not_is_removed(case: Case) -> None:
    one = case.taken()

    def drop(content: Content) -> None:
        listing = json.loads(content[bundle.LISTED_BY])
        (clip,) = listing["clips"]
        listing["clips"] = []
        content[bundle.LISTED_BY] = json.dumps(listing).encode()
        for name in [name for name in content if clip["clip"] in name]:
            del content[name]
        kept = [raw for raw in content[bundle.CUSTODY].splitlines() if clip["clip"].encode() not in raw]
        content[bundle.CUSTODY] = b"\n".join(kept)

    assert one.names(one.forged(drop, relist=True)) == {"removed"}


def test_a_file_whose_entry_no_outer_head_has_is_unanchored(case: Case) -> None:
    """Whoever has the store's key could have written it since."""
    one = case.taken()
    head = json.loads(content_of(one.path)["heads.json"])["head"]
    assert head["size"] == one.head[0]
    assert one.names(one.path, known=False) == {"unanchored"}
    first = second_verifier.root([content_of(one.path)["leaves.bin"][:32]])
    assert replace(one, head=(1, first.hex())).names(one.path) == {"unanchored"}


def test_what_was_said_is_not_kept_beside_the_bundle(case: Case) -> None:
    identity = case.ask()
    query = sa.select(exports_table.c.incident_file).where(exports_table.c.id == identity)
    with case.door.engine.connect() as conn:
        asked = conn.execute(query).scalar()
    case.write("Igor", Kind.STATEMENT, "Written after it was asked for.")
    maker_of(case.door).make()
    with case.door.engine.connect() as conn:
        assert conn.execute(query).scalar() is None
    path = case.door.app.extensions["vault"].files.exported(UUID(identity))
    assert content_of(path)[FILE] == asked and b"Written after" not in asked


def test_a_clip_whose_file_the_vault_lost_is_named_and_the_rest_goes(case: Case) -> None:
    files = case.door.app.extensions["vault"].files
    with case.door.engine.connect() as conn:
        files.delete(conn.execute(sa.text("SELECT sha256 FROM clip WHERE state = 'sealed'")).scalar_one())
    one = case.taken()
    assert one.names(one.path) == {"ok"}
    assert "It was sealed, and its file is no longer in the vault." in {c.why_not for c in told(one).clips}


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_reason_nothing_is_taken_out_nor_written_down(case: Case, reason: str) -> None:
    written = "SELECT (SELECT count(*) FROM custody), (SELECT count(*) FROM incident_step)"
    before = case.door.rows(written)
    with pytest.raises(EdgeError, match="1 to 500"):
        case.ask(reason)
    assert case.door.rows(written) == before


def test_a_silent_incident_is_not_there_for_whoever_may_not_know(case: Case) -> None:
    with pytest.raises(NotFound):
        case.ask(silent=False)
    with case.door.engine.connect() as conn:
        assert all(step.what != "exported" for step in steps(conn, case.incident))


@pytest.mark.parametrize("fonts", [True, False])
def test_the_report_tells_the_whole_incident(
    case: Case, monkeypatch: pytest.MonkeyPatch, fonts: bool
) -> None:
    if not fonts:
        printed.without_fonts(monkeypatch)
    content = content_of(case.taken().path)
    assert content[report.NAME].startswith(b"%PDF-")
    if fonts:
        return
    text = printed.words_of(content[report.NAME])
    for words in (
        "Incident 2026-0001: Threat", "By Mira", f"Reason {REASON}",
        "1 in this bundle; 2 named below that are not",
        "What is not in it", "Who the people of entry 3 are", "How to check it", f"--key {STORE_KEY.key}",
        "1. A shopper said He had a red cap. Written by Igor", "Corrected by entry 2.", "249.00",
        "Police called Sofia", "Mira exported it:", "Security request ABC-DEF", "raised",
        "followed a time server at the first picture", "it was 12 ms behind the store server's",
        "It is no longer on the card.", "Page 1 of",
    ):  # fmt: skip
        assert words in text, words
    assert second_verifier.sha(content[FILE]) in text.replace(" ", "")


def test_the_certificate_is_a_draft_with_the_facts_of_the_bundle_and_blanks(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed.without_fonts(monkeypatch)
    content = content_of(case.taken().path)
    text = printed.words_of(content[certificate.NAME])
    assert text.startswith("DRAFT. Not legal advice.") and "completed by the responsible person" in text
    for words in ("902(11)", "902(13)", "902(14)", "SHA-256 (FIPS 180-4)", "Name", "Capacity", "Signature"):
        assert words in text, words
    together = text.replace(" ", "")
    listing = json.loads(content[bundle.LISTED_BY])
    for name, file in listing["files"].items():
        proves = "derived" not in file and not name.endswith(".pdf")
        assert (file["sha256"] in together) is proves, name


def test_the_document_names_every_field_of_the_file() -> None:
    said = Path(bundle.__file__).with_name("bundle.md").read_text()
    records = (
        "IncidentFile", "Entry", "Step", "Check", "Asked", "Page", "Request", "Clip", "Camera", "Clock",
    )  # fmt: skip
    for record in records:
        for field in getattr(incident_file, record).__struct_fields__:
            assert f"`{field}`" in said, f"{record}.{field}"


def test_the_file_is_the_same_bytes_for_the_same_record(case: Case) -> None:
    raw = content_of(case.taken().path)[FILE]
    assert incident_file.encode(incident_file.decode(raw)) == raw and raw.startswith(b'{\n  "format"')
