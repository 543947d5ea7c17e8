"""What a kiosk says is wrong with it, and what of that can come of a call. The kiosk's own sentences."""

import ast
from pathlib import Path

import pytest

import kiosk
from edge.hearing import tells_of_a_call

KIOSK = Path(kiosk.__file__).parent


def sentences(module: str, called: str) -> list[str]:
    """The fixed parts of what is given to each call of this name."""
    tree = ast.parse((KIOSK / module).read_text(encoding="utf-8"))
    calls = (
        one for one in ast.walk(tree) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
    )
    told = (one.args[0] for one in calls if one.func.attr == called and one.args)  # type: ignore[attr-defined]
    found = [
        "".join(str(part.value) for part in ast.walk(one) if isinstance(part, ast.Constant)) for one in told
    ]
    return [one for one in found if " " in one]


@pytest.mark.parametrize(
    ("module", "called"), [("camera/recorder.py", "_tell"), ("camera/uploader.py", "append")]
)
def test_whatever_is_said_of_clips_can(module: str, called: str) -> None:
    found = sentences(module, called)
    assert len(found) >= 3
    assert [one for one in found if not tells_of_a_call(one)] == []


def test_what_became_of_an_event_can_and_what_is_only_the_machines_cannot() -> None:
    of_outbox = sentences("storing.py", "append")
    assert (
        [one for one in of_outbox if "event" in one]
        == [one for one in of_outbox if tells_of_a_call(one)]
        != []
    )
    for sentence in (
        "The outbox was damaged and set aside as outbox-1.",
        "Another program uses the identity of this kiosk.",
        "Watching the camera's pictures failed; it records all the same.",
        "The camera gives a key frame only every 10 s; set it to one in 2 s for watching.",
    ):
        assert not tells_of_a_call(sentence)
