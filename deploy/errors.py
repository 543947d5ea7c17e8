"""The errors of setting up and running. Each message is one sentence for the technician."""


class DeployError(Exception):
    """Root of every error raised by this package."""
