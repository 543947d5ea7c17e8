"""webhook.md tells the truth: its example checks what is really sent, and its names are those of the code."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import edge.messenger
from edge.messenger import webhook
from edge.outside import rules, wording
from edge.outside.channels import SECURITY
from edge.outside.wording import WHATS, Facts
from tests.rig.receiver import KEY, SECRET

DOCUMENT = (Path(edge.messenger.__file__).parent / "webhook.md").read_text()


@pytest.fixture(scope="module")
def verify() -> Any:
    found = re.search(r"```python\n(.*?)```", DOCUMENT, re.S)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names["verify"]


def sent() -> tuple[dict[str, str], bytes]:
    now = datetime.now(UTC)
    body = wording.body(SECURITY, Facts("shop", "Shop", now, "tills", "Tills"))
    return webhook.headers_for(KEY, "an-id", int(time.time()), body), body


def test_the_example_accepts_what_the_messenger_sends(verify: Any) -> None:
    heads, body = sent()
    assert verify(SECRET, heads, body)["data"]["zone"] == "tills"


def test_the_example_refuses_what_was_changed_on_its_way_or_is_old(verify: Any) -> None:
    heads, body = sent()
    for wrong, changed in (
        (heads | {"webhook-id": "another"}, body),
        (heads, body.replace(b"tills", b"shoes")),
        (heads | {"webhook-timestamp": str(int(heads["webhook-timestamp"]) - 1)}, body),
        (webhook.headers_for(KEY, "an-id", int(time.time()) - 600, body), body),
        (webhook.headers_for(b"x" * 32, "an-id", int(time.time()), body), body),
    ):
        with pytest.raises(ValueError):
            verify(SECRET, wrong, changed)


def test_its_types_fields_and_answers_are_those_of_the_code() -> None:
    for what in WHATS:
        assert f"`{what}`" in DOCUMENT
    for field in ("store", "zone", "happened_at", "reference", "class", "number", "outcome", "name", "link"):
        assert field in DOCUMENT
    listed = re.search(r"([\d, and]+) refuse it for good", DOCUMENT)
    assert listed and {int(n) for n in re.findall(r"\d+", listed[1])} == rules.FOR_GOOD
