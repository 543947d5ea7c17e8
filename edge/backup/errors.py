"""What goes wrong with backups. Each message is one sentence for whoever stands at the server."""

from edge.errors import EdgeError


class BackupError(EdgeError):
    """A backup cannot be made, opened, proven or put back."""


class NotWhole(BackupError):
    """What was read is not what was sealed: cut short, altered, or put in another's place."""


class OtherKey(BackupError):
    """What was read was sealed for another recovery key."""


class NotThere(BackupError):
    """The target does not have this file."""
