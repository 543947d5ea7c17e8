"""An export bundle, and everything that somebody could do to it: two verifiers name each deed alike."""

import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import tree
from broker.signing import Signer
from broker.witness import HeadKept, head_to_sign, kept_to_sign
from edge.audit.store import Actor
from edge.errors import EdgeError
from edge.evidence import bundle, custody, export, heads
from edge.evidence.clips import Clip
from edge.evidence.copies import Copy, Still
from edge.evidence.findings import Known, NoBundle
from edge.evidence.verify import verify
from edge.handling import keeping, revoking
from tests.rig import second_verifier
from tests.unit.edge.conftest import START, STORE
from tests.unit.edge.vault.conftest import Door, film

STORE_KEY = Signer(Ed25519PrivateKey.generate())
Content = dict[str, bytes]


@dataclass
class Exported:
    """A bundle of two clips, the keys to check it with, and the clips in the order that they were sealed."""

    path: Path
    keys: frozenset[str]
    clips: list[Clip]
    head: tuple[int, str]
    door: Door

    def forged(self, change: Callable[[Content], None], *, relist: bool = False) -> Path:
        """A copy with changed files; `relist` also writes the list anew, as a forger would."""
        with zipfile.ZipFile(self.path) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        change(content)
        if relist:
            listing = json.loads(content[bundle.LISTED_BY])
            listing["files"] = {
                name: {"sha256": second_verifier.sha(raw), "bytes": len(raw)}
                for name, raw in content.items()
                if name != bundle.LISTED_BY
            }
            content[bundle.LISTED_BY] = json.dumps(listing).encode()
        path = self.path.with_name(f"{uuid4()}.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in content.items():
                archive.writestr(name, raw)
        return path

    def names(self, path: Path, keys: frozenset[str] | None = None, known: bool = True) -> set[str]:
        """What both verifiers find; they must agree."""
        trusted, known_heads = self.keys if keys is None else keys, [self.head] if known else []
        first = {str(f.verdict) for f in verify(path, Known(trusted, known_heads))}
        assert first == second_verifier.verify(path, trusted, known_heads)
        return first


@pytest.fixture
def exported(door: Door, cause: UUID, tmp_path: Path) -> Exported:
    clips = []
    for n in range(2):
        one = film(door.signer, os.urandom(50_000 + n), cause)
        door.bring(one)
        assert door.send(one, 0).headers["Upload-Complete"] == "?1"
        clips.append(door.clip(one))
    identity = uuid4()
    with door.engine.begin() as conn:
        for clip in clips:
            custody.append(conn, STORE, "viewed", clip.id, clip.manifest_sha256, "Mira", "Police.", START)
        early = heads.sign_newest(conn, STORE, STORE_KEY, START)
        assert early is not None
        said = kept_to_sign(STORE, "kiosk-1", early.log, early.size, early.root, 9)
        kept = HeadKept(early.log, early.size, early.root, 9, door.signer.sign(said))
        heads.keep(conn, STORE, "kiosk-1", kept, door.signer.key, START)
        custody.append(conn, STORE, "exported", str(identity), "", "Mira", "For the court.", START)
        head = heads.sign_newest(conn, STORE, STORE_KEY, START)
        assert head is not None
        path = tmp_path / "bundle.zip"
        files = door.app.extensions["vault"].files
        extra = {"report.txt": b"For reading."}
        copied = {clips[0].id: copy_in(tmp_path)}
        export.write(path, conn, STORE, files, clips, identity, START, lambda *_: extra, copied)
    keys = frozenset({door.signer.key, STORE_KEY.key})
    return Exported(path, keys, clips, (early.size, early.root), door)


def copy_in(folder: Path) -> Copy:
    working, still = folder / "working.mp4", folder / "01.jpg"
    working.write_bytes(b"To look at.")
    still.write_bytes(b"A picture.")
    return Copy(working, [Still(still, START, True)], None, "a test", START)


def flip(name: str, at: int) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        raw = content[name]
        at_ = at % len(raw)
        content[name] = raw[:at_] + bytes([raw[at_] ^ 1]) + raw[at_ + 1 :]

    return change


def test_a_true_bundle_is_ok_for_both(exported: Exported):
    assert exported.names(exported.path) == {"ok"}
    assert exported.names(exported.path, known=False) == {"ok"}


@pytest.mark.parametrize("relist", [False, True])
@pytest.mark.parametrize("at", [0, 1, 17, 4095, 25_000, -1])
def test_a_flipped_byte_of_a_video_is_altered(exported: Exported, at: int, relist: bool):
    name = bundle.video_of(UUID(exported.clips[0].id))
    assert exported.names(exported.forged(flip(name, at), relist=relist)) == {"altered"}


@pytest.mark.parametrize("at", [0, 20, 100, 300, -2])
def test_a_flipped_byte_of_a_manifest_is_altered(exported: Exported, at: int):
    name = bundle.manifest_of(UUID(exported.clips[0].id))
    assert exported.names(exported.forged(flip(name, at), relist=True)) == {"altered"}


@pytest.mark.parametrize("relist", [False, True])
def test_a_shortened_video_is_truncated(exported: Exported, relist: bool):
    name = bundle.video_of(UUID(exported.clips[0].id))

    def cut(content: Content) -> None:
        content[name] = content[name][:-100]

    assert exported.names(exported.forged(cut, relist=relist)) == {"truncated"}


def test_a_missing_video_is_removed(exported: Exported):
    name = bundle.video_of(UUID(exported.clips[1].id))
    assert exported.names(exported.forged(lambda content: content.pop(name) and None, relist=True)) == {
        "removed"
    }
    assert exported.names(exported.forged(lambda content: content.pop(name) and None)) == {"removed"}


def test_two_swapped_videos_are_replaced(exported: Exported):
    one, other = (bundle.video_of(UUID(clip.id)) for clip in exported.clips)

    def swap(content: Content) -> None:
        content[one], content[other] = content[other], content[one]

    # The first has one byte more than the other's, which looks cut; it is another clip's all the same.
    assert "replaced" in exported.names(exported.forged(swap, relist=True))


def test_two_swapped_clips_are_replaced(exported: Exported):
    """Video and manifest both, with the signatures that belong to them."""
    one, other = exported.clips

    def swap(content: Content) -> None:
        for name in (bundle.video_of, bundle.manifest_of):
            here, there = name(UUID(one.id)), name(UUID(other.id))
            content[here], content[there] = content[there], content[here]
        listing = json.loads(content[bundle.LISTED_BY])
        first, second = listing["clips"]
        first["signature"], second["signature"] = second["signature"], first["signature"]
        content[bundle.LISTED_BY] = json.dumps(listing).encode()

    assert exported.names(exported.forged(swap, relist=True)) == {"replaced"}


def test_each_derived_file_is_listed_as_proving_nothing_with_its_source(exported: Exported):
    clip = UUID(exported.clips[0].id)
    with zipfile.ZipFile(exported.path) as archive:
        listing = json.loads(archive.read(bundle.LISTED_BY))
    made = {"source": bundle.video_of(clip), "made_at_ms": int(START.timestamp() * 1000), "by": "a test"}
    listed = {name: file["derived"] for name, file in listing["files"].items() if "derived" in file}
    assert listed == {
        bundle.working_of(clip): made,
        bundle.thumbnail_of(clip, "01.jpg"): made | {"shows_ms": made["made_at_ms"], "trigger": True},
    }
    (finding,) = verify(exported.path, Known(exported.keys))
    assert finding.sentence.endswith("but for 3 files for reading, which prove nothing.")


@pytest.mark.parametrize("kind", ["working.mp4", "thumbnails/01.jpg"])
def test_what_is_done_to_a_derived_file_is_named(exported: Exported, kind: str):
    name = f"clips/{exported.clips[0].id}/{kind}"
    assert exported.names(exported.forged(flip(name, 3))) == {"altered"}
    assert exported.names(exported.forged(lambda content: content.pop(name) and None)) == {"removed"}
    more = f"clips/{exported.clips[1].id}/{kind}"
    path = exported.forged(lambda content: content.update({more: b"x"}))
    assert exported.names(path) == {"altered"}
    assert more in {finding.subject for finding in verify(path, Known(exported.keys))}


def test_a_file_more_is_altered(exported: Exported):
    assert exported.names(exported.forged(lambda content: content.update(more=b"x"))) == {"altered"}


def test_reordered_entries_of_custody_are_reordered(exported: Exported):
    def turn(content: Content) -> None:
        content[bundle.CUSTODY] = b"\n".join(content[bundle.CUSTODY].splitlines()[::-1])

    assert "reordered" in exported.names(exported.forged(turn, relist=True))


def test_a_dropped_sealing_is_removed_and_a_changed_word_is_altered(exported: Exported):
    def drop(content: Content) -> None:
        content[bundle.CUSTODY] = b"\n".join(content[bundle.CUSTODY].splitlines()[1:])

    def reword(content: Content) -> None:
        content[bundle.CUSTODY] = content[bundle.CUSTODY].replace(b"Police.", b"Nobody.")

    def erase(content: Content) -> None:
        lines = [json.loads(raw) for raw in content[bundle.CUSTODY].splitlines()]
        for line in lines:
            line["actor"] = line["actor_salt"] = None
        content[bundle.CUSTODY] = b"\n".join(json.dumps(line).encode() for line in lines)

    assert exported.names(exported.forged(drop, relist=True)) == {"removed"}
    assert exported.names(exported.forged(reword, relist=True)) == {"altered"}
    # A name that was erased by law is not a change of the log.
    assert exported.names(exported.forged(erase, relist=True)) == {"ok"}


def test_a_bundle_made_after_a_name_was_erased_verifies_and_has_it_nowhere(
    exported: Exported, tmp_path: Path
):
    later, identity = tmp_path / "later.zip", uuid4()
    with exported.door.engine.begin() as conn:
        keeping.erase_name(conn, STORE, "Mira", Actor("Dana", "command"), "By law.", START)
        custody.append(conn, STORE, "exported", str(identity), "", "Dana", "For the court.", START)
        assert heads.sign_newest(conn, STORE, STORE_KEY, START) is not None
        files = exported.door.app.extensions["vault"].files
        export.write(later, conn, STORE, files, exported.clips, identity, START, lambda *_: {}, {})
    assert exported.names(later) == {"ok"}
    with zipfile.ZipFile(later) as archive:
        assert not [name for name in archive.namelist() if b"Mira" in archive.read(name)]


def rewritten(content: Content, signer: Signer, drop: int) -> None:
    """The log anew, as whoever holds the server could write it: entries dropped, a head over the rest."""
    anchors = json.loads(content[bundle.HEADS])
    head = anchors["head"]
    kept = [
        raw for raw in content[bundle.CUSTODY].splitlines() if json.loads(raw)["index"] < head["size"] - drop
    ]
    content[bundle.CUSTODY] = b"\n".join(kept)
    content[bundle.LEAVES] = content[bundle.LEAVES][: -32 * drop]
    size = head["size"] - drop
    raw = content[bundle.LEAVES]
    root = tree.root(tree.over([raw[at : at + 32] for at in range(0, len(raw), 32)]), size).hex()
    signed = head_to_sign(head["store"], UUID(head["log"]), size, root, head["at_ms"])
    head.update(size=size, root=root, key=signer.key, signature=signer.sign(signed))
    content[bundle.HEADS] = json.dumps(anchors).encode()


def test_a_log_that_was_rolled_back_behind_a_witness_is_removed(exported: Exported):
    path = exported.forged(lambda content: rewritten(content, STORE_KEY, 2), relist=True)
    assert "removed" in exported.names(path)


def test_a_log_rewritten_with_another_key_is_an_unknown_key(exported: Exported):
    forger = Signer(Ed25519PrivateKey.generate())
    path = exported.forged(lambda content: rewritten(content, forger, 1), relist=True)
    assert "unknown key" in exported.names(path)


def test_a_log_that_nobody_witnessed_is_unanchored(exported: Exported):
    def alone(content: Content) -> None:
        anchors = json.loads(content[bundle.HEADS])
        anchors["witnesses"] = []
        content[bundle.HEADS] = json.dumps(anchors).encode()

    path = exported.forged(alone, relist=True)
    assert exported.names(path, known=False) == {"unanchored"}
    assert exported.names(path) == {"ok"}


def test_a_changed_leaf_is_altered(exported: Exported):
    assert "altered" in exported.names(exported.forged(flip(bundle.LEAVES, 40), relist=True))


def test_keys_that_were_not_given_are_unknown(exported: Exported):
    assert exported.names(exported.path, frozenset(), known=False) == {"unknown key", "unanchored"}
    assert exported.names(exported.path, frozenset({STORE_KEY.key})) == {"unknown key"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip", b"\x00" * 5000])
def test_what_is_no_bundle_is_refused_in_a_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "other.zip"
    path.write_bytes(content)
    with pytest.raises(NoBundle, match="cannot be read as a bundle"):
        verify(path, Known(frozenset()))


def test_an_empty_archive_is_refused_in_a_sentence(tmp_path: Path):
    path = tmp_path / "empty.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(NoBundle, match=r"bundle\.json is not in it"):
        verify(path, Known(frozenset()))


def contents(path: Path) -> Content | None:
    """None where the archive's own checks fail."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        return None


def test_a_damaged_archive_is_ok_only_where_no_file_in_it_has_changed(exported: Exported, tmp_path: Path):
    raw, before = exported.path.read_bytes(), contents(exported.path)
    refused = 0
    for at in range(0, len(raw), max(1, len(raw) // 150)):
        path = tmp_path / "bent.zip"
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :])
        try:
            found = {str(finding.verdict) for finding in verify(path, Known(exported.keys))}
        except NoBundle:
            found = {"no bundle"}
        refused += found != {"ok"}
        assert found != {"ok"} or contents(path) == before
    assert refused > 100


def test_only_sealed_clips_are_exported(exported: Exported):
    with pytest.raises(EdgeError, match="at least one clip"):
        export.check([])
    with pytest.raises(EdgeError, match="is purged; only sealed ones"):
        export.check([replace(exported.clips[0], state="purged")])


def test_what_a_device_filmed_before_it_was_revoked_is_verified_as_ever(
    door: Door, cause: UUID, tmp_path: Path
) -> None:
    one = film(door.signer, os.urandom(50_000), cause)
    door.bring(one)
    assert door.send(one, 0).headers["Upload-Complete"] == "?1"
    clip, identity = door.clip(one), uuid4()
    with door.engine.begin() as conn:
        revoking.revoke(conn, STORE, Actor("Mira", "desk"), "kiosk-1", "Stolen.", START)
        custody.append(conn, STORE, "exported", str(identity), "", "Mira", "For the court.", START)
        head = heads.sign_newest(conn, STORE, STORE_KEY, START)
        assert head is not None
        path, files = tmp_path / "bundle.zip", door.app.extensions["vault"].files
        export.write(path, conn, STORE, files, [clip], identity, START, lambda *_: {}, {})
    keys = frozenset({door.signer.key, STORE_KEY.key})
    exported = Exported(path, keys, [clip], (head.size, head.root), door)
    assert exported.names(path) == {"ok"}
