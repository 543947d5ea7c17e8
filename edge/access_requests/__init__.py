"""Access requests: a person asks for the footage of themselves (GDPR art. 15), and a clock runs (art.
12(3))."""
