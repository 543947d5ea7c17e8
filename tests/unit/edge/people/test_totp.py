"""Codes from a secret and the time, held against the vectors of RFC 6238 and RFC 4226."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from edge.people import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238_appendix_b(at_s: int, code: str) -> None:
    now = datetime.fromtimestamp(at_s, UTC)
    assert totp.code_at(SECRET, totp.step_at(now), digits=8) == code


def test_the_codes_are_those_of_rfc_4226_appendix_d() -> None:
    wanted = ["755224", "287082", "359152", "969429", "338314"]
    wanted += ["254676", "287922", "162583", "399871", "520489"]
    assert [totp.code_at(SECRET, step) for step in range(10)] == wanted


def test_a_phone_may_be_one_step_off_and_no_more() -> None:
    now = datetime(2026, 3, 2, 10, 0, 15, tzinfo=UTC)
    for steps, counts in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        step = totp.step_at(now + timedelta(seconds=steps * totp.STEP_S))
        assert totp.step_of(SECRET, totp.code_at(SECRET, step), now) == (step if counts else None)
    for typed in ("", "12345", "1234567", "codes!"):
        assert totp.step_of(SECRET, typed, now) is None


def test_the_address_and_what_is_typed_hold_the_same_secret() -> None:
    found = urlsplit(totp.address(SECRET, "Shoes: the store", "Mira Ačić"))
    asked = parse_qs(found.query)
    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert found.path.count(":") == 1 and "%20" in found.path and "+" not in found.query
    assert asked["issuer"] == ["Shoes the store"]
    assert asked["secret"] == [totp.to_type(SECRET).replace(" ", "")] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
