"""The OpenAPI 3.1 document, made from the table of routes and the records: decisions/001."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from broker.events import Name
from edge import version
from edge.routing import inforce
from edge.tokens.scopes import SCOPES
from edge.web.api.routing import Media, Route
from edge.web.problems import MEDIA, Problem

_REF = "#/components/schemas/{name}"
_IN_PATHS = {
    "id": {"type": "string", "format": "uuid"},
    "session": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    "name": msgspec.json.schema(Name),
    "number": {"type": "integer", "minimum": 1, "maximum": 10**15 - 1},
    "code": {"type": "string", "minLength": 1, "maxLength": 40},
    "kind": {"type": "string", "enum": list(inforce.KINDS)},
}
_WHY = {
    401: "No token, or one that is not valid.",
    403: "The token lacks a scope, or its rights do not go so far.",
    404: "There is no such thing in this store.",
    409: "Something stands against it, which the sentence names. Nothing was changed.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    422: "What was sent cannot be used; the sentence says where, what, and what is allowed.",
    429: "Too many requests of this token within a minute.",
    500: "A mistake of the server's.",
    503: "The database or a place in a queue is not to be had at this moment.",
}
_ABOUT = (
    "Everything that the pages do. A token is made at the desk under Tokens, and sent as "
    "`Authorization: Bearer …`. Every refusal is one sentence in problem details (RFC 9457). Silent security "
    "requests are shown only to a token with the scope `security`."
)


def document(routes: Sequence[Route], title: str) -> dict[str, Any]:
    """The whole document; it names every record once."""
    types = [
        Problem,
        *(kind for route in routes for kind in (route.query, route.body, route.answer) if _struct(kind)),
    ]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    for query in {route.query for route in routes if route.query}:
        # They stand in the parameters.
        queried = schemas.pop(query.__name__)
        assert queried["type"] == "object"
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/api/v1{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Floorbell, {title}", "version": version.installed(), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {str(status): _refusal(status) for status in _WHY},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": _scopes()}},
        },
    }


def refusals(route: Route) -> list[int]:
    """The statuses with which this route may refuse."""
    found = [401, 403]
    if "{" in route.path or route.method != "GET":
        found.append(404)
    if route.method != "GET":
        found.append(409)
    if route.body is not None:
        found += [413, 415]
    if route.body is not None or route.query is not None:
        found.append(422)
    if not route.free:
        found.append(429)
    return [*found, 500, 503]


def _operation(route: Route) -> dict[str, Any]:
    said = " ".join((route.view.__doc__ or "").split())
    first, _, _ = said.partition(". ")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": first.rstrip("."),
        "description": said,
        "tags": [route.path.split("/")[1].split(".")[0]],
        "security": [{"token": list(route.scopes)}],
        "parameters": [*_path(route.path), *_query(route.query), *_headers(route.answer)],
        "responses": {
            str(route.status): _answer(route),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in refusals(route)},
        },
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _content("application/json", _ref(route.body)),
        }
    return operation


def _answer(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if isinstance(route.answer, Media):
        found["content"] = _content(route.answer.name, {"type": "string"})
    elif route.answer is not None:
        found["content"] = _content("application/json", _ref(route.answer))
    return found


def _refusal(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _WHY[status], "content": _content(MEDIA, _ref(Problem))}
    if status == 401:
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    if status == 429:
        found["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return found


def _path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATHS[name]}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query(query: type[Struct] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    _, schemas = msgspec.json.schema_components([query], ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in schemas[query.__name__]["properties"].items()
    ]


def _headers(answer: object) -> list[dict[str, Any]]:
    if answer != Media("text/event-stream"):
        return []
    said = "Behind which entry to go on."
    return [{"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}, "description": said}]


def _content(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {media: {"schema": schema}}


def _ref(kind: Any) -> dict[str, Any]:
    return {"$ref": _REF.format(name=kind.__name__)}


def _struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _scopes() -> str:
    return "\n".join(f"- `{scope}`: {words}" for scope, words in SCOPES.items())
