"""The pages of both contracts: all of it is there, and what they give as an example is taken."""

import re
import shlex
from typing import Any

import msgspec
import pytest
import yaml

from broker import codec
from edge.web.api import docs, schemas
from edge.web.api.document import document
from edge.web.api.routes import ROUTES
from tests.unit.edge.web.conftest import Shop

DOCUMENT = document(ROUTES, "Riverside")
RECORDS = DOCUMENT["components"]["schemas"]
DEVICES: dict[str, Any] = yaml.safe_load(docs._DEVICES.read_text())


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.name)
def test_the_body_of_every_example_is_one_that_the_address_takes(route: Any) -> None:
    body = schemas.sample(RECORDS[route.body.__name__], RECORDS)
    msgspec.convert(msgspec.json.decode(msgspec.json.encode(body)), route.body)


def test_the_page_of_the_api_has_each_address_with_its_example_and_each_record(shop: Shop) -> None:
    page = shop.app.test_client().get("/api/v1/docs").text
    for route in ROUTES:
        assert f'<b>{route.method}</b> <span class="code">/api/v1{route.path}</span>' in page
    assert page.count("Authorization: Bearer $TOKEN") == len(ROUTES)
    ids = re.findall(r'id="(record-\w+)"', page)
    assert sorted(ids) == sorted(f"record-{name}" for name in RECORDS)
    # No link leads nowhere.
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(re.findall(r'id="([\w-]+)"', page))


def test_an_example_is_one_command_of_a_shell(shop: Shop) -> None:
    with shop.app.test_request_context("/"):
        command = docs.curl("POST", "/api/v1/people/0/presence", {"presence": "it's"})
    words = shlex.split(command)
    assert words[:3] == ["curl", "-X", "POST"] and words[-1].startswith("http://localhost/api/v1/people/0")
    assert msgspec.json.decode(words[words.index("--json") + 1]) == {"presence": "it's"}


def test_the_page_of_devices_has_each_channel_message_record_and_example(shop: Shop) -> None:
    page = shop.app.test_client().get("/api/v1/docs/devices").text
    for name, channel in DEVICES["channels"].items():
        assert f'id="channel-{name}"' in page and channel["address"] in page
    for key in (*DEVICES["components"]["schemas"], *DEVICES["x-call-texts"]):
        assert key in page
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= set(re.findall(r'id="([\w-]+)"', page))
    assert "The server’s" not in page and "<ol><li>Write an event to disk" in page


def test_what_a_device_is_shown_to_send_is_what_the_server_reads(shop: Shop) -> None:
    with shop.app.test_request_context("/"):
        event = docs._channel("event", DEVICES["channels"]["event"], {"send"}, DEVICES["components"])
    sent = 0
    for message in event.messages:
        for _, command in message.examples:
            words = shlex.split(command.replace("\\\n", ""))
            assert words[0] == "mosquitto_pub"
            topic, payload = words[words.index("-t") + 1], words[words.index("-m") + 1]
            assert topic == f"floorbell/v1/riverside/tills-1/event/{message.name}"
            assert codec.decode_event("riverside", topic, payload.encode()).kind == message.name
            sent += 1
    assert sent > 10


def test_a_state_is_shown_to_be_kept_and_a_heartbeat_is_not(shop: Shop) -> None:
    page = shop.app.test_client().get("/api/v1/docs/devices").text
    assert re.search(r"-q 1 -r \\\s+-t floorbell/v1/riverside/tills-1/state", page)
    assert re.search(r"-q 0 \\\s+-t floorbell/v1/riverside/tills-1/heartbeat", page)


def test_the_document_of_devices_is_had_as_it_is(shop: Shop) -> None:
    answer = shop.app.test_client().get("/api/v1/asyncapi.yaml")
    assert answer.mimetype == "application/yaml" and yaml.safe_load(answer.data) == DEVICES


def test_prose_is_escaped_before_it_is_marked() -> None:
    (first, second) = docs.prose("**A** <script> `a<b`.\n\n1. One.\n2. Two `x`.")
    assert first == "<p><strong>A</strong> &lt;script&gt; <code>a&lt;b</code>.</p>"
    assert second == "<ol><li>One.</li><li>Two <code>x</code>.</li></ol>"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 80}, "text, 1 to 80 signs"),
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}, "whole number, from 1 on or null"),
        ({"type": ["string", "null"], "maxLength": 5}, "text, at most 5 signs or null"),
        ({"enum": ["", "a"]}, "one of a, or empty"),
        ({"type": "array", "items": {"type": "boolean"}}, "list of true or false"),
    ],
)
def test_what_a_field_holds_is_said_in_words(schema: dict[str, Any], said: str) -> None:
    assert schemas.words(schema) == said
