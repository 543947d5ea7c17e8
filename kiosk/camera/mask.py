"""Privacy masks: polygons painted over before a picture is encoded, so that no stored byte shows them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from broker.manifest import Mask

_BLACK = (16, 128, 128)  # of Y, U and V


class Masks:
    """The masks of one picture size, drawn once and laid over every picture. Edges are widened to whole
    blocks of 2 by 2, so that no colour of a masked place remains beside it."""

    def __init__(self, masks: Sequence[Mask], width: int, height: int) -> None:
        self._planes = [covered(masks, width, height)]
        self._planes += [_halved(self._planes[0])] * 2 if masks else []
        self._any = bool(masks)

    def paint(self, picture: np.ndarray[Any, Any]) -> None:
        """Black out the masked parts of a picture in yuv420p as PyAV gives it: (height * 3 / 2, width)."""
        if not self._any:
            return
        height, width = self._planes[0].shape
        picture[:height][self._planes[0]] = _BLACK[0]
        chroma = picture[height:].reshape(2, height // 2, width // 2)
        for plane, mask, value in zip(chroma, self._planes[1:], _BLACK[1:], strict=True):
            plane[mask] = value


def covered(masks: Sequence[Mask], width: int, height: int) -> np.ndarray[Any, Any]:
    """Which pixels are masked, as booleans of (height, width)."""
    drawn = np.zeros((height, width), np.uint8)
    if masks:
        import cv2  # 20 MB that a camera without masks does without

        for mask in masks:
            corners = np.array([(round(x * width), round(y * height)) for x, y in mask.points], np.int32)
            cv2.fillPoly(drawn, [corners], [1])
            cv2.polylines(drawn, [corners], True, [1], thickness=2)
    return _widened(drawn.astype(bool))


def _widened(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    height, width = mask.shape
    return np.asarray(np.kron(_halved(mask), np.ones((2, 2), bool)))[:height, :width]


def _halved(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    height, width = mask.shape
    return np.asarray(mask.reshape(height // 2, 2, width // 2, 2).any(axis=(1, 3)))
