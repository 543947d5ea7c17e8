"""The errors of the contract. Each message is one sentence that says what, where and what is allowed."""


class BrokerError(Exception):
    """Root of every error raised by this package."""


class ContractError(BrokerError):
    """A message that does not follow the contract.

    `event_id`, `seq` and `outbox` are set when they could still be read, so that a receipt can name what it
    refuses.
    """

    def __init__(
        self, reason: str, event_id: str | None = None, seq: int | None = None, outbox: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.event_id = event_id
        self.seq = seq
        self.outbox = outbox


class SettingsError(BrokerError):
    """A configuration file that cannot be used; the program refuses to start with this sentence."""


class IdentityError(BrokerError):
    """A certificate or key that cannot be made, read or used."""


class BrokerStartError(BrokerError):
    """Mosquitto is missing or did not start."""
