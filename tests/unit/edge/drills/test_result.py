import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from edge.drills.result import canonical, check, file_of, to_sign

RESULT: dict[str, Any] = {
    "version": 1, "store": "shop", "device": "till-1", "passed": True, "words": "Vés-hi: 2.1 s.",
    "ended_at": "2026-03-02T08:30:02.100Z", "hops": [{"hop": "asked", "at": "2026-03-02T08:30:00.000Z"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def signed(signer: Signer) -> bytes:
    text = canonical(RESULT)
    return file_of(text, signer.key, signer.sign(to_sign(text)))


def test_what_the_store_signed_is_found_to_be_so(signer: Signer) -> None:
    found = check(signed(signer), signer.key)
    assert found.finding == "ok" and "passed. Vés-hi" in found.words
    # However the file is laid out.
    compact = json.dumps(json.loads(signed(signer))).encode()
    assert check(compact, signer.key.upper()).finding == "ok"


def test_one_changed_word_is_noticed(signer: Signer) -> None:
    assert check(signed(signer).replace(b"2.1", b"1.2"), signer.key).finding == "altered"


def test_by_another_key_or_by_none_it_is_never_ok(signer: Signer) -> None:
    assert check(signed(signer), "0" * 64).finding == "unknown key"
    found = check(signed(signer), None)
    assert found.finding == "unknown key" and "--key" in found.words


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"result":1}', b"\xff", b"[" * 50_000, b"1" * 70_000]
)
def test_anything_else_is_no_result(content: bytes) -> None:
    assert check(content, None).finding == "unreadable"
