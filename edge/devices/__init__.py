"""Kiosks and pagers: the register, their clocks, what they say of themselves."""
