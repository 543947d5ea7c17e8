"""Sends one signed message to a webhook, once (webhook.md)."""

import base64
import hashlib
import hmac
from datetime import datetime

from edge.messenger import addresses, posting
from edge.messenger.addresses import Lookup
from edge.messenger.files import Endpoint
from edge.messenger.posting import Address, NoReply, Reply
from edge.outside.rules import Outcome, outcome_of
from edge.outside.store import Ended


def signature(key: bytes, id_: str, at_s: int, body: bytes) -> str:
    """As the Standard Webhooks specification has it: HMAC-SHA256 over id, time and body."""
    signed = f"{id_}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_for(key: bytes, id_: str, at_s: int, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Floorbell",
        "Connection": "close",
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(key, id_, at_s, body),
    }


def send(
    endpoint: Endpoint,
    id_: str,
    body: bytes,
    now: datetime,
    *,
    within_s: float,
    private: bool,
    certificate: str | None = None,
    find: Lookup = addresses.lookup,
) -> Ended:
    """One try, and how it went. `certificate`: a PEM file with the only CAs that count."""
    heads = headers_for(endpoint.key, id_, int(now.timestamp()), body)
    there = Address(endpoint.scheme, endpoint.host, endpoint.port, endpoint.path)
    reply = posting.post(
        there, heads, body, now, within_s=within_s, private=private, certificate=certificate, find=find
    )
    if isinstance(reply, NoReply):
        return Ended(Outcome.UNKNOWN if reply.sent else Outcome.FAILED, reply.words)
    return _answered(reply)


def _answered(reply: Reply) -> Ended:
    outcome = outcome_of(reply.status)
    if outcome is Outcome.ACCEPTED:
        return Ended(outcome, f"The receiver took it ({reply.said}).")
    if 300 <= reply.status < 400:
        return Ended(outcome, f"The receiver answered {reply.said}, a redirect; none is followed.")
    if outcome is Outcome.REFUSED:
        return Ended(outcome, f"The receiver refuses this message for good ({reply.said}).")
    return Ended(outcome, f"The receiver did not take it ({reply.said}).", reply.wait_s)
