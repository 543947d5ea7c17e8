"""Calling people: pages, timers, the feed that browsers read, and what leaves over MQTT."""
