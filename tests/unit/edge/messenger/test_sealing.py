"""Pushes are sealed and signed as the standards say: by their own examples, and as their readers check it."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from edge.messenger import sealing
from edge.pushing import keys
from edge.pushing.keys import NoKey
from tests.rig.push_phone import PushPhone, raw, text

# The public key of the standard's example.
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def private(scalar: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw(scalar), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_comes_out_byte_for_byte() -> None:
    sealed = sealing.seal(
        b"When I grow up, I want to be a watermelon",
        POINT,
        "BTBZMqHH6r4Tts7J_aSIgg",
        own=private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert text(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_only_the_phone_it_is_for_reads_it_and_two_of_the_same_are_not_alike() -> None:
    phone, other = PushPhone("https://push.example/1"), PushPhone("https://push.example/2")
    one, two = (sealing.seal(b"called", phone.keys.p256dh, phone.keys.auth) for _ in range(2))
    assert phone.opened(one) == phone.opened(two) == b"called" and one != two
    with pytest.raises(InvalidTag):
        other.opened(one)


def test_the_token_is_one_that_the_stores_public_key_proves_for_this_service_and_half_a_day() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    said = sealing.authorization(key, "https://push.example", "mailto:it@shop.example", NOW)
    token, _, shown = said.removeprefix("vapid t=").partition(", k=")
    head, claims, signature = token.split(".")
    found = raw(signature)
    der = encode_dss_signature(int.from_bytes(found[:32], "big"), int.from_bytes(found[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(shown))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert public == key.public_key() and json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(raw(claims)) == {
        "aud": "https://push.example",
        "exp": int(NOW.timestamp()) + 43_200,
        "sub": "mailto:it@shop.example",
    }
    assert "sub" not in sealing.authorization(key, "https://push.example", "", NOW)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", text(bytes(16))),
        (text(b"\x04" + bytes(64)), text(bytes(16))),
        ("é" * 87, text(bytes(16))),
        (POINT[:-2], text(bytes(16))),
        (POINT, text(bytes(15))),
        (POINT, "*"),
    ],
)
def test_what_no_browser_makes_is_no_key(p256dh: str, auth: str) -> None:
    with pytest.raises(NoKey):
        keys.check(p256dh, auth)
