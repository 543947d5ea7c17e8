"""The messenger: pushes to locked phones, and people outside the store. A program of its own, for which no
page ever waits."""
