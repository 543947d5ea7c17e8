"""A drill's signed result: what is signed, the file that is handed out, and whether such a file holds.

The signature is Ed25519 over `floorbell drill v1`, a line feed, and the result as JSON in UTF-8 with sorted
keys and no blanks (result.md). By the key of the store's evidence, which also signs the custody log's heads.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PREFIX = b"floorbell drill v1\n"
MAX_BYTES = 64 * 1024


def canonical(result: dict[str, Any]) -> str:
    return json.dumps(result, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def to_sign(text: str) -> bytes:
    """The bytes that are signed for a result in its canonical form."""
    return PREFIX + text.encode()


def file_of(text: str, key: str, signature: str) -> bytes:
    """The file that is handed out."""
    whole = {"result": json.loads(text), "key": key, "signature": signature}
    return (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class Checked:
    """`finding` is ok, unreadable, altered or 'unknown key'; `words` says it, and what the result says."""

    finding: str
    words: str


def check(content: bytes, key: str | None) -> Checked:
    """Whether this file is a result as the store signed it. `key` is the store's, from elsewhere than the
    file; without one nothing tells who signed it, and it is never ok."""
    # Only here: no other program than a verifier needs the library.
    from broker.signing import is_signed

    try:
        if len(content) > MAX_BYTES:
            raise ValueError
        whole = json.loads(content)
        result, own, signature = whole["result"], whole["key"], whole["signature"]
        said = f"{result['store']}, {result['device']}, {result['ended_at']}: {_said(result)}"
        text = canonical(result)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Checked("unreadable", "This file is no result of a drill.")
    if not isinstance(own, str) or not isinstance(signature, str):
        return Checked("unreadable", "This file is no result of a drill.")
    if not is_signed(own, to_sign(text), signature):
        return Checked("altered", "The result is not what was signed.")
    if key is None:
        return Checked(
            "unknown key",
            f"It holds by the key that it names itself, {own}; give the store's with --key. {said}",
        )
    if key.lower() != own.lower():
        return Checked("unknown key", f"It is signed by {own}, which is not the key that you gave.")
    return Checked("ok", said)


def _said(result: dict[str, Any]) -> str:
    return f"{'passed' if result['passed'] else 'failed'}. {result['words']}"


def hops(text: str) -> list[tuple[str, datetime]]:
    """The hops of a result in its canonical form."""
    return [(hop["hop"], datetime.fromisoformat(hop["at"])) for hop in json.loads(text)["hops"]]
