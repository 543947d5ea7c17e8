"""What goes wrong in a shop, done on purpose to the real programs; `python -m tests.faults --help`."""
