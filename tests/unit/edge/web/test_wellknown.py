"""security.txt: what the shop said of itself, for as long as that is known to be right."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from edge.security_contact import SecurityContact
from tests.unit.edge.web.conftest import Browser, Shop

CONTACT = SecurityContact(
    ("mailto:security@shop.example", "tel:+34-1-555-0100"), date(2026, 2, 1), ("ca", "en")
)


def with_contact(shop: Shop, contact: SecurityContact) -> None:
    room = shop.app.extensions["floorbell"]
    room.config = msgspec.structs.replace(room.config, security_contact=contact)


def test_without_a_contact_there_is_no_file(visitor: Browser) -> None:
    assert visitor.get("/.well-known/security.txt").status_code == 404


def test_a_stranger_reads_whom_to_tell_and_until_when_that_holds(shop: Shop, visitor: Browser) -> None:
    with_contact(shop, CONTACT)
    answer = visitor.get("/.well-known/security.txt")
    # RFC 9116, 3: text/plain, and in UTF-8.
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@shop.example",
        "Contact: tel:+34-1-555-0100",
        "Expires: 2027-01-31T00:00:00Z",
        "Preferred-Languages: ca, en",
    ]


def test_a_year_after_somebody_saw_to_it_nobody_is_sent_to_an_old_address(
    shop: Shop, visitor: Browser
) -> None:
    with_contact(shop, CONTACT)
    shop.clock.now = CONTACT.expires_at - timedelta(seconds=1)
    assert visitor.get("/.well-known/security.txt").status_code == 200
    shop.clock.now = CONTACT.expires_at
    assert visitor.get("/.well-known/security.txt").status_code == 404
    assert CONTACT.expires_at - datetime(2026, 2, 1, tzinfo=UTC) < timedelta(days=365)


def test_what_the_project_says_of_weaknesses_names_only_what_is_there() -> None:
    root = Path(__file__).resolve().parents[4]
    text = (root / "SECURITY.md").read_text()
    assert "@" not in text
    for path in ("edge/web/admission.py", "edge/people", "broker/decisions", "broker/logs.md"):
        assert path in text and (root / path).exists()
