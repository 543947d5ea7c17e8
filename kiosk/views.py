"""What the screens are shown: a View from a Display and what stands beside it. Pure.

There is no other source, so that what passes around the Display, as a silent request does, is in no View.
"""

from kiosk.config import Config
from kiosk.display import Display
from kiosk.screen.messages import Filming, Key, View
from kiosk.visit import Beside


class Views:
    """See the module."""

    def __init__(self, config: Config) -> None:
        self._languages = list(config.languages)
        self._zone = config.zone
        camera = config.camera
        self._filming = None if camera is None else Filming()
        self._watching = None if camera is None else Filming(True, camera.pre_s, camera.notice)
        open_keys, other_keys = list[Key](), list[Key]()
        for button in config.button:
            real = button.pin is not None
            match button.action if button.touch else None:
                case "help":
                    other_keys.append(Key(button.name, "help", button.topic, real))
                case "looking":
                    other_keys.append(Key(button.name, "looking", None, real))
                case "cancel":
                    open_keys.append(Key(button.name, "cancel", None, real))
                case "attend":
                    open_keys.append(Key(button.name, "attend", None, real))
        self._keys = {True: open_keys, False: other_keys}

    def of(self, display: Display, beside: Beside, number: int, watching: bool = False) -> View:
        """`watching`: the camera's lamp is lit."""
        return View(
            number=number,
            language=beside.language,
            languages=self._languages,
            state=display.state.value,
            text=display.text,
            keys=self._keys[beside.is_open],
            args=dict(display.args),
            name=display.name,
            reference=display.reference,
            since_s=display.since_s,
            news=display.news,
            note=beside.note,
            offer=beside.offer,
            asking=beside.asking,
            filming=self._watching if watching else self._filming,
            zone=self._zone,
        )
