"""What is read from heartbeats, and what nobody can know."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.supervision.facts import Key, Look, Said, Server, What, look, overdue

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HERE = Server(NOW - timedelta(hours=1))
WELL = Said("kiosk-1", NOW - timedelta(seconds=2), camera="ok", free_bytes=10**10, temperature_c=50.0)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def seen(said: Said, server: Server = HERE, wrong: frozenset[Key] = frozenset()) -> Look:
    return look([said], server, {}, wrong, NOW)


def kinds(said: Said, server: Server = HERE, *wrong: What) -> list[str]:
    before = frozenset(Key("kiosk-1", what) for what in wrong)
    return sorted(one.key.what.value for one in seen(said, server, before).found)


def test_nothing_is_said_of_a_kiosk_that_is_well() -> None:
    assert kinds(WELL) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"heard_at": ago(16)}, "silent"),
        ({"camera": "unplugged"}, "camera"),
        ({"camera": "absent", "faults": ("The camera's program does not run.",)}, "camera"),
        ({"faults": ("Something covers the camera, or it is quite dark; look at its lens.",)}, "camera"),
        ({"faults": ("The outbox's disk is full.",)}, "fault"),
        ({"stuck": ("help",)}, "stuck"),
        ({"depth": 3, "oldest_open": 17}, "path"),
        ({"clock_off": timedelta(seconds=2.1)}, "clock"),
        ({"clock_off": timedelta(seconds=-2.1)}, "clock"),
        ({"free_bytes": 199_000_000}, "disk"),
        ({"temperature_c": 81.0}, "hot"),
        ({"valid_until": NOW + timedelta(days=13)}, "certificate"),
        ({"refused_at": ago(590)}, "refused"),
        ({"gap_at": ago(121)}, "gap"),
        ({"custody": "It does not follow."}, "custody"),
        ({"drill_failed": (ago(60), "No press came.")}, "drill"),
    ],
)
def test_each_thing_that_a_kiosk_can_lack(change: dict[str, object], what: str) -> None:
    assert kinds(replace(WELL, **change)) == [what]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        (
            {"faults": ("The camera had no picture of something that happened; there is no clip of it.",)},
            True,
        ),
        ({"faults": ("Clips wait on this kiosk. The store cannot be reached.",)}, True),
        ({"stuck": ("security",)}, True),
        ({"faults": ("The lamp cannot be driven.",)}, False),
        ({"faults": ("Something covers the camera, or it is quite dark; look at its lens.",)}, False),
    ],
)
def test_what_begins_with_a_press_is_told_only_to_who_may_know_of_silent_ones(
    change: dict[str, object], silent: bool
) -> None:
    (found,) = seen(replace(WELL, **change)).found  # type: ignore[arg-type]
    assert found.silent is silent


def test_a_clip_that_is_missing_makes_no_camera_wrong() -> None:
    both = ("Something covers the camera.", "The camera had no picture of something that happened.")
    found = {one.key.what: one for one in seen(replace(WELL, faults=both)).found}
    assert found.keys() == {What.CAMERA, What.FAULT} and not found[What.CAMERA].silent
    assert "happened" not in found[What.CAMERA].words and found[What.FAULT].silent


@pytest.mark.parametrize(
    "change",
    [
        {"heard_at": ago(15.9)},
        {"heard_at": None},
        {"camera": "starting"},
        {"camera": None},
        {"clock_off": timedelta(seconds=1.9)},
        {"free_bytes": 201_000_000},
        {"temperature_c": 79.0},
        {"valid_until": NOW + timedelta(days=15)},
        {"refused_at": ago(601)},
        {"gap_at": ago(60)},
    ],
)
def test_and_what_is_not_enough(change: dict[str, object]) -> None:
    assert kinds(replace(WELL, **change)) == []  # type: ignore[arg-type]


def test_what_was_wrong_must_be_better_than_it_needs_to_be_before_it_is_well() -> None:
    near = replace(WELL, clock_off=timedelta(seconds=1.9), free_bytes=210_000_000, temperature_c=78.0)
    assert kinds(near) == []
    assert kinds(near, HERE, What.CLOCK, What.DISK, What.HOT) == ["clock", "disk", "hot"]


def test_of_a_silent_kiosk_nothing_is_known_but_its_silence_and_its_certificate() -> None:
    gone = replace(WELL, heard_at=ago(60), camera="unplugged", depth=3, valid_until=NOW)
    assert kinds(gone) == ["certificate", "silent"]
    known = seen(gone)
    assert not known.knows(Key("kiosk-1", What.CAMERA)) and known.knows(Key("kiosk-1", What.SILENT))


def test_without_the_broker_no_kiosk_is_called_silent_but_the_broker_is() -> None:
    cut = Server(None, ago(40))
    gone = replace(WELL, heard_at=ago(60))
    assert kinds(gone, cut) == ["broker"]
    assert not seen(gone, cut).knows(Key("kiosk-1", What.SILENT))


def test_a_server_that_was_away_gives_each_kiosk_the_time_to_be_heard() -> None:
    gone = replace(WELL, heard_at=ago(600))
    assert kinds(gone, Server(ago(15))) == []
    assert not seen(gone, Server(ago(15))).knows(Key("kiosk-1", What.SILENT))
    assert kinds(gone, Server(ago(16))) == ["silent"]


def test_tampering_lasts_as_long_as_the_kiosk_speaks_of_it_and_two_minutes_where_it_cannot() -> None:
    key = Key("kiosk-1", What.TAMPER, "camera covered")
    covered = replace(WELL, faults=("Something covers the camera.",))
    for said, at, still in ((WELL, 119, True), (WELL, 121, False), (covered, 3600, True)):
        found = look([said], HERE, {key: ago(at)}, frozenset(), NOW).found
        # One sentence for one thing.
        assert [one.key for one in found] == ([key] if still else [])


def test_the_servers_own_disks_and_certificates() -> None:
    server = Server(
        ago(3600), None, {"clips": 999_000_000, "the database": 10**10}, {"broker": NOW + timedelta(days=3)}
    )
    found = {(one.key.what.value, one.key.about) for one in look([WELL], server, {}, frozenset(), NOW).found}
    assert found == {("disk", "clips"), ("certificate", "broker")}


def test_whoever_forgets_that_they_work_on_a_kiosk_does_so_for_a_day() -> None:
    assert replace(WELL, maintained_at=ago(86_000)).quiet(NOW)
    assert not replace(WELL, maintained_at=ago(86_401)).quiet(NOW)


def test_a_backup_that_is_too_old_is_said_with_why_the_last_try_failed() -> None:
    within = timedelta(hours=26)
    assert overdue(ago(25 * 3600), "The disk is full.", within, NOW) == []
    (found,) = overdue(ago(27 * 3600), "The disk is full.", within, NOW)
    assert found.key == Key("", What.BACKUP) and found.since == ago(3600)
    assert found.words.startswith("The newest whole backup is of 2026-03-01")
    assert found.words.endswith("The last try failed: The disk is full.")
    (found,) = overdue(None, None, within, NOW)
    assert found.words == "There is no whole backup of this store yet."
