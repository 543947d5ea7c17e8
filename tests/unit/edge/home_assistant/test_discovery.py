"""What Home Assistant is sent, held against its documented format."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.home_assistant.discovery import config_topic, description, messages, values
from edge.home_assistant.kiosks import CAMERA, Help, Kiosk, camera
from edge.home_assistant.sampling import Samples
from edge.web.device_words import CAMERA_STATES

NOW = datetime(2026, 3, 2, 10, 7, tzinfo=UTC)
ALL = frozenset({"camera", "temperature", "disk"})
WELL = Kiosk("tills-1", "Tills", True, "0.1.0", ALL, Help.FREE, None, "ok", 48.3, False)
# From https://www.home-assistant.io/integrations/mqtt and its pages of sensor and binary_sensor.
DEVICE = {"identifiers", "name", "manufacturer", "model", "suggested_area", "sw_version"}
ENTITY = {
    "platform", "unique_id", "name", "state_topic", "availability", "device_class", "entity_category", "icon",
}  # fmt: skip
OF = {
    "sensor": ENTITY | {"options", "state_class", "unit_of_measurement"},
    "binary_sensor": ENTITY,
}
CLASSES = {
    "sensor": {"enum", "timestamp", "temperature"},
    "binary_sensor": {"connectivity", "problem"},
}


def described(kiosk: Kiosk) -> dict[str, Any]:
    return description("riverside", "Riverside", "0.1.0", kiosk)


def test_a_description_has_what_the_format_asks_for_and_nothing_that_it_does_not_know() -> None:
    found = described(WELL)
    assert set(found) == {"device", "origin", "availability", "availability_mode", "components", "qos"}
    assert set(found["device"]) <= DEVICE and found["device"]["identifiers"]
    assert found["origin"]["name"] and found["availability_mode"] == "all"
    topics = {one["topic"] for one in found["availability"]}
    assert topics == {"floorbell/riverside/status", "floorbell/riverside/tills-1/online"}
    unique = [one["unique_id"] for one in found["components"].values()]
    assert len(set(unique)) == len(unique) == 7
    for entity, about in found["components"].items():
        assert set(about) <= OF[about["platform"]], entity
        assert about.get("device_class") in CLASSES[about["platform"]] | {None}, entity
        # Options are for enums alone, and an enum says nothing that is not among them.
        assert ("options" in about) == (about.get("device_class") == "enum")
        if "options" in about:
            assert values(WELL)[entity] in about["options"]
        assert about["state_topic"] == f"floorbell/riverside/tills-1/{entity}"
        assert about.get("entity_category", "diagnostic") == "diagnostic"


def test_the_topic_of_a_description_has_only_the_signs_that_home_assistant_takes() -> None:
    topic = config_topic("homeassistant", "riverside", "tills-1")
    assert topic == "homeassistant/device/floorbell_riverside_tills-1/config"


def test_what_a_kiosk_never_speaks_of_is_an_entity_to_be_removed_and_has_no_value() -> None:
    bare = replace(WELL, speaks_of=frozenset(), camera=None, temperature_c=None, disk_low=None)
    components = described(bare)["components"]
    assert components["camera"] == {"platform": "sensor"}
    assert components["disk"] == {"platform": "binary_sensor"}
    assert not {"camera", "temperature", "disk"} & values(bare).keys()


def test_a_kiosk_that_is_not_heard_keeps_its_entities_and_says_nothing_by_them() -> None:
    away = replace(WELL, here=False, camera=None, temperature_c=None, disk_low=None)
    assert described(away) == described(WELL)
    told = values(away)
    assert (told["online"], told["camera"], told["temperature"], told["disk"]) == (
        "OFF",
        "None",
        "None",
        "None",
    )


def test_the_time_of_a_request_is_told_in_utc_to_the_second() -> None:
    at = datetime(2026, 3, 2, 10, 0, 1, 999, tzinfo=UTC)
    assert values(replace(WELL, help=Help.WAITING, since=at))["since"] == "2026-03-02T10:00:01+00:00"
    assert values(WELL)["since"] == "None"


def test_the_same_kiosks_are_told_in_the_same_bytes() -> None:
    first = messages("riverside", "Riverside", "0.1.0", "homeassistant", [WELL])
    assert first == messages("riverside", "Riverside", "0.1.0", "homeassistant", [replace(WELL)])
    # The description comes last: Home Assistant then finds every value there.
    assert list(first)[-1].endswith("/config")


@pytest.mark.parametrize("said", [*CAMERA_STATES, "ok", "starting"])
def test_every_word_of_a_kiosks_camera_is_told_as_it_is(said: str) -> None:
    assert camera(said, ()) == said and said in CAMERA


@pytest.mark.parametrize(
    ("said", "faults", "told"),
    [
        (None, ("The camera's program does not run.",), None),
        ("ok", ("Something covers the camera, or it is quite dark; look at its lens.",), "impaired"),
        ("ok", ("The outbox's disk is full.",), "ok"),
        # It was wanted because somebody pressed, perhaps silently.
        ("ok", ("The camera had no picture of something that happened; there is no clip of it.",), "ok"),
        ("dreaming", (), "other"),
    ],
)
def test_a_camera_that_sees_badly_is_not_ok(said: str | None, faults: tuple[str, ...], told: str) -> None:
    assert camera(said, faults) == told


def test_temperature_disk_and_camera_change_only_with_the_quarter_of_an_hour() -> None:
    samples = Samples()
    assert samples.steady(WELL, NOW).temperature_c == 50
    # A clip is kept: it is warmer, the disk is full, and slow enough to hold the camera up.
    later = replace(WELL, temperature_c=68.0, disk_low=True, camera="hung")
    for minute in range(8, 15):
        told = samples.steady(later, NOW.replace(minute=minute))
        assert (told.temperature_c, told.disk_low, told.camera) == (50, False, WELL.camera)
    told = samples.steady(later, NOW.replace(minute=15))
    assert (told.temperature_c, told.disk_low, told.camera) == (70, True, "hung")


def test_a_camera_that_starts_is_told_of_once_it_has() -> None:
    samples = Samples()
    assert samples.steady(replace(WELL, camera="starting"), NOW).camera == "starting"
    assert samples.steady(WELL, NOW.replace(minute=9)).camera == "ok"
    assert samples.steady(replace(WELL, camera="black"), NOW.replace(minute=10)).camera == "ok"


def test_a_kiosk_that_was_away_at_the_quarter_is_sampled_once_it_is_back() -> None:
    samples = Samples()
    away = replace(WELL, here=False, temperature_c=None, disk_low=None)
    assert samples.steady(away, NOW).temperature_c is None
    assert samples.steady(WELL, NOW.replace(minute=9)).temperature_c == 50
    assert samples.steady(away, NOW.replace(minute=10)).temperature_c == 50
