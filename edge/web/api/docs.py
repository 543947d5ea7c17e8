"""The two contracts as pages: that of the API (OpenAPI) and that of devices (AsyncAPI).

Made here from the documents themselves, with nothing to load from anywhere: decisions/002.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, make_response, render_template, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as AnyResponse

import broker
from edge.web.api import schemas
from edge.web.api.document import document
from edge.web.api.routes import ROUTES
from edge.web.services import services

_DEVICES = Path(broker.__file__).parent / "asyncapi.yaml"
# Better than what their schemas alone would give.
_IN_PATHS = {"name": "tills-1", "code": "57W-V8N"}


@dataclass(frozen=True)
class Operation:
    """One address of the API, as its page shows it."""

    method: str
    path: str
    told: str
    scopes: tuple[str, ...]
    parameters: list[schemas.Field]
    body: str | None
    answer: str
    record: str | None
    refusals: list[str]
    example: str


@dataclass(frozen=True)
class Message:
    """One message of a channel; `example` is a command that sends it."""

    name: str
    told: list[Markup]
    record: str | None
    data: str | None
    examples: list[tuple[str, str]]


@dataclass(frozen=True)
class Channel:
    name: str
    address: str
    told: str
    direction: str
    messages: list[Message]
    listen: str


def api_page() -> AnyResponse:
    """The API for people who write programs."""
    described = document(ROUTES, services().config.title)
    records = described["components"]["schemas"]
    sections: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            found = _operation(method.upper(), path, about, records)
            sections.setdefault(about["tags"][0], []).append(found)
    told = {name: (about.get("description", ""), schemas.fields(about)) for name, about in records.items()}
    refusals = {
        status: about["description"] for status, about in described["components"]["responses"].items()
    }
    page = render_template("api/docs.html", sections=sections, records=told, refusals=refusals)
    return make_response(page)


def devices_page() -> AnyResponse:
    """What devices and the server say to each other."""
    found = _devices()
    parts = found["components"]
    senders: dict[str, set[str]] = {}
    for about in found["operations"].values():
        channel = about["channel"]["$ref"].rpartition("/")[2]
        senders.setdefault(channel, set()).add(about["action"])
    channels = [
        _channel(name, about, senders.get(name, set()), parts) for name, about in found["channels"].items()
    ]
    records = {
        name: (about.get("description", ""), schemas.fields(about))
        for name, about in parts["schemas"].items()
    }
    texts = found["x-call-texts"]
    page = render_template(
        "api/devices.html",
        told=prose(found["info"]["description"]),
        version=found["info"]["version"],
        channels=channels,
        records=records,
        texts=texts,
    )
    return make_response(page)


def devices_document() -> Response:
    """The AsyncAPI document itself (RFC 9512)."""
    response = Response(_DEVICES.read_bytes(), mimetype="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="floorbell-asyncapi.yaml"'
    return response


def prose(text: str) -> list[Markup]:
    """Paragraphs, numbered lists, **strong** and `code`: all of Markdown that our documents have."""
    found = []
    for part in re.split(r"\n\s*\n|\n(?=1\. )", text.strip()):
        items = re.split(r"(?:^|\n)\d+\. ", part)
        if part.startswith("1. "):
            rows = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items if item)
            found.append(Markup("<ol>{}</ol>").format(rows))
        else:
            found.append(Markup("<p>{}</p>").format(_inline(part)))
    return found


def _inline(text: str) -> Markup:
    marked = str(escape(" ".join(text.split())))
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", marked)
    return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked))


def _operation(
    method: str, path: str, about: Mapping[str, Any], records: Mapping[str, schemas.Schema]
) -> Operation:
    parameters = [
        schemas.Field(
            one["name"],
            schemas.words(one["schema"]),
            None,
            one.get("required", False),
            one.get("description", one["schema"].get("description", "")),
        )
        for one in about["parameters"]
    ]
    body = None
    if "requestBody" in about:
        body = schemas.record(about["requestBody"]["content"]["application/json"]["schema"])
    status = next(status for status in about["responses"] if status.startswith("2"))
    media, schema = next(iter(about["responses"][status].get("content", {"": {}}).items()))
    answered = schemas.record(schema.get("schema", {}))
    said = f"{status}, with nothing in it" if not media else f"{status}, {media}"
    return Operation(
        method,
        path,
        about["description"],
        tuple(about["security"][0]["token"]),
        parameters,
        body,
        said,
        answered,
        [status for status in about["responses"] if not status.startswith("2")],
        curl(method, _sampled(path, about), schemas.sample(records[body], records) if body else None),
    )


def _sampled(path: str, about: Mapping[str, Any]) -> str:
    """The path with something in it for each of its parameters."""
    named = {
        one["name"]: _IN_PATHS.get(one["name"]) or schemas.sample(one["schema"], {})
        for one in about["parameters"]
        if one["in"] == "path"
    }
    return path.format(**named)


def curl(method: str, path: str, body: Any) -> str:
    """A command that asks this."""
    address = url_for("api.index", _external=True).removesuffix("/api/v1/") + path
    lines = ["curl" if method == "GET" else f"curl -X {method}", '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        lines += ["--json " + shlex.quote(json.dumps(body, ensure_ascii=False))]
    return " \\\n  ".join([" ".join(lines[:2]), *lines[2:], shlex.quote(address)])


def _channel(name: str, about: Mapping[str, Any], actions: set[str], parts: Mapping[str, Any]) -> Channel:
    directions = {
        frozenset({"send"}): "A device says",
        frozenset({"receive"}): "A device hears",
        frozenset({"send", "receive"}): "A device says and hears",
    }
    address = about["address"]
    said = " ".join(about.get("description", "").split())
    listened = address.format(store="riverside", device="tills-1", pager="pager-1", kind="+")
    return Channel(
        name,
        address,
        said,
        directions.get(frozenset(actions), "Only the server's programs use it"),
        [_message(one, parts["messages"][one], address, actions, said) for one in about["messages"]],
        f"mosquitto_sub {_MQTT} -v -t {listened}" if "receive" in actions else "",
    )


_MQTT = "-V 5 -h floorbell.local -p 8883 --cafile ca.crt --cert tls.crt --key tls.key"


def _message(
    name: str, about: Mapping[str, Any], address: str, actions: set[str], of_channel: str
) -> Message:
    told = [*prose(about.get("summary", "")), *prose(about.get("description", ""))]
    topic = address.format(store="riverside", device="tills-1", pager="pager-1", kind=name)
    examples = []
    for one in about.get("examples", ()):
        payload = json.dumps(one["payload"], ensure_ascii=False, default=str)
        text = payload
        if "send" in actions and name != "headShown":
            kept = " -r" if "retained, and its last will" in of_channel else ""
            quality = 0 if "QoS 0" in of_channel else 1
            text = f"mosquitto_pub {_MQTT} -q {quality}{kept} \\\n  -t {topic} -m {shlex.quote(payload)}"
        examples.append((one.get("name", ""), text))
    told = [one for one in told if one != Markup("<p></p>")]
    data = schemas.record(about["x-data"]) if "x-data" in about else None
    return Message(name, told, schemas.record(about["payload"]), data, examples)


@cache
def _devices() -> dict[str, Any]:
    # Only who reads this page has a use for it.
    import yaml

    found: dict[str, Any] = yaml.safe_load(_DEVICES.read_text(encoding="utf-8"))
    return found
