"""What the demo store consists of: its zones, kiosks and people. Only names and numbers."""

from dataclasses import dataclass

STORE = "demo"
TITLE = "Riverside"
ZONES = {"entrance": "Entrance", "fitting-rooms": "Fitting rooms", "tills": "Tills"}


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
    """A button as it is wired: `label` is what stands beside it."""

    name: str
    label: str
    pin: int
    action: str
    topic: str | None = None


@dataclass(frozen=True)
class Kiosk:
    name: str
    zone: str
    keys: tuple[Key, ...]


LAMP = {"red": 18, "green": 23, "blue": 24}
BUZZER = 25
_HELP_PINS = (17, 27, 22)
_COMMON = (
    Key("cancel", "Cancel", 6, "cancel"),
    Key("here", "Associate is here", 13, "attend"),
    Key("security", "Security", 26, "security"),
)


def _kiosk(zone: str, *helps: tuple[str, str]) -> Kiosk:
    keys = tuple(
        Key(topic, label, pin, "help", topic) for pin, (topic, label) in zip(_HELP_PINS, helps, strict=True)
    )
    return Kiosk(f"kiosk-{zone}", zone, keys + _COMMON)


KIOSKS = (
    _kiosk(
        "fitting-rooms", ("fitting-room", "Fitting room"), ("find-item", "Find an item"), ("other", "Help")
    ),
    _kiosk("entrance", ("find-item", "Find an item"), ("collect", "Collect"), ("other", "Help")),
    _kiosk("tills", ("till", "Till"), ("return", "Return"), ("supervisor", "Supervisor")),
)


def kiosk_toml(kiosk: Kiosk, broker_port: int, identity: str) -> str:
    """The kiosk's configuration, as on a real one. `identity` is a folder relative to the file."""
    lines = [
        f'store = "{STORE}"',
        f'device = "{kiosk.name}"',
        f'zone = "{kiosk.zone}"',
        "",
        "[broker]",
        'host = "127.0.0.1"',
        f"port = {broker_port}",
        f'identity = "{identity}"',
    ]
    for key in kiosk.keys:
        lines += ["", "[[button]]", f'name = "{key.name}"', f"pin = {key.pin}", f'action = "{key.action}"']
        lines += [f'topic = "{key.topic}"'] if key.topic else []
    lines += ["", "[lamp]", *(f"{colour} = {pin}" for colour, pin in LAMP.items())]
    lines += ["", "[buzzer]", f"pin = {BUZZER}"]
    return "\n".join(lines) + "\n"
