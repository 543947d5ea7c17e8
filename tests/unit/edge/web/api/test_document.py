"""The table of routes, the address map and the OpenAPI document say the same."""

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from schemathesis.core.errors import SchemathesisError

from edge.tokens.scopes import SCOPES
from edge.web.api.document import document
from edge.web.api.routes import ROUTES
from tests.unit.edge.web.conftest import Shop

NOT_LISTED = {
    "api.document",
    "api.devices_document",
    "api.index",
    "api.api_page",
    "api.devices_page",
    "api.footage",
}


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    return document(ROUTES, "Trial")


def test_every_route_of_the_application_is_in_the_document_and_no_other(
    shop: Shop, said: dict[str, Any]
) -> None:
    known = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in shop.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint not in NOT_LISTED
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    told = {(method.upper(), path) for path, operations in said["paths"].items() for method in operations}
    assert told == known and len(told) == len(ROUTES)


def test_the_document_is_openapi_3_1_and_its_records_json_schema(said: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(said).validate()
    for schema in said["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)
    without_a_title = said | {"info": {"version": "1"}}
    with pytest.raises((SchemathesisError, jsonschema_rs.ValidationError)):
        schemathesis.openapi.from_dict(without_a_title).validate()


def test_every_scope_of_a_route_is_one_that_a_token_can_have() -> None:
    assert {scope for route in ROUTES for scope in route.scopes} <= SCOPES.keys()
    assert [route.name for route in ROUTES if not route.scopes] == ["token_own"]


def test_every_reference_in_the_document_leads_somewhere_and_every_record_is_used(
    said: dict[str, Any],
) -> None:
    def walk(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(walk(child) for child in node.values()))
        return set().union(*(walk(child) for child in node)) if isinstance(node, list) else set()

    references = {tuple(ref.split("/")[2:]) for ref in walk(said)}
    for kind, name in references:
        assert name in said["components"][kind]
    assert {name for kind, name in references if kind == "schemas"} == said["components"]["schemas"].keys()


def test_each_operation_has_a_name_of_its_own_and_says_what_it_does(said: dict[str, Any]) -> None:
    operations = [operation for path in said["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["summary"] and operation["description"].endswith(".") for operation in operations)


def test_the_document_and_its_page_need_no_token(shop: Shop) -> None:
    client = shop.app.test_client()
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200 and answer.json["openapi"] == "3.1.0"
    page = client.get("/api/v1/").text
    assert "/interactions/{id}" in page and "read:log" in page
