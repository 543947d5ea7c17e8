"""Floorbell."""
