"""Drills: the whole way from a press to an acknowledgement, exercised, timed and signed."""
