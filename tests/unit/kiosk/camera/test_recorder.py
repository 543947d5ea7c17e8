"""What is written when, on real H.264 and a clock of the test's own."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import av
import pytest

from broker import manifest as manifests
from broker.manifest import Manifest
from broker.signing import is_signed
from kiosk.camera.clips import Clip, Clips
from kiosk.camera.mp4 import prefixed
from kiosk.camera.recording import recover
from kiosk.camera.source import Packet
from kiosk.camera.window import Kind, Reach
from tests.rig import film
from tests.rig.camera import SIGNER, Trial


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path / "clips")


def manifest_of(clip: Clip) -> Manifest:
    """Read and checked as the store would."""
    written = clip.manifest.read_bytes()
    assert is_signed(SIGNER.key, manifests.to_sign(written), clip.signature.read_text())
    manifest = manifests.decode(written)
    video = clip.video.read_bytes()
    assert manifest.footage.sha256 == sha256(video).hexdigest() and manifest.footage.bytes == len(video)
    about = clip.about.content
    assert about.manifest_sha256 == sha256(written).hexdigest()
    assert (about.clip, about.sha256, about.bytes) == (manifest.clip, manifest.footage.sha256, len(video))
    assert about.cause == manifest.causes[0] and about.signature == clip.signature.read_text()
    return manifest


def frames_of(clip: Clip) -> list[float]:
    """When each decoded picture is shown, in seconds; every picture of the file can be decoded."""
    with av.open(str(clip.video)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert len(times) == len(manifest_of(clip).footage.frames)
    return times


def length_of(clip: Clip) -> float:
    with av.open(str(clip.video)) as container:
        return (container.duration or 0) / 1_000_000


def test_nothing_is_written_before_something_happens(trial: Trial) -> None:
    trial.pass_s(60)
    assert list(trial.clips.directory.iterdir()) == []
    assert trial.ring.seconds == pytest.approx(5, abs=1.1)


def test_a_clip_holds_what_was_before_and_after_and_begins_at_a_key_frame(trial: Trial) -> None:
    trial.pass_s(20)
    cause = trial.press()
    pressed_s = trial.now_s
    trial.pass_s(5)
    manifest = manifest_of(trial.only())
    assert manifest.causes == [cause] and not manifest.interrupted and manifest.notes == []
    assert manifest.footage.keys[0] == 0
    began_s = manifest.clock.monotonic_ms / 1000
    assert pressed_s - 5 - 1 <= began_s <= pressed_s - 5
    times = frames_of(trial.only())
    assert length_of(trial.only()) == pytest.approx(pressed_s + 4 - began_s, abs=0.2)
    assert times == pytest.approx([t / 1000 for t, _ in manifest.footage.frames], abs=0.01)
    assert manifest.footage.frames[-1][1] == pytest.approx(9000, abs=1100)
    assert manifest.started_at.timestamp() * 1000 == film.WALL_MS + int((began_s - 1000) * 1000)
    assert trial.came == [trial.only().about]


def test_its_packets_are_those_that_came_unchanged(trial: Trial) -> None:
    trial.pass_s(6)
    trial.press()
    trial.pass_s(5)
    with av.open(str(trial.only().video)) as container:
        stored = [bytes(p) for p in container.demux(video=0) if p.size]
    came = {prefixed(packet.data, b"") for packet in film.film()}
    assert len(stored) > 80 and set(stored) <= came


def test_pictures_that_are_shown_in_another_order_keep_their_times(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    trial.packets = film.running(trial.now_s, b_frames=2)
    trial.next = next(trial.packets)
    trial.pass_s(10)
    trial.press()
    trial.pass_s(5)
    manifest = manifest_of(trial.only())
    times = frames_of(trial.only())
    assert times == pytest.approx(sorted(t / 1000 for t, _ in manifest.footage.frames), abs=0.11)
    assert [t for t, _ in manifest.footage.frames] != sorted(t for t, _ in manifest.footage.frames)


def test_a_second_press_makes_the_clip_longer_and_both_are_its_causes(trial: Trial) -> None:
    trial.pass_s(10)
    first = trial.press()
    trial.pass_s(3)
    second = trial.press("help")
    trial.pass_s(3)
    assert trial.clips.all() == []
    trial.pass_s(1.5)
    manifest = manifest_of(trial.only())
    assert manifest.causes == [first, second]
    assert length_of(trial.only()) == pytest.approx(5 + 3 + 4, abs=1.2)
    assert manifest.wanted[1].timestamp() == pytest.approx(film.WALL_MS / 1000 + 17, abs=0.01)


def test_beyond_the_longest_clip_another_shares_the_footage_and_nothing_is_missing(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips", Reach(5, 4, 12))
    trial.pass_s(10)
    pressed = []
    for _ in range(6):
        pressed.append((trial.press(), trial.now_s))
        trial.pass_s(3)
    trial.pass_s(5)
    manifests_ = {clip.id: manifest_of(clip) for clip in trial.clips.all()}
    assert len(manifests_) > 1
    for cause, at_s in pressed:
        (own,) = [m for m in manifests_.values() if cause in m.causes]
        began_s = own.clock.monotonic_ms / 1000
        assert began_s <= at_s - 5
        assert began_s + own.footage.frames[-1][0] / 1000 >= at_s + 4 - 0.2
        assert own.footage.frames[-1][0] <= 12_000 + 1100


def test_what_is_told_again_is_not_recorded_again(trial: Trial) -> None:
    trial.pass_s(10)
    cause = trial.press()
    trial.pass_s(2)
    trial.press(cause=cause, ago_s=2)
    trial.pass_s(3)
    trial.press(cause=cause, ago_s=5)
    trial.pass_s(10)
    manifest_of(trial.only())
    again = Trial(trial.clips.directory)
    again.pass_s(3)
    again.press(cause=cause, ago_s=3)
    again.pass_s(10)
    assert again.only().about == trial.only().about


def test_a_press_while_the_camera_gives_nothing_is_no_clip_and_the_manager_hears_of_it(trial: Trial) -> None:
    trial.press()
    trial.pass_s(6, camera=False)
    assert trial.clips.all() == [] and list(trial.clips.directory.iterdir()) == []
    assert "no picture" in trial.recorder.faults(trial.now_s)[0]
    assert trial.recorder.faults(trial.now_s + 3600) == []


def test_a_camera_that_is_lost_for_a_while_leaves_a_gap_that_is_named(trial: Trial) -> None:
    trial.pass_s(6)
    trial.press()
    trial.pass_s(1)
    trial.pass_s(1.9, camera=False)
    trial.pass_s(3)
    assert length_of(trial.only()) == pytest.approx(10, abs=1.3)
    assert manifest_of(trial.only()).notes == []
    trial.press()
    trial.pass_s(0.5)
    trial.pass_s(3, camera=False)
    trial.pass_s(3)
    (note,) = manifest_of(trial.clips.all()[1]).notes
    assert "no pictures came" in note


def test_another_format_goes_into_another_clip_of_the_same_cause(trial: Trial) -> None:
    trial.pass_s(6)
    cause = trial.press()
    trial.pass_s(1)
    trial.packets = film.running(trial.now_s + 0.1, width=80)
    trial.next = next(trial.packets)
    trial.timeline.begin()
    trial.pass_s(5)
    before, after = (manifest_of(clip) for clip in trial.clips.all())
    assert (before.footage.width, after.footage.width) == (64, 80)
    assert before.causes == after.causes == [cause]
    assert [len(frames_of(clip)) > 10 for clip in trial.clips.all()] == [True, True]
    assert "another clip goes on" in before.notes[0]


@pytest.mark.parametrize(("by_s", "way"), [(-3600, "back"), (3600, "forward"), (86_400 * 400, "forward")])
def test_a_clock_that_jumps_is_noted_and_the_clips_times_are_counted_on(
    trial: Trial, by_s: int, way: str
) -> None:
    def jumping(packets: Iterator[Packet]) -> Iterator[Packet]:
        for packet in packets:
            jumped = by_s * 1000 if packet.came_s > 1006 else 0
            yield replace(packet, wall_ms=packet.wall_ms + jumped)

    trial.packets = jumping(trial.packets)
    trial.pass_s(6)
    trial.press()
    trial.pass_s(5)
    manifest = manifest_of(trial.only())
    walls = [wall for _, wall in manifest.footage.frames]
    assert walls == sorted(walls) and walls[-1] == pytest.approx(9000, abs=1200)
    assert (manifest.ended_at - manifest.started_at).total_seconds() == pytest.approx(9, abs=1.2)
    assert length_of(trial.only()) == pytest.approx(9.5, abs=1)
    (note,) = manifest.notes
    assert f"set {way} by {abs(by_s)}.0 s" in note


def test_a_slow_card_leaves_a_gap_that_is_named_and_the_rest_plays(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips", memory=100 + sum(len(p.data) for p in film.film()[: film.RATE]))
    trial.pass_s(3)
    trial.press()
    trial.pass_s(0.5)
    turn, trial.recorder.turn = trial.recorder.turn, lambda now_s: None  # type: ignore[method-assign]
    trial.pass_s(2.5)
    trial.recorder.turn = turn  # type: ignore[method-assign]
    trial.pass_s(3)
    assert any("too slow" in note for note in manifest_of(trial.only()).notes)
    assert len(frames_of(trial.only())) > 5


def halfway(tmp_path: Path) -> tuple[Trial, Path]:
    trial = Trial(tmp_path / "clips")
    trial.pass_s(6)
    trial.press()
    trial.pass_s(2)
    (part,) = trial.clips.parts()
    return trial, part


def test_a_kill_at_any_byte_leaves_one_clip_with_all_that_was_whole(tmp_path: Path) -> None:
    _, part = halfway(tmp_path)
    video, journal = (part / "video.mp4").read_bytes(), (part / "journal").read_bytes()
    seen = set()
    for number, (name, whole) in enumerate((("video.mp4", video), ("journal", journal)) * 30):
        cut = len(whole) * number // 60
        left = Clips(tmp_path / f"left-{number}")
        folder = left.directory / part.name
        shutil.copytree(part, folder)
        os.truncate(folder / name, cut)
        made = recover(left, folder, SIGNER)
        assert left.parts() == []
        if made is None:
            assert left.all() == [] and cut < len(whole) / 3
            continue
        (clip,) = left.all()
        manifest = manifest_of(clip)
        assert manifest.interrupted and manifest.footage.bytes <= len(video)
        assert len(frames_of(clip)) == len(manifest.footage.frames)
        seen.add((made.event, made.content.clip))
    assert len(seen) == 1


def test_a_torn_block_in_the_video_ends_the_clip_before_it(tmp_path: Path) -> None:
    trial, part = halfway(tmp_path)
    video = bytearray((part / "video.mp4").read_bytes())
    video[len(video) * 2 // 3] ^= 1
    (part / "video.mp4").write_bytes(video)
    assert recover(trial.clips, part, SIGNER) is not None
    assert 10 < len(frames_of(trial.only())) < 75


def test_a_kill_between_the_last_byte_and_the_rename_is_no_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, _ = halfway(tmp_path)
    monkeypatch.setattr(trial.clips, "finish", lambda folder: folder)
    trial.pass_s(3)
    assert trial.clips.all() == []
    again = Trial(trial.clips.directory)
    assert not manifest_of(again.only()).interrupted
    assert again.came == trial.came


def test_after_a_kill_the_rest_of_what_is_wanted_is_a_clip_of_its_own(tmp_path: Path) -> None:
    trial, _ = halfway(tmp_path)
    cause = next(iter(trial.recorder._open)).window.causes[0]
    again = Trial(trial.clips.directory, start=1100)
    assert [made.interrupted for made in again.came] == [True]
    again.pass_s(0.5)
    again.press(cause=cause, ago_s=2.5)
    again.pass_s(4)
    first, second = (manifest_of(clip) for clip in again.clips.all())
    assert first.interrupted and not second.interrupted and first.causes == second.causes
    assert "later than wanted" in second.notes[0]
    again.press(cause=cause, ago_s=7)
    again.pass_s(10)
    assert len(again.clips.all()) == 2


def test_the_end_of_the_program_closes_what_it_writes(tmp_path: Path) -> None:
    trial, _ = halfway(tmp_path)
    trial.recorder.end(trial.now_s)
    assert manifest_of(trial.only()).interrupted and len(frames_of(trial.only())) >= 70


def test_a_full_card_costs_the_oldest_clips_of_no_security_request(tmp_path: Path) -> None:
    kinds: list[Kind] = ["help", "security", "help", "capture", "help", "help"]
    trial = Trial(tmp_path / "clips")
    causes = []
    for kind in kinds:
        trial.pass_s(6)
        causes.append(trial.press(kind))
        trial.pass_s(5)
    held = sum(clip.bytes for clip in trial.clips.all())
    full = Trial(trial.clips.directory, start=2000, clips=held + 1_000_000)
    full.pass_s(12)
    full.press("help")
    full.pass_s(5)
    kept = [cause for clip in full.clips.all() for cause in manifest_of(clip).causes]
    assert kept[:-1] == causes[1:]
    assert "1 clip of no security request went" in " ".join(full.recorder.faults(full.now_s))
    tight = Trial(trial.clips.directory, start=3000, clips=1_000_000)
    tight.pass_s(6)
    tight.press("help")
    tight.pass_s(5)
    kept = [cause for clip in tight.clips.all() for cause in manifest_of(clip).causes]
    assert kept == [causes[1], causes[3]]
    tight.press("security")
    tight.pass_s(5)
    assert len(tight.clips.all()) == 3
    floor = Trial(trial.clips.directory, start=4000, floor=1 << 60)
    floor.pass_s(6)
    floor.press("security")
    floor.pass_s(5)
    assert len(floor.clips.all()) == 3
    assert any("card is full" in fault for fault in floor.recorder.faults(floor.now_s))


def test_a_clip_that_leaves_a_full_card_before_the_store_has_it_is_told_of(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    trial.pass_s(6)
    cause = trial.press("help")
    trial.pass_s(5)
    gone = trial.only()
    tight = Trial(trial.clips.directory, start=2000, clips=1_000_000)
    tight.pass_s(6)
    refused = tight.press("help")
    tight.pass_s(5)
    assert tight.clips.all() == []
    assert tight.lost == [("full", gone.id, cause), ("full", None, refused)]


def test_what_is_wanted_of_a_while_ago_begins_where_the_memory_begins_and_says_so(trial: Trial) -> None:
    trial.pass_s(20)
    cause = trial.press("capture", ago_s=3)
    trial.pass_s(2)
    manifest = manifest_of(trial.only())
    assert manifest.causes == [cause] and "later than wanted" in manifest.notes[0]
    assert manifest.footage.frames[-1][1] >= 4000 and trial.lost == []


def test_what_is_wanted_of_a_time_that_has_left_the_memory_is_no_clip_and_said_once(trial: Trial) -> None:
    trial.pass_s(60)
    cause = trial.press("capture", ago_s=30)
    trial.pass_s(2)
    trial.press("capture", ago_s=30, cause=cause)
    trial.pass_s(2)
    assert trial.clips.all() == [] and trial.lost == [("late", None, cause)]


def test_a_camera_that_gives_no_picture_says_that_there_is_none(trial: Trial) -> None:
    trial.pass_s(2, camera=False)
    cause = trial.press("capture")
    trial.pass_s(6, camera=False)
    assert trial.lost == [("blind", None, cause)]


def test_what_has_a_clip_is_never_called_lost_also_not_by_a_camera_that_starts_anew(trial: Trial) -> None:
    trial.pass_s(10)
    cause = trial.press()
    trial.pass_s(2)
    trial.recorder.end(trial.now_s)
    assert trial.only().about.interrupted
    again = Trial(trial.clips.directory, start=2000)
    again.pass_s(10)
    again.press("capture", ago_s=900, cause=cause)
    again.pass_s(2)
    assert again.lost == []


def test_a_clip_for_several_names_them_all_in_its_event(trial: Trial) -> None:
    trial.pass_s(10)
    first = trial.press("help")
    trial.pass_s(1)
    second = trial.press("capture")
    trial.pass_s(6)
    assert trial.only().about.content.causes == [first, second]
    trial.press()
    trial.pass_s(6)
    assert trial.clips.all()[-1].about.content.causes == []


def test_what_the_store_has_goes_first_and_nobody_is_told_of_a_loss(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "clips")
    for kind in ("help", "security"):
        trial.pass_s(6)
        trial.press(kind)
        trial.pass_s(5)
    help_, security = trial.clips.all()
    trial.clips.seal(security)
    full = Trial(trial.clips.directory, start=2000, clips=help_.bytes + security.bytes + 1_000_000)
    full.pass_s(12)
    full.press("help")
    full.pass_s(5)
    assert full.clips.all()[0].id == help_.id and full.clips.find(security.id) is None
    assert full.recorder.faults(full.now_s) == []


def test_what_the_clips_take_is_counted_on_and_not_looked_up_for_each_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(tmp_path / "clips")
    assert trial.clips.held_bytes() == 0
    with monkeypatch.context() as unseen:
        unseen.delattr(Clips, "all")
        for _ in range(2):
            trial.pass_s(6)
            trial.press()
            trial.pass_s(5)
    first, second = trial.clips.all()
    assert trial.clips.held_bytes() == pytest.approx(first.bytes + second.bytes, abs=10)
    trial.clips.delete(first.id)
    assert trial.clips.held_bytes() == pytest.approx(second.bytes, abs=10)


def test_a_disk_that_takes_no_more_leaves_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, _ = halfway(tmp_path)

    def full(number: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("kiosk.camera.recording.os.write", full)
        trial.pass_s(1)
        assert "No space left" in trial.recorder.faults(trial.now_s)[0]
    trial.pass_s(40)
    manifest = manifest_of(trial.only())
    assert manifest.interrupted and len(frames_of(trial.only())) > 60


def test_a_clip_is_announced_once_and_deleted_whole(trial: Trial) -> None:
    trial.pass_s(6)
    trial.press()
    trial.pass_s(5)
    clip = trial.only()
    assert trial.clips.unannounced() == [clip]
    trial.clips.announced(clip.id)
    assert trial.clips.unannounced() == [] and trial.only().announced
    assert sorted(path.name for path in clip.folder.iterdir()) == [
        "announced",
        "event.json",
        "manifest.json",
        "manifest.sig",
        "video.mp4",
    ]
    assert trial.clips.delete(clip.id) and not trial.clips.delete(clip.id)
    assert list(trial.clips.directory.iterdir()) == []
