"""Backups of the whole store: made while it works, readable only with a key that the server does not have."""
