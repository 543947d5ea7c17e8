"""What is written when, on real H.264 and a clock of the test's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest

from kiosk.camera.mp4 import prefixed
from kiosk.camera.source import Packet
from kiosk.camera.window import Reach
from tests.rig import film
from tests.rig.camera import Trial
from tests.unit.kiosk.camera.recorded import frames_of, length_of, manifest_of


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path / "clips")


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
