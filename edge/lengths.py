"""Lengths of time as people say them. Pure."""

from datetime import timedelta


def in_words(length: timedelta) -> str:
    """'8 s', '2 min 05 s', '3 h 20 min', '2 days'; what is below zero is '0 s'."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86400} days"
