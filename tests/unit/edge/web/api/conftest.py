"""Programs with tokens, beside the store of the other web tests."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from edge.audit.store import Actor
from edge.devices.store import register
from edge.handling import granting
from edge.tokens import store as tokens
from edge.tokens.scopes import SCOPES
from edge.tokens.store import Token
from tests.unit.edge.web.conftest import STORE, Shop


class Program:
    """Another program, which asks with its token and no cookies."""

    def __init__(self, app: Flask, token: Token, secret: str) -> None:
        self.client = app.test_client(use_cookies=False)
        self.token = token
        self.secret = secret

    def ask(self, method: str, path: str, **more: object) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.secret}", **more.pop("headers", {})}  # type: ignore[dict-item]
        # Read to its end, as whoever serves it does; but for what never ends.
        more.setdefault("buffered", True)
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)  # type: ignore[arg-type]

    def get(self, path: str, **query: object) -> TestResponse:
        return self.ask("GET", path, query_string=query)

    def post(self, path: str, **body: object) -> TestResponse:
        return self.ask("POST", path, json=body)

    def put(self, path: str, **body: object) -> TestResponse:
        return self.ask("PUT", path, json=body)

    def delete(self, path: str) -> TestResponse:
        return self.ask("DELETE", path)


Let = Callable[..., Program]


def letting(shop: Shop) -> Let:
    """let(*scopes): a program with a new token; without scopes it may do everything."""
    count = 0

    def make(*scopes: str, name: str = "") -> Program:
        nonlocal count
        count += 1
        secret, called = tokens.fresh(), name or f"Program {count}"

        def grant(conn: sa.Connection) -> Token:
            actor = Actor("command line", "command")
            wanted = scopes or tuple(SCOPES)
            return granting.grant(conn, STORE, actor, called, wanted, tokens.key_of(secret), shop.clock.now)

        return Program(shop.app, shop.services.change(grant), secret)

    return make


@pytest.fixture
def let(shop: Shop) -> Let:
    return letting(shop)


@pytest.fixture
def all_scopes(let: Let) -> Program:
    return let(name="Head office")


@pytest.fixture
def kiosk(shop: Shop) -> str:
    """A device that stands in Shoes."""
    shop.write(lambda conn: register(conn, STORE, "kiosk-1", "shoes", None, shop.clock.now))
    return "kiosk-1"
