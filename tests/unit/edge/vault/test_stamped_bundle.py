"""A bundle with a time stamp: what `--stamp-ca` checks, what it names, and when a stamp is an anchor."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from broker.witness import head_to_sign
from deploy.cli import main
from edge.evidence import bundle, export, heads, report, stamp, stamps
from edge.evidence.bundle import Anchors
from edge.evidence.findings import Known
from edge.evidence.reporting import reported
from edge.evidence.verify import examine
from tests.rig import printed, second_verifier
from tests.rig.authority import Issuer
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.test_bundle import (  # noqa: F401 (a fixture)
    Content,
    Exported,
    exported,
    flip,
)

Found = tuple[set[str], str | None]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    made = Issuer(tmp_path_factory.mktemp("ca"))
    made.issue("expired", "Test Time of last year", until_days=-1)
    return made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("other-ca"), "Another CA")


def replied(issuer: Issuer, message: bytes, signer: str = "signer") -> bytes:
    return issuer.reply(stamp.request(message).body, signer)


@pytest.fixture
def stamped(exported: Exported, issuer: Issuer) -> Exported:  # noqa: F811
    """The bundle with a stamp on the head that the kiosk holds, which all clips were sealed under."""
    size = exported.head[0]
    with zipfile.ZipFile(exported.path) as archive:
        identity = UUID(json.loads(archive.read(bundle.LISTED_BY))["export"])
    with exported.door.engine.begin() as conn:
        head = heads.at_size(conn, STORE, size)
        assert head is not None
        reply = replied(issuer, head_to_sign(STORE, head.log, size, head.root, head.at_ms))
        at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
        stamps.keep(conn, STORE, size, reply, stamp.Stamp(at, "Test Time"), START)
        files, path = exported.door.app.extensions["vault"].files, exported.path.with_name("stamped.zip")
        export.write(path, conn, STORE, files, exported.clips, identity, START)
    return replace(exported, path=path)


def found(one: Exported, path: Path, ca: Path | None, *, known: bool = True) -> Found:
    """What is found, and the sentence on the stamp. Without a CA the second verifier must find the same."""
    roots = None if ca is None else stamp.authority(ca.read_bytes(), str(ca))
    seen = examine(path, Known(one.keys, [one.head] if known else [], roots))
    names = {str(finding.verdict) for finding in seen.findings}
    if roots is None:
        assert names == second_verifier.verify(path, one.keys, [one.head] if known else [])
    return names, seen.stamp


def without_witnesses(content: Content) -> None:
    anchors = json.loads(content[bundle.HEADS])
    anchors["witnesses"] = []
    content[bundle.HEADS] = json.dumps(anchors).encode()


def both(one: Callable[[Content], None], other: Callable[[Content], None]) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        one(content)
        other(content)

    return change


def with_stamp(message: bytes, reply: bytes) -> Callable[[Content], None]:
    return lambda content: content.update({bundle.STAMPED: message, bundle.STAMP: reply})


def message_of(one: Exported) -> bytes:
    with zipfile.ZipFile(one.path) as archive:
        return archive.read(bundle.STAMPED)


def test_a_stamp_that_holds_says_when_and_by_whom_what_was_there(stamped: Exported, issuer: Issuer) -> None:
    names, said = found(stamped, stamped.path, issuer.ca)
    assert names == {"ok"} and said is not None
    assert said.startswith("Stamped at 20") and "UTC by Test Time: the log's first 4 entries of 5" in said


def test_without_its_authority_a_stamp_is_not_checked_and_that_is_said(stamped: Exported) -> None:
    names, said = found(stamped, stamped.path, None)
    assert names == {"ok"} and said is not None and "it was not checked" in said


def test_the_report_says_when_and_by_whom(stamped: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    printed.without_fonts(monkeypatch)
    files = stamped.door.app.extensions["vault"].files
    with stamped.door.engine.begin() as conn:
        head = heads.newest(conn, STORE)
        assert head is not None
        anchors, made = Anchors(head, []), UUID(int=1)
        papers = reported(conn, STORE, "Shop", files, stamped.clips, {}, made, START, None, anchors, {})
    text = printed.words_of(papers[report.NAME])
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC).astimezone()
    assert "the log's head of 4 entries" in text and "If the stamp holds" in text
    assert f"Stamped {at:%Y-%m-%d %H:%M:%S %z}" in text and "By Test Time" in text
    assert "--stamp-ca CA.pem" in text


def test_openssl_alone_checks_the_two_files(stamped: Exported, issuer: Issuer, tmp_path: Path) -> None:
    with zipfile.ZipFile(stamped.path) as archive:
        archive.extractall(tmp_path, [bundle.STAMPED, bundle.STAMP])
    words = ["-data", bundle.STAMPED, "-in", bundle.STAMP, "-CAfile", str(issuer.ca)]
    done = subprocess.run(["openssl", "ts", "-verify", *words], cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout


def test_a_bundle_without_a_stamp_says_so_only_where_one_is_looked_for(
    exported: Exported,  # noqa: F811
    issuer: Issuer,
) -> None:
    assert found(exported, exported.path, issuer.ca) == ({"ok"}, "The bundle has none.")
    assert found(exported, exported.path, None) == ({"ok"}, None)


def test_a_stamp_anchors_a_log_that_nobody_witnessed(stamped: Exported, issuer: Issuer) -> None:
    alone = stamped.forged(without_witnesses, relist=True)
    assert found(stamped, alone, None, known=False)[0] == {"unanchored"}
    assert found(stamped, alone, issuer.ca, known=False)[0] == {"ok"}
    (finding,) = examine(
        alone, Known(stamped.keys, [], stamp.authority(issuer.ca.read_bytes(), "ca"))
    ).findings
    assert "signed, sealed and stamped" in finding.sentence


def test_a_stamp_from_before_a_clip_was_sealed_anchors_nothing(stamped: Exported, issuer: Issuer) -> None:
    with zipfile.ZipFile(stamped.path) as archive:
        leaves, head = archive.read(bundle.LEAVES), json.loads(archive.read(bundle.HEADS))["head"]
    early = head_to_sign(STORE, UUID(head["log"]), 1, leaves[:32].hex(), head["at_ms"])

    change = both(without_witnesses, with_stamp(early, replied(issuer, early)))
    names, said = found(stamped, stamped.forged(change, relist=True), issuer.ca, known=False)
    assert names == {"unanchored"}
    assert said is not None and said.endswith(f"not covered by it: {stamped.clips[1].id}.")


def test_each_stamp_that_does_not_fit_is_named(stamped: Exported, issuer: Issuer, stranger: Issuer) -> None:
    message = message_of(stamped)
    with zipfile.ZipFile(stamped.path) as archive:
        head = json.loads(archive.read(bundle.HEADS))["head"]
    log, at_ms = UUID(head["log"]), head["at_ms"]
    other_log = head_to_sign(STORE, UUID(int=7), 4, head["root"], at_ms)
    rewritten = head_to_sign(STORE, log, 4, "0" * 64, at_ms)
    longer = head_to_sign(STORE, log, 99, "0" * 64, at_ms)
    cases: list[tuple[Callable[[Content], None], set[str]]] = [
        (with_stamp(message, replied(issuer, b"something else")), {"replaced"}),
        (with_stamp(message, replied(stranger, message)), {"unknown key"}),
        (with_stamp(message, replied(issuer, message, "expired")), {"unknown key"}),
        (with_stamp(message, b"rubbish"), {"altered"}),
        (with_stamp(message, b""), {"altered"}),
        (flip(bundle.STAMP, -20), {"altered"}),
        (flip(bundle.STAMPED, 30), {"replaced"}),
        (with_stamp(other_log, replied(issuer, other_log)), {"replaced"}),
        (with_stamp(b"words", replied(issuer, b"words")), {"replaced"}),
        (with_stamp(rewritten, replied(issuer, rewritten)), {"altered"}),
        (with_stamp(longer, replied(issuer, longer)), {"removed"}),
        (lambda content: content.pop(bundle.STAMP) and None, {"removed"}),
        (lambda content: content.pop(bundle.STAMPED) and None, {"removed"}),
    ]
    for n, (change, expected) in enumerate(cases):
        path = stamped.forged(change, relist=True)
        assert (n, found(stamped, path, issuer.ca)) == (n, (expected, None))
        # Without the authority's CA it is two files for reading.
        assert (n, found(stamped, path, None)[0]) == (n, {"ok"})
        # A stamp that fails anchors nothing.
        path = stamped.forged(both(change, without_witnesses), relist=True)
        assert (n, found(stamped, path, issuer.ca, known=False)[0]) == (n, expected | {"unanchored"})


def test_no_single_changed_byte_of_a_stamp_makes_it_say_something_else(
    stamped: Exported, issuer: Issuer
) -> None:
    """What is outside of what is signed may change; what the stamp says may not."""
    message = message_of(stamped)
    with zipfile.ZipFile(stamped.path) as archive:
        reply = archive.read(bundle.STAMP)
    roots = stamp.authority(issuer.ca.read_bytes(), "ca")
    true, other = stamp.check(reply, message, roots), 0
    for at in range(len(reply)):
        changed = reply[:at] + bytes([reply[at] ^ (1 << at % 8)]) + reply[at + 1 :]
        try:
            assert stamp.check(changed, message, roots) == true
        except stamp.BadStamp:
            other += 1
    assert other > 0.9 * len(reply)


def test_the_command_says_it_in_one_line_and_names_a_file_that_is_no_ca(
    stamped: Exported, issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [word for key in stamped.keys for word in ("--key", key)]
    words = ["evidence", "verify", str(stamped.path), *keys, "--head", f"{stamped.head[0]}:{stamped.head[1]}"]
    assert main([*words, "--stamp-ca", str(issuer.ca)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok: ") and lines[1].startswith("stamp: Stamped at ")
    assert main(words) == 0
    assert "stamp: The bundle has one; it was not checked" in capsys.readouterr().out
    assert main([*words, "--stamp-ca", str(tmp_path / "none.pem")]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'none.pem'} cannot be read: No such file or directory.\n"
    (tmp_path / "words.pem").write_text("words")
    assert main([*words, "--stamp-ca", str(tmp_path / "words.pem")]) == 1
    assert "words.pem holds no certificate; it is the authority's CA, in PEM" in capsys.readouterr().err
