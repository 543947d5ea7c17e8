"""kiosk.toml as typed records. A mistake in it is one sentence that names key, value and what is allowed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from broker import settings, topics
from broker.errors import ContractError, SettingsError
from broker.events import Language
from broker.logs import Log

# What a help button can ask for (PRODUCT row 3). The store routes by these words.
TOPICS = ("help", "find-item", "fitting-room", "till", "collect", "return", "other", "supervisor")
SOCKET = "screen.sock"
CAMERA_SOCKET = "camera.sock"
MAX_SOCKET_BYTES = 107  # sockaddr_un(7): 108 with the zero at its end

Pin = Annotated[int, Meta(ge=0, le=27)]
Point = tuple[Annotated[float, Meta(ge=0, le=1)], Annotated[float, Meta(ge=0, le=1)]]
ButtonName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class Broker(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is, and the directory with ca.crt, tls.crt and tls.key of this device, which the
    program renews there by itself. At `vault_port` of the same host it asks for that."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    identity: str
    port: Annotated[int, Meta(ge=1, le=65535)] = 8883
    vault_port: Annotated[int, Meta(ge=1, le=65535)] = 8444


class Outbox(Struct, frozen=True, forbid_unknown_fields=True):
    directory: str = "outbox"


class Button(Struct, frozen=True, forbid_unknown_fields=True):
    """One button between `pin` (BCM number) and ground; with pull_up = false, and 3.3 V.

    `touch`: it is also a key on the screen, or only there if it has no pin. A smiley has a `score`, and may
    have a `lamp` of its own.
    """

    name: ButtonName
    action: Literal["help", "cancel", "attend", "security", "looking", "language", "smiley"]
    pin: Pin | None = None
    topic: str | None = None
    touch: bool = False
    score: Annotated[int, Meta(ge=1, le=4)] | None = None
    lamp: Pin | None = None
    pull_up: bool = True
    hold_s: Annotated[float, Meta(ge=0.5, le=5.0)] | None = None

    @property
    def held_s(self) -> float:
        """How long a security button must be held."""
        return 1.5 if self.hold_s is None else float(self.hold_s)


class Security(Struct, frozen=True, forbid_unknown_fields=True):
    """How a silent security request is raised here besides a button with action 'security', and what it does.

    The two buttons `together`, held for `hold_s`, raise one; each of them counts 0.2 s later for itself.
    `relay` drives a siren or a strobe light for `relay_s` when the store cannot be reached, or 'always'.
    `pulse` drives something that only the caller notices: once when the store has it, twice when somebody
    has answered.
    """

    together: Annotated[list[ButtonName], Meta(max_length=2)] = []
    hold_s: Annotated[float, Meta(ge=0.5, le=5.0)] = 1.5
    relay: Pin | None = None
    relay_when: Literal["unheard", "always"] = "unheard"
    relay_s: Annotated[int, Meta(ge=5, le=900)] = 120
    pulse: Pin | None = None


class Lamp(Struct, frozen=True, forbid_unknown_fields=True):
    """One lamp on `pin`, or one of three colours on `red`, `green` and `blue`."""

    pin: Pin | None = None
    red: Pin | None = None
    green: Pin | None = None
    blue: Pin | None = None


class Buzzer(Struct, frozen=True, forbid_unknown_fields=True):
    pin: Pin


class Motion(Struct, frozen=True, forbid_unknown_fields=True):
    """A sensor on `pin` that is high while somebody moves before it; low with pull_up = true."""

    name: ButtonName
    pin: Pin
    way: Literal["in", "out"]
    cool_down_s: Annotated[int, Meta(ge=1, le=3600)] = 60
    pull_up: bool = False


class Contact(Struct, frozen=True, forbid_unknown_fields=True):
    """A contact on `pin` that is closed to ground as long as the drawer is shut; with `open_when = "closed"`,
    as long as it is open. With pull_up = false, closed to 3.3 V."""

    name: ButtonName
    pin: Pin
    kind: Literal["drawer"] = "drawer"
    open_when: Literal["open", "closed"] = "open"
    pull_up: bool = True


class Screen(Struct, frozen=True, forbid_unknown_fields=True):
    """The Unix socket at which screens ask; `screen.sock` beside the outbox if it is not given."""

    socket: str | None = None


class Camera(Struct, frozen=True, forbid_unknown_fields=True):
    """A camera beside the panel. `source` is 'picamera', 'scene' (drawn, for trying), a device as
    /dev/video0, an address as rtsp://… or the path of a video file. Footage is kept for every security
    request, for the help topics in `on_help` and when the server asks; `lamp` is lit as long as the camera
    watches.

    Clips go to the store at `upload_kib_s` KiB a second at most, 0 for no limit; one that the store has
    sealed stays for `keep_sealed_h` hours while there is room.

    `notice` is what the screen says while the camera watches, instead of the kiosk's own sentences.

    With `watch` its key frames are looked at: for somebody who moves, who is greeted by `greet` as by a
    motion sensor, once in `cool_down_s`; for somebody who stands there for `waiting_s` without a touch, to
    whom the screen offers help, 0 for never; and for whoever covers, turns or blurs it.

    Each of `masks` is a polygon, corners as [x, y] in parts of width and height from the top left.
    """

    source: Annotated[str, Meta(min_length=1, max_length=300)]
    name: ButtonName = "camera"
    width: Annotated[int, Meta(ge=160, le=3840)] = 1280
    height: Annotated[int, Meta(ge=120, le=2160)] = 720
    frame_rate: Annotated[int, Meta(ge=1, le=60)] = 25
    loop: bool = False
    pre_s: Annotated[int, Meta(ge=0, le=60)] = 30
    post_s: Annotated[int, Meta(ge=0, le=300)] = 60
    longest_s: Annotated[int, Meta(ge=10, le=900)] = 600
    memory_mb: Annotated[int, Meta(ge=1, le=512)] = 32
    on_help: list[str] = []
    lamp: Pin | None = None
    notice: Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    masks: Annotated[
        list[Annotated[list[Point], Meta(min_length=3, max_length=64)]], Meta(max_length=32)
    ] = []
    clips: str = "clips"
    clips_mb: Annotated[int, Meta(ge=10, le=1_000_000)] = 8000
    free_mb: Annotated[int, Meta(ge=10, le=1_000_000)] = 500
    upload_kib_s: Annotated[int, Meta(ge=0, le=1_000_000)] = 512
    keep_sealed_h: Annotated[float, Meta(ge=0, le=168)] = 24
    watch: bool = True
    greet: Literal["in", "out"] | None = None
    cool_down_s: Annotated[int, Meta(ge=1, le=3600)] = 60
    waiting_s: Annotated[int, Meta(ge=0, le=3600)] = 0
    socket: str | None = None


class Update(Struct, frozen=True, forbid_unknown_fields=True):
    """Releases from the store's server, for a kiosk whose program lies in two slots below `root`: without
    [update] none are taken. `directory` is where they are kept on their way, `word` where the kiosk says how
    it is, in `directory` unless it is a whole path: best on a tmpfs. They come at `limit_kib_s` KiB a second
    at most, 0 for no limit.

    A new release has `healthy_within_s` to run for `steady_s` without a new start and to reach the store.
    """

    directory: str = "updates"
    word: str = "word.json"
    root: str = "/opt/floorbell"
    limit_kib_s: Annotated[int, Meta(ge=0, le=1_000_000)] = 512
    healthy_within_s: Annotated[float, Meta(ge=1, le=3600)] = 300
    steady_s: Annotated[float, Meta(ge=0.5, le=1800)] = 120


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole kiosk. Paths are absolute once load() has returned it."""

    store: str
    device: str
    zone: str
    broker: Broker
    button: list[Button]
    languages: Annotated[list[Language], Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["en"])
    language: Language | None = None
    outbox: Outbox = Outbox()
    lamp: Lamp = Lamp()
    buzzer: Buzzer | None = None
    gpio_chip: Annotated[int, Meta(ge=0, le=63)] | None = None
    give_up_s: Annotated[int, Meta(ge=30, le=3600)] = 180
    repeat_window_s: Annotated[int, Meta(ge=1, le=60)] = 5
    offer_after_s: Annotated[int, Meta(ge=10, le=3600)] = 180
    screen: Screen | None = None
    motion: list[Motion] = []
    contact: Annotated[list[Contact], Meta(max_length=1)] = []
    security: Security = Security()
    camera: Camera | None = None
    log: Log = Log()
    update: Update | None = None
    feedback_url: Annotated[str, Meta(max_length=200, pattern=r"^https?://[!-~]+/$")] | None = None

    @property
    def spoken(self) -> str:
        """The language that a request begins with."""
        return self.language or self.languages[0]

    @property
    def identity(self) -> Path:
        return Path(self.broker.identity)

    @property
    def wired(self) -> list[tuple[Button, int]]:
        """The buttons that there are to press, each with its pin."""
        return [(button, button.pin) for button in self.button if button.pin is not None]

    @property
    def screen_socket(self) -> Path | None:
        """Where the panel serves its screens; None without [screen]."""
        return None if self.screen is None else Path(self.screen.socket or self.outbox_directory / SOCKET)

    @property
    def camera_socket(self) -> Path | None:
        """Where the panel serves its camera; None without [camera]."""
        if self.camera is None:
            return None
        return Path(self.camera.socket or self.outbox_directory / CAMERA_SOCKET)

    @property
    def outbox_directory(self) -> Path:
        return Path(self.outbox.directory)


def load(path: Path) -> Config:
    """The checked configuration. SettingsError is the one sentence to show instead of starting."""
    config = settings.load(path, Config)
    _check(config, str(path))
    config = resolved(config, path.resolve().parent)
    for key, socket in (("screen", config.screen_socket), ("camera", config.camera_socket)):
        if socket is not None and len(os.fsencode(socket)) > MAX_SOCKET_BYTES:
            raise SettingsError(
                f"{path}: {key}.socket is {str(socket)!r}; "
                f"allowed is a path of at most {MAX_SOCKET_BYTES} bytes."
            )
    return config


def resolved(config: Config, base: Path) -> Config:
    """The same with its relative paths beside `base`."""
    screen = config.screen
    if screen is not None and screen.socket is not None:
        screen = msgspec.structs.replace(screen, socket=str(base / screen.socket))
    camera = config.camera
    if camera is not None:
        camera = msgspec.structs.replace(
            camera,
            clips=str(base / camera.clips),
            socket=None if camera.socket is None else str(base / camera.socket),
            source=str(base / camera.source) if _is_file(camera.source) else camera.source,
        )
    update = config.update
    if update is not None:
        folder = base / update.directory
        update = msgspec.structs.replace(
            update, directory=str(folder), word=str(folder / update.word), root=str(base / update.root)
        )
    return msgspec.structs.replace(
        config,
        screen=screen,
        camera=camera,
        update=update,
        broker=msgspec.structs.replace(config.broker, identity=str(base / config.broker.identity)),
        outbox=msgspec.structs.replace(config.outbox, directory=str(base / config.outbox.directory)),
    )


def _check(config: Config, where: str) -> None:
    def wrong(key: str, value: object, allowed: str) -> SettingsError:
        return SettingsError(f"{where}: {key} is {value!r}; {allowed}.")

    try:
        topics.check_name(config.store, "store")
        topics.check_device_name(config.device)
        topics.check_name(config.zone, "zone")
    except ContractError as error:
        raise SettingsError(f"{where}: {error.reason}") from None
    if config.spoken not in config.languages:
        raise wrong("language", config.language, f"allowed are the languages {', '.join(config.languages)}")
    names: set[str] = set()
    for index, button in enumerate(config.button):
        key = f"button[{index}]"
        if button.name in names:
            raise wrong(f"{key}.name", button.name, "another button has this name; each needs its own")
        names.add(button.name)
        if button.action == "help":
            if button.topic not in TOPICS:
                raise wrong(f"{key}.topic", button.topic, f"allowed are {', '.join(TOPICS)}")
        elif button.topic is not None:
            raise wrong(f"{key}.topic", button.topic, "only a button with action 'help' has a topic")
        if button.hold_s is not None and button.action != "security":
            raise wrong(f"{key}.hold_s", button.hold_s, "only a button with action 'security' is held")
        _check_touch(button, key, config.screen is not None, wrong)
    for index, motion in enumerate(config.motion):
        if motion.name in names:
            raise wrong(
                f"motion[{index}].name", motion.name, "something else has this name; each needs its own"
            )
        names.add(motion.name)
    for index, contact in enumerate(config.contact):
        if contact.name in names:
            raise wrong(
                f"contact[{index}].name", contact.name, "something else has this name; each needs its own"
            )
        names.add(contact.name)
    if not any(button.action == "help" for button in config.button):
        raise SettingsError(f"{where}: button: there must be at least one with action 'help'.")
    _check_together(config, wrong)
    if config.camera is not None:
        _check_camera(config.camera, config, names, wrong)
    if config.update is not None and config.update.steady_s >= config.update.healthy_within_s:
        allowed = f"allowed is less than healthy_within_s, {config.update.healthy_within_s:g}"
        raise wrong("update.steady_s", config.update.steady_s, allowed)
    _check_lamp(config.lamp, where)
    _check_pins(config, where)


def _check_touch(
    button: Button, key: str, screen: bool, wrong: Callable[[str, object, str], SettingsError]
) -> None:
    if button.touch and not screen:
        raise wrong(f"{key}.touch", True, "only a kiosk with a [screen] has keys to touch")
    if button.touch and button.action in ("security", "smiley", "language"):
        raise wrong(f"{key}.touch", True, f"a button with action {button.action!r} is no key on the screen")
    if button.pin is None and not button.touch:
        raise wrong(f"{key}.pin", None, "a button needs a pin of 0 to 27, or touch = true")
    if (button.action == "smiley") != (button.score is not None):
        raise wrong(
            f"{key}.score", button.score, "a button with action 'smiley', and no other, has one of 1 to 4"
        )
    if button.lamp is not None and button.action != "smiley":
        raise wrong(f"{key}.lamp", button.lamp, "only a button with action 'smiley' has a lamp of its own")


def _check_together(config: Config, wrong: Callable[[str, object, str], SettingsError]) -> None:
    pair = config.security.together
    able = [button.name for button, _ in config.wired if button.action != "security"]
    if pair and (len(set(pair)) != 2 or not set(pair) <= set(able)):
        allowed = f"allowed are two different ones of {', '.join(able) or 'no button with a pin'}"
        raise wrong("security.together", pair, allowed)


def _is_file(source: str) -> bool:
    return source not in ("picamera", "scene") and "://" not in source


def _check_camera(
    camera: Camera, config: Config, names: set[str], wrong: Callable[[str, object, str], SettingsError]
) -> None:
    topics_here = [b.topic for b in config.button if b.action == "help" and b.topic]
    for index, topic in enumerate(camera.on_help):
        if topic not in topics_here:
            allowed = f"allowed are the topics of this kiosk's buttons, {', '.join(topics_here)}"
            raise wrong(f"camera.on_help[{index}]", topic, allowed)
    if "://" in camera.source and not camera.source.startswith(
        ("rtsp://", "rtsps://", "http://", "https://")
    ):
        raise wrong("camera.source", camera.source, "allowed are addresses with rtsp, rtsps, http or https")
    if camera.loop and (not _is_file(camera.source) or camera.source.startswith("/dev/")):
        raise wrong("camera.loop", True, "only a video file can begin again")
    for key, value in (("greet", camera.greet), ("waiting_s", camera.waiting_s)):
        if value and not camera.watch:
            raise wrong(f"camera.{key}", value, "only a camera with watch = true sees anybody")
    if camera.greet is not None and camera.name in names:
        raise wrong("camera.name", camera.name, "something else has this name; each needs its own")
    if camera.waiting_s and config.screen is None:
        raise wrong("camera.waiting_s", camera.waiting_s, "only a kiosk with a [screen] can offer help")
    if camera.longest_s < camera.pre_s + camera.post_s:
        needed = f"allowed is at least pre_s + post_s, {camera.pre_s + camera.post_s}"
        raise wrong("camera.longest_s", camera.longest_s, needed)


def _check_lamp(lamp: Lamp, where: str) -> None:
    colours = [lamp.red, lamp.green, lamp.blue]
    if any(pin is not None for pin in colours):
        if lamp.pin is not None:
            raise SettingsError(f"{where}: lamp has both pin and colours; allowed is one or the other.")
        if any(pin is None for pin in colours):
            raise SettingsError(f"{where}: lamp: a colour lamp needs all of red, green and blue.")


def _check_pins(config: Config, where: str) -> None:
    used: dict[int, str] = {}
    wanted: list[tuple[str, int | None]] = [
        (f"button[{i}].pin", button.pin) for i, button in enumerate(config.button)
    ]
    wanted += [(f"button[{i}].lamp", button.lamp) for i, button in enumerate(config.button)]
    wanted += [(f"motion[{i}].pin", motion.pin) for i, motion in enumerate(config.motion)]
    wanted += [(f"contact[{i}].pin", contact.pin) for i, contact in enumerate(config.contact)]
    wanted += [(f"lamp.{colour}", getattr(config.lamp, colour)) for colour in ("pin", "red", "green", "blue")]
    wanted.append(("buzzer.pin", config.buzzer.pin if config.buzzer else None))
    wanted.append(("camera.lamp", config.camera.lamp if config.camera else None))
    wanted += [(f"security.{key}", getattr(config.security, key)) for key in ("relay", "pulse")]
    for key, pin in wanted:
        if pin is None:
            continue
        if pin in used:
            raise SettingsError(
                f"{where}: {key} is {pin}, which {used[pin]} uses already; each needs its own pin of 0 to 27."
            )
        used[pin] = key
