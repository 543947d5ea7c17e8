"""`floorbell camera masks`: one picture as it is stored, with the masks outlined, for setting them up."""

import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from kiosk.camera.opening import masks_of, source_of
from kiosk.camera.source import Packet, SourceError
from kiosk.config import Config
from kiosk.errors import KioskError

WAIT_S = 15.0
_YELLOW = (0, 220, 255)
_KINDS = (".jpg", ".jpeg", ".png")


def masks(config: Config, path: Path) -> None:
    """Write the picture, which shows nothing of what is masked, and say where. KioskError says why not."""
    import cv2

    if config.camera is None:
        raise KioskError("This kiosk has no camera: kiosk.toml has no [camera].")
    if path.suffix.lower() not in _KINDS:
        raise KioskError(f"--picture is {path.name!r}; allowed are names that end in {', '.join(_KINDS)}.")
    picture = _picture(config)
    height, width = picture.shape[:2]
    for number, mask in enumerate(masks_of(config.camera), 1):
        corners = np.array([(round(x * width), round(y * height)) for x, y in mask.points], np.int32)
        cv2.polylines(picture, [corners], True, _YELLOW, thickness=2)
        x, y = corners.min(axis=0)
        at = (max(4, int(x) + 6), max(22, int(y) + 24))
        cv2.putText(picture, f"masks[{number - 1}]", at, cv2.FONT_HERSHEY_SIMPLEX, 0.7, _YELLOW, 2)
    try:
        path.write_bytes(cv2.imencode(path.suffix.lower(), picture)[1].tobytes())
    except OSError as error:
        raise KioskError(f"{path} cannot be written: {error.strerror}.") from None
    sys.stdout.write(f"{path}: {width} × {height}, masks: {len(config.camera.masks)}.\n")


def _picture(config: Config) -> np.ndarray[Any, Any]:
    """The first picture, in blue, green and red; masked before it was encoded, as in a clip."""
    assert config.camera is not None
    source = source_of(config.camera)
    until_s = time.monotonic() + WAIT_S
    decoder: Any = None
    try:
        source.open()
        for packet in source.packets():
            if decoder is None and packet.key:
                decoder = _decoder(packet)
            if decoder is not None:
                for picture in decoder.decode(av.Packet(packet.data)):
                    return np.ascontiguousarray(picture.to_ndarray(format="bgr24"))
            if time.monotonic() > until_s:
                break
    except SourceError as error:
        raise KioskError(error.sentence) from None
    finally:
        source.close()
    raise KioskError(f"The camera gave no picture within {WAIT_S:.0f} s.")


def _decoder(packet: Packet) -> Any:
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    if packet.stream.extradata:
        decoder.extradata = packet.stream.extradata
    return decoder
