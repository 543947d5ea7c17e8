"""What devices say in English is known on phones, word by word as kiosks say it."""

from typing import get_args

import pytest

from edge.supervision.facts import WELL_CAMERA
from edge.web import device_words
from edge.web.languages import COOKIE
from edge.web.sentences import said_here
from kiosk import cameras
from kiosk.camera import seen, source

from .conftest import Shop


def test_every_word_that_a_kiosk_says_of_its_camera_is_known() -> None:
    states = {str(state) for state in source.CameraState} | {cameras.ABSENT, cameras.HUNG}
    assert set(device_words.CAMERA_STATES) == states - WELL_CAMERA
    done = {f"camera {what}" for what in get_args(seen.Tamper) if what not in ("none", "unknown")}
    assert done <= set(device_words.TAMPERINGS)
    said = {source.SENTENCES[state] for state in source.CameraState if state not in WELL_CAMERA}
    assert said | set(seen.SENTENCES.values()) <= set(device_words.FAULTS)


@pytest.mark.parametrize(
    ("english", "italian"),
    [
        (
            "kiosk-1 reported tampering there at 14:02: camera covered.",
            "kiosk-1 ha segnalato una manomissione lì alle 14:02: telecamera coperta.",
        ),
        ("kiosk-1 says that its camera is black.", "kiosk-1 dice della sua telecamera: immagine nera."),
        # What nobody translated, an error of the system for example, stays as it was said.
        (
            "kiosk-1 says: The camera cannot be used. Disk on fire.",
            "kiosk-1 dice: La telecamera non si può usare. Disk on fire.",
        ),
    ],
)
def test_a_devices_own_words_are_said_in_the_readers_language(shop: Shop, english: str, italian: str) -> None:
    with shop.app.test_request_context("/floor/", headers={"Cookie": f"{COOKIE}=it"}):
        assert said_here(english) == italian
