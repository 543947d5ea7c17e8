"""What watching the pictures tells, for the camera's program and the panel: nothing heavy stands here."""

from dataclasses import dataclass
from typing import Literal

Tamper = Literal["none", "unknown", "covered", "frozen", "moved", "defocused"]

SENTENCES: dict[Tamper, str] = {
    "covered": "Something covers the camera, or it is quite dark; look at its lens.",
    "frozen": "The camera gives the same picture again and again; switch it off and on.",
    "moved": "The camera looks elsewhere than before; set it right.",
    "defocused": "The camera's picture is blurred; clean its lens and set its focus.",
}


@dataclass(frozen=True)
class Seen:
    """`moving`: somebody is there, or something moves. `stands_since_s`: since when one and the same place
    has had somebody. `tamper` is 'unknown' as long as there is nothing to compare with."""

    moving: bool = False
    stands_since_s: float | None = None
    tamper: Tamper = "unknown"
