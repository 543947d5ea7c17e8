"""The published contract says exactly what the code does."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import broker
from broker import codec, events, messages, pages, questions, topics, witness

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(broker.__file__).parent / "asyncapi.yaml").read_text(encoding="utf-8")
)
SCHEMAS = DOCUMENT["components"]["schemas"]
MESSAGES = DOCUMENT["components"]["messages"]
RECORDS: list[type[msgspec.Struct]] = [
    *events.CONTENT.values(),
    events.Envelope,
    events.Clock,
    messages.Refusal,
    messages.Receipt,
    messages.Call,
    *messages.Command.__args__,
    messages.DeviceState,
    messages.Heartbeat,
    messages.EdgeState,
    messages.EdgeHeartbeat,
    messages.FeedCursor,
    pages.Page,
    witness.TreeHead,
    witness.Restoration,
    witness.Before,
    witness.HeadShown,
    witness.HeadKept,
    witness.HeadRefused,
]
OTHER_RECORDS: dict[str, Any] = {
    "state": messages.DeviceState,
    "heartbeat": messages.Heartbeat,
    "receipt": messages.Receipt,
    "call": messages.Call,
    "edgeState": messages.EdgeState,
    "edgeHeartbeat": messages.EdgeHeartbeat,
    "feed": messages.FeedCursor,
    "page": pages.Page,
    "headShown": witness.HeadShown,
    "headKept": witness.HeadKept,
    "headRefused": witness.HeadRefused,
}
COMMANDS: dict[str, Any] = {record.__struct_config__.tag: record for record in messages.Command.__args__}
EXAMPLES = [(name, example) for name, message in MESSAGES.items() for example in message["examples"]]


def normal(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """One shape for what the two sides write differently: references, null as a type, order, prose."""
    schema = dict(schema)
    if "$ref" in schema:
        return normal(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    nullable = False
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        (other,) = [choice for choice in schema.pop("anyOf") if choice != {"type": "null"}]
        schema, nullable = {**schema, **normal(other, definitions)}, True
    if isinstance(schema.get("type"), list):
        (schema["type"],) = [name for name in schema["type"] if name != "null"]
        nullable = True
    for prose in ("title", "description"):
        schema.pop(prose, None)
    if "enum" in schema:
        nullable = nullable or None in schema["enum"]
        schema["enum"] = sorted(choice for choice in schema["enum"] if choice is not None)
    if schema.get("type") == "object":
        schema["required"] = sorted(schema.get("required", []))
    if "properties" in schema:
        schema["properties"] = {
            name: normal(value, definitions) for name, value in schema["properties"].items()
        }
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            schema[inner] = normal(schema[inner], definitions)
    return {**schema, "nullable": True} if nullable else schema


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_record_has_the_schema_that_is_published(record: type[msgspec.Struct]) -> None:
    schema = msgspec.json.schema(record)
    assert normal(SCHEMAS[record.__name__], SCHEMAS) == normal(schema, schema["$defs"])


def test_no_schema_is_published_that_no_code_reads() -> None:
    assert set(SCHEMAS) == {record.__name__ for record in RECORDS} | {"CallState"}


def test_every_channel_has_the_address_that_the_code_uses() -> None:
    addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
    expected = {
        str(channel): topics.of_device("{store}", "{device}", channel)
        for channel in topics.Channel
        if channel is not topics.Channel.EVENT
    }
    expected["event"] = topics.event("{store}", "{device}", "{kind}")
    expected["edgeState"] = topics.edge_state("{store}")
    expected["edgeHeartbeat"] = topics.edge_heartbeat("{store}")
    expected["feed"] = topics.feed("{store}")
    expected["page"] = topics.pager_page("{store}", "{pager}")
    assert addresses == expected


def test_every_parameter_of_an_address_is_described() -> None:
    for channel in DOCUMENT["channels"].values():
        named = {part[1:-1] for part in channel["address"].split("/") if part.startswith("{")}
        assert set(channel["parameters"]) == named


def test_the_kinds_are_the_codes_kinds() -> None:
    channel = DOCUMENT["channels"]["event"]
    assert tuple(channel["parameters"]["kind"]["enum"]) == events.KINDS
    assert tuple(channel["messages"]) == events.KINDS
    for kind, content in events.CONTENT.items():
        assert MESSAGES[kind]["payload"]["$ref"] == "#/components/schemas/Envelope"
        assert MESSAGES[kind]["x-data"]["$ref"] == f"#/components/schemas/{content.__name__}"


def test_the_commands_are_the_codes_commands() -> None:
    assert set(DOCUMENT["channels"]["command"]["messages"]) == set(COMMANDS)
    for name, record in (OTHER_RECORDS | COMMANDS).items():
        assert MESSAGES[name]["payload"]["$ref"] == f"#/components/schemas/{record.__name__}"


def test_every_reference_leads_somewhere() -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                found = DOCUMENT
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    follow(DOCUMENT)


def test_the_call_texts_are_the_codes_texts() -> None:
    published = DOCUMENT["x-call-texts"]
    assert {key: tuple(text["args"]) for key, text in published.items()} == messages.CALL_TEXTS
    for text in published.values():
        for argument in text["args"]:
            assert "{" + argument + "}" in text["meaning"]


def test_the_questions_are_the_codes_questions() -> None:
    assert {name: tuple(answers) for name, answers in DOCUMENT["x-questions"].items()} == questions.QUESTIONS


def test_the_prose_names_the_size_limit() -> None:
    assert f"{events.MAX_EVENT_BYTES:,} bytes" in DOCUMENT["info"]["description"]


@pytest.mark.parametrize(
    ("name", "example"), EXAMPLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_example_is_understood(name: str, example: dict[str, Any]) -> None:
    payload = json.dumps(example["payload"]).encode()
    if name in events.CONTENT:
        event = codec.decode_event("shop", topics.event("shop", "kiosk-1", name), payload)
        assert isinstance(event.content, events.CONTENT[name])
    elif name in COMMANDS:
        assert isinstance(codec.decode_command(payload), COMMANDS[name])
    else:
        record = codec.decode(payload, OTHER_RECORDS[name])
        if isinstance(record, messages.Call | pages.Page):
            assert record.reference == events.reference_of(record.request)


def test_every_message_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == set(MESSAGES)
