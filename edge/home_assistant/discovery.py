"""The kiosks as MQTT messages in Home Assistant's format of discovery by device. Pure.

https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload: one retained message describes a
device with all of its entities; an entity with nothing but its platform is one to be removed, and an empty
message removes the device (not under a topic with a node id: Home Assistant 2025.3 then finds nothing to
remove). All that is told is retained, one plain value to a topic, so that any other program on that broker
can read it too.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import msgspec

from edge.home_assistant.kiosks import CAMERA, Help, Kiosk

ONLINE, OFFLINE = b"online", b"offline"
# What a sensor takes for 'not known'.
UNKNOWN = "None"
_PLATFORMS = {
    "help": "sensor",
    "since": "sensor",
    "online": "binary_sensor",
    "camera": "sensor",
    "temperature": "sensor",
    "disk": "binary_sensor",
    "version": "sensor",
}


def own_topic(store: str) -> str:
    """Whether anything at all is known at this moment: online or offline."""
    return f"floorbell/{store}/status"


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says that it has started."""
    return f"{prefix}/status"


def config_topic(prefix: str, store: str, kiosk: str) -> str:
    return f"{prefix}/device/{_id(store, kiosk)}/config"


def value_topic(store: str, kiosk: str, entity: str) -> str:
    return f"floorbell/{store}/{kiosk}/{entity}"


def kiosk_of(topic: str) -> str:
    """Whose value is told there."""
    return topic.split("/")[2]


def _id(store: str, kiosk: str) -> str:
    # Neither name has a _, so no two kiosks of two stores share an id.
    return f"floorbell_{store}_{kiosk}"


def messages(store: str, title: str, version: str, prefix: str, kiosks: Iterable[Kiosk]) -> dict[str, bytes]:
    """Topic -> what is retained there, values before the description that makes them be read."""
    found: dict[str, bytes] = {}
    for one in kiosks:
        for entity, value in values(one).items():
            found[value_topic(store, one.name, entity)] = value.encode()
        described = description(store, title, version, one)
        found[config_topic(prefix, store, one.name)] = msgspec.json.encode(described, order="deterministic")
    return found


def values(kiosk: Kiosk) -> dict[str, str]:
    """What each entity says. One of which the kiosk never speaks has no value."""
    told = {
        "help": kiosk.help.value,
        "since": UNKNOWN
        if kiosk.since is None
        else kiosk.since.astimezone(UTC).isoformat(timespec="seconds"),
        "online": _switched(kiosk.here),
        "camera": kiosk.camera or UNKNOWN,
        "temperature": UNKNOWN if kiosk.temperature_c is None else f"{kiosk.temperature_c:g}",
        "disk": UNKNOWN if kiosk.disk_low is None else _switched(kiosk.disk_low),
        "version": kiosk.version or UNKNOWN,
    }
    always = _PLATFORMS.keys() - {"camera", "temperature", "disk"}
    return {entity: value for entity, value in told.items() if entity in always | kiosk.speaks_of}


def _switched(on: bool) -> str:
    return "ON" if on else "OFF"


def description(store: str, title: str, version: str, kiosk: Kiosk) -> dict[str, Any]:
    """The device and its entities. Each is available while the kiosk is heard; `online` says just that, and
    is there as long as the store is."""
    told = values(kiosk)
    name = _id(store, kiosk.name)
    known = {"topic": own_topic(store)}
    heard = {
        "topic": value_topic(store, kiosk.name, "online"),
        "payload_available": "ON",
        "payload_not_available": "OFF",
    }
    components: dict[str, dict[str, Any]] = {}
    for entity, about in _entities().items():
        component: dict[str, Any] = {"platform": _PLATFORMS[entity]}
        if entity in told:
            component |= about | {
                "unique_id": f"{name}_{entity}",
                "state_topic": value_topic(store, kiosk.name, entity),
            }
            if entity == "online":
                component["availability"] = [known]
        components[entity] = component
    return {
        "device": {
            "identifiers": [name],
            "name": f"{title} {kiosk.name}",
            "manufacturer": "Floorbell",
            "model": "Kiosk",
            "suggested_area": kiosk.zone,
            **({"sw_version": kiosk.version} if kiosk.version else {}),
        },
        "origin": {"name": "Floorbell", "sw_version": version},
        "availability": [known, heard],
        "availability_mode": "all",
        "components": components,
        "qos": 1,
    }


def _entities() -> dict[str, dict[str, Any]]:
    diagnostic = {"entity_category": "diagnostic"}
    return {
        "help": {
            "name": "Help",
            "device_class": "enum",
            "options": [one.value for one in Help],
            "icon": "mdi:hand-back-right",
        },
        "since": {"name": "Help since", "device_class": "timestamp"},
        "online": {"name": "Online", "device_class": "connectivity", **diagnostic},
        "camera": {"name": "Camera", "device_class": "enum", "options": list(CAMERA), "icon": "mdi:cctv"},
        "temperature": {
            "name": "Temperature",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "state_class": "measurement",
            **diagnostic,
        },
        "disk": {"name": "Disk nearly full", "device_class": "problem", **diagnostic},
        "version": {"name": "Version", "icon": "mdi:tag-outline", **diagnostic},
    }
