"""One try of one push: sealed for its phone, signed as this store's, and sent to the phone's push service."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from edge.config import EdgeConfig
from edge.messenger import addresses, posting, sealing
from edge.messenger.addresses import Lookup
from edge.messenger.posting import Address, NoReply
from edge.pushing import rules
from edge.pushing.keys import NoKey
from edge.pushing.queue import Claimed
from edge.pushing.rules import Ended, Outcome

Push = Callable[[Claimed, datetime], Ended]
WITHIN_S = 10.0


def pusher(
    config: EdgeConfig,
    key: ec.EllipticCurvePrivateKey,
    find: Lookup = addresses.lookup,
    within_s: float = WITHIN_S,
) -> Push:
    """Sends pushes. What it returns is written down; it raises nothing that a phone or a service could be the
    cause of."""
    certificate = config.push.certificate
    trusted = str(Path(config.directory) / certificate) if certificate else None

    def push(claimed: Claimed, now: datetime) -> Ended:
        there = rules.parts(claimed.keys.endpoint)
        if there is None or there.hostname is None:
            return Ended(Outcome.REFUSED, "The phone's address at its push service is none that is sent to.")
        try:
            plain = rules.said(claimed.id, claimed.matter, claimed.at)
            body = sealing.seal(plain, claimed.keys.p256dh, claimed.keys.auth)
        except NoKey as error:
            return Ended(Outcome.REFUSED, str(error))
        origin = f"https://{there.netloc}"
        heads = rules.headers(claimed.matter, claimed.until, now)
        heads["Authorization"] = sealing.authorization(key, origin, config.push.contact, now)
        path = (there.path or "/") + (f"?{there.query}" if there.query else "")
        reply = posting.post(
            Address("https", there.hostname, there.port or 443, path),
            heads,
            body,
            now,
            within_s=within_s,
            private=config.push.allow_private,
            certificate=trusted,
            find=find,
        )
        if isinstance(reply, NoReply):
            return Ended(Outcome.UNKNOWN if reply.sent else Outcome.FAILED, reply.words)
        return rules.ended(reply.status, reply.said, reply.wait_s)

    return push
