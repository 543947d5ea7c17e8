"""Releases of the kiosks' program that this server carries, and how far each roll-out has come."""
