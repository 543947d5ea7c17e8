"""The kiosk: buttons, lamps and a sound, and an outbox that loses nothing. Imports broker only."""

VERSION = "0.1.0"
