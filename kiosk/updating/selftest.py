"""`kiosk check --self`: a release, not yet in use, loads what it will run here."""

from kiosk import VERSION
from kiosk.config import Config


def run(config: Config) -> int:
    """0, and the version as the last line. What is wrong is raised."""
    from kiosk import outbox, program

    loaded = [program.__name__, outbox.__name__]
    if config.screen is not None:
        from kiosk.screen import program as screen

        loaded.append(screen.__name__)
    if config.camera is not None:
        from kiosk.camera import program as camera

        loaded.append(camera.__name__)
    print(f"{', '.join(loaded)} can be loaded, and the configuration of {config.device} be read.")
    print(VERSION)
    return 0
