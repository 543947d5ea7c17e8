"""Which source stands behind `source` in kiosk.toml."""

from pathlib import Path

from broker.manifest import Mask
from kiosk.camera.source import Source
from kiosk.config import Camera


def masks_of(camera: Camera) -> tuple[Mask, ...]:
    return tuple(Mask(list(points)) for points in camera.masks)


def source_of(camera: Camera) -> Source:
    """Not opened yet. What it needs is imported here: a network camera loads nothing of picamera2's."""
    masks = masks_of(camera)
    width, height, rate = camera.width, camera.height, camera.frame_rate
    if camera.source == "picamera":
        from kiosk.camera.picamera import PiCamera

        return PiCamera(width, height, rate, masks)
    if camera.source == "scene":
        from kiosk.camera.scene import Scene

        return Scene(width, height, rate, masks)
    from kiosk.camera import containers

    if "://" in camera.source:
        return containers.ContainerSource(containers.network(camera.source), masks)
    if camera.source.startswith("/dev/"):
        return containers.ContainerSource(containers.usb(camera.source, width, height, rate), masks)
    return containers.ContainerSource(containers.file(Path(camera.source), camera.loop), masks)
