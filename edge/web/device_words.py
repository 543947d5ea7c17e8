"""What devices say of themselves, known word by word so that a phone can say it in any language.

Kiosks say it in English (kiosk/camera/source.py and seen.py, kiosk/cameras.py, kiosk/health.py); a test holds
these words against theirs. What is not here, such as the error of a disk or the word of somebody else's
device, is shown as it was said.
"""

import re

from edge.web.languages import gettext

CAMERA_STATES = (
    "missing",
    "busy",
    "slow",
    "frozen",
    "black",
    "unplugged",
    "failed",
    "absent",
    "hung",
)
TAMPERINGS = (
    "camera covered",
    "camera frozen",
    "camera moved",
    "camera defocused",
    "custody-log",
)
FAULTS = (
    "There is no such camera; check its cable and its name in kiosk.toml.",
    "Another program holds the camera; end that one.",
    "The camera gives less than half of its pictures; check its power and its network.",
    "The camera gives no new pictures; switch it off and on.",
    "The camera's picture is black; check its lens and the light.",
    "The camera was there and is gone; check its cable.",
    "The camera cannot be used.",
    "Something covers the camera, or it is quite dark; look at its lens.",
    "The camera gives the same picture again and again; switch it off and on.",
    "The camera looks elsewhere than before; set it right.",
    "The camera's picture is blurred; clean its lens and set its focus.",
    "The camera's program does not run.",
    "The camera's program does not answer.",
    "Another program uses the identity of this kiosk.",
)
WORDS = (*CAMERA_STATES, *TAMPERINGS, *FAULTS)
_ENDS = re.compile(r"(?<=\.) ")


def device_here(said: str) -> str:
    """A device's word, or its sentences one by one, in the reader's language."""
    if said in WORDS:
        return gettext(said)
    return " ".join(gettext(part) if part in WORDS else part for part in _ENDS.split(said))
