"""What Home Assistant is told of the kiosks: decisions/001-what-home-assistant-is-told.md."""
