"""The errors of the kiosk. Each message is one sentence that tells its reader what to do."""


class KioskError(Exception):
    """Root of every error raised by this package."""


class OutboxLocked(KioskError):
    """Another kiosk program already works on this outbox."""


class OutboxFull(KioskError):
    """The disk took nothing more. May be retried: room can come back."""


class OutboxDamaged(KioskError):
    """The database file is not one, or no longer whole. Opening again sets it aside and begins a new one."""


class PinsMissing(KioskError):
    """The pins cannot be reached: no GPIO library, no chip, or a pin that somebody else holds."""
