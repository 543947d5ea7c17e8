"""Phones that call security without a sound, and what a store has of their calls."""

import re
from uuid import UUID, uuid4

from werkzeug.test import TestResponse

from .conftest import Browser, Shop

FROM_PAGE = {"Floorbell-Call": "1", "Sec-Fetch-Site": "same-origin"}
# What differs between any two answers.
FLEETING = re.compile(
    r'name="csrf_token" value="[^"]+"|data-(token|now|cursor|since|me)="[^"]*"|value="[0-9a-f-]{36}"'
)


def hold(browser: Browser, id_: UUID | None = None, **form: object) -> TestResponse:
    """As quiet.js sends it: without a form's token."""
    return browser.client.post(
        "/floor/quiet/call", data={"id": str(id_ or uuid4()), **form}, headers=FROM_PAGE
    )


def alarms(shop: Shop) -> list[tuple[object, ...]]:
    return shop.read("SELECT state, topic, count FROM interaction WHERE kind = 'security'")


def lines(shop: Shop, what: str) -> list[object]:
    return [row[0] for row in shop.read("SELECT words FROM timeline WHERE what = :what", what=what)]
