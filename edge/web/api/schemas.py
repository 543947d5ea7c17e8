"""JSON schemas for people: what a field may hold, in words, and an example that is taken. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
# What fits the patterns that our documents have, tried in this order.
_PLAIN = ("tills", "help", "riverside", "en", "EUR", "0" * 64, "00000000", "08:30", "2026-03-04")
# What stands in a field of this name, where its pattern takes it.
_LIKELY = {
    "name": "Marta",
    "person": "019a3c5e-7b20-7000-8000-000000000001",
    "to": "019a3c5e-7b20-7000-8000-000000000001",
    "class": "theft",
    "role": "associate",
    "outcome": "helped",
    "presence": "available",
    "reason": "Agreed with the manager.",
    "why": "Agreed with the manager.",
    "words": "As it was told.",
    "text": "As it was told.",
    "zone": "tills",
}
_UUID, _AT = "019a3c5e-7b1f-7a68-9c3d-2f4b8a7e6d15", "2026-03-04T10:15:00Z"
_FORMATS = {"uuid": _UUID, "date-time": _AT, "date": "2026-03-04"}
_FORMAT_NAMES = {"uuid": "UUID", "date-time": "time (RFC 3339)", "date": "day"}
_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


@dataclass(frozen=True)
class Field:
    """`record` names the record that it holds, or a list of which it holds."""

    name: str
    kind: str
    record: str | None
    required: bool
    told: str


def fields(schema: Schema) -> list[Field]:
    """The fields of a record, as they stand in it."""
    needed = schema.get("required", ())
    return [
        Field(name, words(about), record(about), name in needed, about.get("description", ""))
        for name, about in schema.get("properties", {}).items()
    ]


def record(schema: Schema) -> str | None:
    """The name of the record that is meant, or a list of which is."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    of = schema.get("items")
    inner = [*schema.get("anyOf", ()), *([of] if isinstance(of, dict) else ())]
    return next((found for one in inner if (found := record(one))), None)


def words(schema: Schema) -> str:
    """What it may hold, without the name of a record."""
    if "$ref" in schema:
        return "record"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words(one) for one in schema["anyOf"]))
    if "enum" in schema:
        named = ", ".join(str(one) for one in schema["enum"] if one != "")
        return f"one of {named}, or empty" if "" in schema["enum"] else f"one of {named}"
    if "const" in schema:
        return f"always {schema['const']}"
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(words({**schema, "type": one}) for one in kind)
    if kind == "null":
        return "null"
    if kind == "array":
        of = schema.get("items")
        return f"list of {words(of)}" if isinstance(of, dict) and of else "list"
    if kind == "object":
        return "object"
    name = _FORMAT_NAMES.get(schema.get("format", "")) or _NAMES.get(kind, str(kind))
    return ", ".join([name, *_limits(schema)])


def _limits(schema: Schema) -> list[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    found = []
    if low is not None or high is not None:
        found.append(f"{low} to {high}" if None not in (low, high) else _one_sided(low, high))
    if schema.get("type") != "string" and not isinstance(schema.get("type"), list):
        return found
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if most is not None:
        found.append(f"{least} to {most} signs" if least else f"at most {most} signs")
    elif least:
        found.append(f"at least {least} sign{'s' if least > 1 else ''}")
    return found


def _one_sided(low: object, high: object) -> str:
    return f"from {low} on" if high is None else f"at most {high}"


def sample(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """A value that the schema takes, with the required fields alone; `name` is the field's."""
    if "$ref" in schema:
        return sample(schemas[record(schema) or ""], schemas)
    if examples := schema.get("examples"):
        return examples[0]
    if "anyOf" in schema:
        return sample(next(one for one in schema["anyOf"] if one.get("type") != "null"), schemas)
    if "enum" in schema:
        return next((one for one in schema["enum"] if one != ""), schema["enum"][0])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            needed = schema.get("required", ())
            return {each: sample(schema["properties"][each], schemas, each) for each in needed}
        case "array":
            return [sample(schema["items"], schemas)] if schema.get("minItems") else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "string":
            return _text(schema, name)
    return None


def _text(schema: Schema, name: str) -> str:
    if (form := schema.get("format")) in _FORMATS:
        return _FORMATS[form]
    pattern, least, most = schema.get("pattern", ""), schema.get("minLength", 0), schema.get("maxLength", 80)
    likely = (_LIKELY[name],) if name in _LIKELY else ()
    for one in (*likely, *_PLAIN, "x" * max(1, least)):
        if least <= len(one) <= most and re.search(pattern, one):
            return one
    return ""
