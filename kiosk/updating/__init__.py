"""Renewing the kiosk's program: brought by the kiosk, put into the other slot by the keeper's installer."""
