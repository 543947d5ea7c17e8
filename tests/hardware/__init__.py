"""Programs for real or simulated hardware."""
