"""The messenger: sends to people outside the store. A program of its own, for which no page ever waits."""
