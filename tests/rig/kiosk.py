"""A real kiosk program of the trial store on mock pins, and the hand that presses its buttons."""

from collections.abc import Sequence
from pathlib import Path

from deploy.demo.control import Hand
from tests.rig.store import STORE, Rig

BUTTONS = {
    "find-item": (17, "help"),
    "till": (27, "help"),
    "collect": (22, "help"),
    "return": (5, "help"),
    "cancel": (6, "cancel"),
    "here": (13, "attend"),
}


def configure(
    rig: Rig,
    device: str,
    outbox: Path | None = None,
    hold_s: float = 0.5,
    *,
    called: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    window_s: int = 5,
    screen: bool = False,
    camera: str = "",
) -> Path:
    """Write the kiosk's configuration and return its path. `outbox` elsewhere than beside it, if given.

    `called` is its folder where two kiosks share one identity; `host` and `port` lead to the broker. `screen`
    makes each button but security a key as well; `camera` is what stands under [camera], if it has one.
    """
    folder = rig.directory / "kiosks" / (called or device)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f'store = "{STORE}"',
        f'device = "{device}"',
        'zone = "shoes"',
        'languages = ["en", "ca"]',
        f"repeat_window_s = {window_s}",
        "[broker]",
        f'host = "{host}"',
        f"port = {port or rig.config.broker.port}",
        f'identity = "{rig.directory / "devices" / device}"',
        "[outbox]",
        f'directory = "{outbox or folder / "outbox"}"',
    ]
    for name, (pin, action) in BUTTONS.items():
        lines += ["[[button]]", f'name = "{name}"', f"pin = {pin}", f'action = "{action}"']
        lines += [f'topic = "{name}"'] if action == "help" else []
        lines += ["touch = true"] if screen else []
    lines += ["[[button]]", 'name = "security"', "pin = 26", 'action = "security"', f"hold_s = {hold_s}"]
    lines += ["[screen]"] if screen else []
    lines += ["[lamp]", "red = 18", "green = 23", "blue = 24"]
    lines += ["[camera]", camera] if camera else []
    path = folder / "kiosk.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def start(rig: Rig, device: str, prefix: Sequence[str] = ()) -> Hand:
    """Start the kiosk program of a configured device; it runs as the process named like the device."""
    folder = rig.directory / "kiosks" / device
    socket = folder / "hand"
    command = ("-m", "deploy.demo.kiosk", "--config", str(folder / "kiosk.toml"), "--socket", str(socket))
    rig.start(device, *command, prefix=prefix)
    return Hand(socket)


def start_camera(rig: Rig, device: str, prefix: Sequence[str] = ()) -> None:
    """Start the camera program of a configured device, as the process DEVICE-camera."""
    config = rig.directory / "kiosks" / device / "kiosk.toml"
    rig.start(f"{device}-camera", "-m", "kiosk", "camera", "--config", str(config), prefix=prefix)
