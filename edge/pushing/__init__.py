"""Pushes: the second way of a page, to a phone that is locked (Web Push, RFC 8030)."""
