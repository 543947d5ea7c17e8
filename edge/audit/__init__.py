"""Who changed what about the store itself, and through what."""
