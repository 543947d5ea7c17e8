"""One try on one channel: the channel's file is read, the message composed, and sent."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from edge.messenger import addresses, files, shouting, webhook
from edge.messenger.addresses import Lookup
from edge.messenger.files import FileFault
from edge.outside import wording
from edge.outside.channels import SECURITY, Channel
from edge.outside.rules import Outcome
from edge.outside.store import Claimed, Ended

Send = Callable[[Channel, Claimed, datetime], Ended]


def sender(directory: Path, find: Lookup = addresses.lookup) -> Send:
    """Sends for channels whose files are in `directory`. What it returns is written down; it raises nothing
    that a receiver or a file could be the cause of."""

    def send(channel: Channel, claimed: Claimed, now: datetime) -> Ended:
        facts = wording.decode(claimed.facts)
        try:
            if channel.kind == "webhook":
                certificate = str(directory / channel.certificate) if channel.certificate else None
                return webhook.send(
                    files.endpoint(directory, channel),
                    claimed.id,
                    wording.body(claimed.what, facts),
                    now,
                    within_s=channel.within_s,
                    private=channel.allow_private,
                    certificate=certificate,
                    find=find,
                )
            found = files.addresses(directory, channel)
        except FileFault as error:
            return Ended(Outcome.FAILED, str(error))
        if claimed.part > len(found):
            return Ended(Outcome.FAILED, f"{channel.file} has no address {claimed.part} any more.")
        text = wording.text(claimed.what, facts, facts.happened_at.astimezone(), now)
        return shouting.send(
            found[claimed.part - 1],
            wording.title(claimed.what, facts),
            text,
            urgent=claimed.what == SECURITY,
            within_s=channel.within_s,
            private=channel.allow_private,
        )

    return send
