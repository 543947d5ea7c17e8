"""What the demo store consists of: its zones, kiosks and people. Only names and numbers."""

import json
from dataclasses import dataclass

STORE = "demo"
TITLE = "Riverside"
ZONES = {"entrance": "Entrance", "fitting-rooms": "Fitting rooms", "tills": "Tills"}
BESIDE = (("fitting-rooms", "entrance"), ("fitting-rooms", "tills"))


@dataclass(frozen=True)
class Member:
    """One of the staff. `about` is what a visitor is told beside the name."""

    name: str
    role: str
    about: str
    zones: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    pin: str | None = None
    password: str | None = None


PEOPLE = (
    Member(
        "Marta", "associate", "fitting rooms, speaks Catalan", ("fitting-rooms",), ("en", "ca"), pin="2580"
    ),
    Member("Luka", "associate", "entrance, speaks Serbian", ("entrance",), ("en", "sr"), pin="1470"),
    Member("Bia", "associate", "tills, speaks Portuguese", ("tills",), ("en", "pt"), pin="3690"),
    Member("Nadia", "supervisor", "supervisor", pin="4826", password="walks-the-floor"),
    Member("Omar", "security", "security", pin="7531"),
    Member("Helen", "manager", "manager", password="reads-the-log"),
)
# The visitor is this associate; the others carry a phone of their own.
VISITOR = PEOPLE[0]
MANAGER = PEOPLE[-1]


@dataclass(frozen=True)
class Key:
    """A button as it is wired: `label` is what stands beside it. A smiley has a score and a `lamp` of its
    own; without a pin it is only on the screen."""

    name: str
    label: str
    pin: int | None
    action: str
    topic: str | None = None
    touch: bool = False
    score: int | None = None
    lamp: int | None = None


@dataclass(frozen=True)
class Sensor:
    """A motion sensor at the door, and what the visitor does to it."""

    name: str
    label: str
    pin: int
    way: str


@dataclass(frozen=True)
class Kiosk:
    """`screen`: it has a display beside its lamp. `camera`: it may have one, and a lamp for it."""

    name: str
    zone: str
    keys: tuple[Key, ...]
    screen: bool = False
    sensors: tuple[Sensor, ...] = ()
    camera: bool = False


LAMP = {"red": 18, "green": 23, "blue": 24}
BUZZER = 25
CAMERA_LAMP = 10
# Shorter than in a shop: a visitor does not wait a minute for the end of a clip. A drawn picture of this size
# costs about a hundredth of a core.
PRE_S, POST_S = 5, 5
SCENE_SIZE, SCENE_RATE = (640, 360), 10
_HELP_PINS = (17, 27, 22)
_SECURITY = Key("security", "Security", 26, "security")
_SMILEYS = tuple(
    Key(f"smiley-{score}", label, pin, "smiley", score=score, lamp=lamp)
    for score, label, pin, lamp in (
        (4, "Very happy", 5, 19),
        (3, "Happy", 12, 21),
        (2, "Unhappy", 16, 7),
        (1, "Very unhappy", 20, 8),
    )
)
LANGUAGES = ("en", "ca", "sr", "it", "pt")
# Shorter than in a shop: a visitor walks in more than once, and waits for nobody for half a minute.
COOL_DOWN_S = 20
GREETED_AFTER_S = 10
GREETER_TOML = f"""
[greeter]
after_s = {GREETED_AFTER_S}
quiet_s = 60

[policy.greeter]
steps = [{{after_s = 0, who = ["one"]}}, {{after_s = 8, who = ["one"]}}, {{after_s = 16, who = ["one"]}}]
ceiling_s = 60
"""


def _kiosk(
    zone: str,
    *helps: tuple[str, str],
    screen: bool = False,
    sensors: tuple[Sensor, ...] = (),
    camera: bool = False,
) -> Kiosk:
    keys = tuple(
        Key(topic, label, pin, "help", topic, screen)
        for pin, (topic, label) in zip(_HELP_PINS, helps, strict=True)
    )
    keys += (
        Key("cancel", "Cancel", 6, "cancel", touch=screen),
        Key("here", "Associate is here", 13, "attend", touch=screen),
        _SECURITY,
    )
    if screen:
        keys += (Key("looking", "Just looking", None, "looking", touch=True), *_SMILEYS)
    return Kiosk(f"kiosk-{zone}", zone, keys, screen, sensors, camera)


# No camera where people change.
KIOSKS = (
    _kiosk(
        "fitting-rooms",
        ("fitting-room", "Fitting room"),
        ("find-item", "Find an item"),
        ("other", "Help"),
        screen=True,
    ),
    _kiosk(
        "entrance",
        ("find-item", "Find an item"),
        ("collect", "Collect"),
        ("other", "Help"),
        screen=True,
        sensors=(Sensor("door-in", "Walk in", 4, "in"), Sensor("door-out", "Walk out", 9, "out")),
        camera=True,
    ),
    _kiosk("tills", ("till", "Till"), ("return", "Return"), ("supervisor", "Supervisor"), camera=True),
)


def kiosk_toml(
    kiosk: Kiosk, ports: tuple[int, int], identity: str, address: str, films: str | None = None
) -> str:
    """The kiosk's configuration, as on a real one. `ports` are the broker's and the vault's, `identity` is a
    folder relative to the file, `address` that of the pages, `films` its camera's source."""
    lines = [f'store = "{STORE}"', f'device = "{kiosk.name}"', f'zone = "{kiosk.zone}"']
    if kiosk.screen:
        spoken = ", ".join(f'"{tag}"' for tag in LANGUAGES)
        lines += [f"languages = [{spoken}]", f'feedback_url = "{address}/f/"', "offer_after_s = 30"]
    lines += ["", "[broker]", 'host = "127.0.0.1"', f"port = {ports[0]}", f"vault_port = {ports[1]}"]
    lines += [f'identity = "{identity}"']
    for key in kiosk.keys:
        lines += ["", "[[button]]", f'name = "{key.name}"', f'action = "{key.action}"']
        lines += [f"pin = {key.pin}"] if key.pin is not None else []
        lines += [f'topic = "{key.topic}"'] if key.topic else []
        lines += ["touch = true"] if key.touch else []
        lines += [f"score = {key.score}", f"lamp = {key.lamp}"] if key.score else []
    for sensor in kiosk.sensors:
        lines += ["", "[[motion]]", f'name = "{sensor.name}"', f"pin = {sensor.pin}"]
        lines += [f'way = "{sensor.way}"', f"cool_down_s = {COOL_DOWN_S}"]
    lines += ["", "[screen]", 'socket = "screen"'] if kiosk.screen else []
    lines += _camera(films) if films is not None else []
    lines += ["", "[lamp]", *(f"{colour} = {pin}" for colour, pin in LAMP.items())]
    lines += ["", "[buzzer]", f"pin = {BUZZER}"]
    return "\n".join(lines) + "\n"


def _camera(source: str) -> list[str]:
    width, height = SCENE_SIZE if source == "scene" else (1280, 720)
    rate = SCENE_RATE if source == "scene" else 25
    loop = source != "scene" and not source.startswith("/dev/")
    return [
        "",
        "[camera]",
        # A JSON string is a TOML string.
        f"source = {json.dumps(source, ensure_ascii=False)}",
        *(["loop = true"] if loop else []),
        f"width = {width}",
        f"height = {height}",
        f"frame_rate = {rate}",
        f"pre_s = {PRE_S}",
        f"post_s = {POST_S}",
        f"lamp = {CAMERA_LAMP}",
        "clips_mb = 500",
        "free_mb = 100",
        "upload_kib_s = 0",
        "keep_sealed_h = 1",
        'socket = "camera"',
    ]
